"""Each RPC of the contract, over the wire."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from grpc import StatusCode
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from depesche.v1 import brief_pb2, model_pb2, summarisation_pb2, translation_pb2, types_pb2
from tests.rpc.support import ENGLISH, GERMAN, Stubs, failure, request, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stubs() -> AsyncIterator[Stubs]:
    async with serving() as (_, found):
        yield found


async def test_create_brief(stubs: Stubs) -> None:
    """A brief has a headline, key sentences, the translation, a signature and the caller's id."""
    asked = request(id_="dpa-1")
    asked.options.sentence_count = 2
    brief = (await stubs.briefs.CreateBrief(asked)).brief

    assert brief.id == "dpa-1"
    assert brief.headline.text == "NEUE BRÜCKE IN KÖLN"
    assert brief.detection.language == "de"
    assert len(brief.key_sentences) == 2
    assert [t.index for t in brief.translation] == [0, 1, 2, 3]
    assert brief.signature.line.startswith("depesche:")
    assert {stage.name for stage in brief.timings.stages} >= {"read", "translate", "summarise"}


async def test_every_sentence_points_at_its_source(stubs: Stubs) -> None:
    """Offsets count code points of the text as it was sent."""
    brief = (await stubs.briefs.CreateBrief(request())).brief

    for sentence in brief.translation:
        span = sentence.source_span
        assert GERMAN[span.start : span.end] == sentence.source
    for key in brief.key_sentences:
        spans = [brief.translation[index].source_span for index in key.sentence_indices]
        assert list(key.source_spans) == spans


async def test_stream_brief(stubs: Stubs) -> None:
    """The start comes first, then each sentence once, then the brief."""
    asked = brief_pb2.StreamBriefRequest(release=types_pb2.Release(text=GERMAN, id="x"))
    events = [event async for event in stubs.briefs.StreamBrief(asked)]
    kinds = [event.WhichOneof("event") for event in events]

    assert kinds == ["started", *["sentence"] * 4, "brief"]
    assert events[0].started.sentence_count == 4
    assert sorted(e.sentence.index for e in events[1:-1]) == [0, 1, 2, 3]
    assert events[-1].brief.id == "x"


async def test_translate(stubs: Stubs) -> None:
    """A translation has every sentence in document order, and no summary in its signature."""
    asked = translation_pb2.TranslateRequest(release=types_pb2.Release(text=GERMAN, id="x"))
    reply = await stubs.translation.Translate(asked)

    assert reply.id == "x"
    assert reply.translation[0].text == "NEUE BRÜCKE IN KÖLN"
    assert [model.task for model in reply.signature.models] == ["translation"]


async def test_lines_keep_their_numbers(stubs: Stubs) -> None:
    """In lines, a sentence's block is the number of its line, blank ones counted."""
    release = types_pb2.Release(
        text="Guten Tag.\n\nAuf Wiedersehen.",
        language="de",
        content_format=types_pb2.CONTENT_FORMAT_LINES,
    )
    reply = await stubs.translation.Translate(translation_pb2.TranslateRequest(release=release))

    assert [(s.block, s.text) for s in reply.translation] == [
        (0, "GUTEN TAG."),
        (2, "AUF WIEDERSEHEN."),
    ]


async def test_detect_language(stubs: Stubs) -> None:
    """The language comes with its probability."""
    reply = await stubs.translation.DetectLanguage(
        translation_pb2.DetectLanguageRequest(text=GERMAN)
    )

    assert reply.detection.language == "de"
    assert 0.5 < reply.detection.confidence <= 1


async def test_summarise(stubs: Stubs) -> None:
    """Sentences of an English text are chosen, with their places."""
    asked = summarisation_pb2.SummariseRequest(text=ENGLISH, sentence_count=1)
    reply = await stubs.summarisation.Summarise(asked)

    (sentence,) = reply.sentences
    assert ENGLISH[sentence.source_span.start : sentence.source_span.end].strip() == sentence.text
    assert [model.task for model in reply.signature.models] == ["summary"]


async def test_english_is_briefed_as_it_is(stubs: Stubs) -> None:
    """An English release keeps its words; no translation model takes part."""
    brief = (await stubs.briefs.CreateBrief(request(ENGLISH))).brief

    assert brief.detection.language == "en"
    assert all(t.decoding == types_pb2.DECODING_NONE for t in brief.translation)
    assert [model.task for model in brief.signature.models] == ["summary"]


async def test_models(stubs: Stubs) -> None:
    """The models are listed in the manifest's order, and shown by name."""
    models = (await stubs.models.ListModels(model_pb2.ListModelsRequest())).models
    shown = await stubs.models.GetModel(model_pb2.GetModelRequest(name="embedded"))

    assert [m.name for m in models][:2] == ["embedded", "minilm"]
    assert shown.model == models[0]
    assert shown.model.state == model_pb2.MODEL_STATE_READY


async def test_an_unknown_model(stubs: Stubs) -> None:
    """A name that the manifest doesn't have is NOT_FOUND."""
    failed = await failure(stubs.models.GetModel(model_pb2.GetModelRequest(name="big")))

    assert failed.code is StatusCode.NOT_FOUND
    assert failed.violations == {"name": "no model is named 'big'"}
    assert failed.reason == "ModelUnknown"


async def test_reflection_lists_the_services(stubs: Stubs) -> None:
    """A tool without the contract's files can find the services."""

    async def ask() -> AsyncIterator[reflection_pb2.ServerReflectionRequest]:
        yield reflection_pb2.ServerReflectionRequest(list_services="")

    stub = reflection_pb2_grpc.ServerReflectionStub(stubs.channel)
    (reply,) = [reply async for reply in stub.ServerReflectionInfo(ask())]

    assert {service.name for service in reply.list_services_response.service} == {
        "depesche.v1.BriefService",
        "depesche.v1.ModelService",
        "depesche.v1.FidelityService",
        "depesche.v1.SummarisationService",
        "depesche.v1.TranslationService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
