"""Summaries in sentences of a model's own, over the wire."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from depesche.config import Settings
from depesche.inference.fake import FakeBackend
from depesche.inference.fake_encoder import FakeEncoder
from depesche.loading import LoadedModel, LoadedModels
from depesche.models.store import ModelStore
from depesche.types import SOURCES, Language, ModelIdentity
from depesche.v1 import summarisation_pb2, types_pb2
from tests.rpc.support import Stubs, failure, serving
from tests.support import SUMMARY, TRANSLATION, held

_FIRST = "The city opened a new bridge across the river on Monday."
_SECOND = "It cost 12 million euros and is 400 metres long."
_ENGLISH = (
    f"{_FIRST} {_SECOND} Traffic now flows in both directions over it. The old one is closed."
)
_WRITER = ModelIdentity("summary", "bart", "1", "c" * 64, "int8", "MIT")


@asynccontextmanager
async def _serving() -> AsyncIterator[tuple[Stubs, FakeBackend]]:
    """Run a server with a summary model."""
    written = "The new bridge across the river cost 12 million euros."
    writer = FakeBackend(lambda _: written, max_source_tokens=1000)

    def load(_settings: Settings, _store: ModelStore) -> LoadedModels:
        return LoadedModels(
            FakeEncoder(),
            SUMMARY,
            {"embedded": LoadedModel(FakeBackend(), TRANSLATION, frozenset(SOURCES))},
            dict.fromkeys(SOURCES, "embedded"),
            {"bart": LoadedModel(writer, _WRITER, frozenset({Language.ENGLISH}))},
            "bart",
        )

    async with serving(loader=load) as (_, stubs):
        yield stubs, writer


def _request(model: str = "") -> summarisation_pb2.SummariseRequest:
    return summarisation_pb2.SummariseRequest(
        text=_ENGLISH,
        sentence_count=1,
        strategy=types_pb2.SUMMARY_STRATEGY_ABSTRACTIVE,
        summary_model=model,
    )


async def test_a_written_sentence_tells_its_sources() -> None:
    """All their places, the first of them alone for older clients, and its strategy."""
    async with _serving() as (stubs, _):
        reply = await stubs.summarisation.Summarise(_request())

    (sentence,) = reply.sentences
    spans = [_ENGLISH[span.start : span.end].strip() for span in sentence.source_spans]
    assert spans == [_FIRST, _SECOND]
    assert sentence.source_span == sentence.source_spans[0]
    assert sentence.strategy == types_pb2.SUMMARY_STRATEGY_ABSTRACTIVE
    assert [(m.name, m.licence) for m in reply.signature.models] == [
        ("bart", "MIT"),
        ("minilm", "Apache-2.0"),
    ]


async def test_a_summary_without_time_is_chosen() -> None:
    """The call's deadline is the model's too; a sentence of the text tells that it is one."""
    async with _serving() as (stubs, writer):
        with held(writer):
            reply = await stubs.summarisation.Summarise(_request(), timeout=2)

    (sentence,) = reply.sentences
    assert sentence.strategy == types_pb2.SUMMARY_STRATEGY_EXTRACTIVE
    assert reply.signature.options["strategy"] == "extractive"


async def test_a_summary_by_a_model_that_is_not_loaded() -> None:
    """The error names those that are."""
    async with _serving() as (stubs, _):
        failed = await failure(stubs.summarisation.Summarise(_request("t5")))

    assert failed.reason == "FeatureUnavailable"
    assert failed.message == "summary_model: must be one of the loaded bart, or empty"
