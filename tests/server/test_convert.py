from enum import StrEnum
from typing import Any

import pytest

from depesche import types
from depesche.brief import Started
from depesche.engine import ModelState, ModelStatus, Summary, TranslatedRelease
from depesche.server import convert
from depesche.types import (
    BlockKind,
    Brief,
    BriefSentence,
    Decoding,
    Detection,
    Finding,
    FindingKind,
    GlossaryOutcome,
    GlossaryPlace,
    GlossaryTerm,
    GlossaryUse,
    Language,
    ModelIdentity,
    Origin,
    Sentence,
    Signature,
    Span,
    SummaryStrategy,
    Timings,
    Translation,
)
from depesche.v1 import model_pb2, types_pb2

_SENTENCE = Sentence(
    3, "Guten Tag.", BlockKind.PARAGRAPH, 1, Origin.TEXT, Span(5, 16), "Guten  Tag."
)
_FINDING = Finding(FindingKind.NUMBER_MISSING, "12 is missing", "12", "", Span(0, 2), None)
_TRANSLATION = Translation(_SENTENCE, "Good day.", -0.25, Decoding.BEAM, (_FINDING,))
_MODEL = ModelIdentity("translation", "embedded", "1", "a" * 64, "int8", "Apache-2.0")
_SIGNATURE = Signature("0.1.0", "1", (_MODEL,), {"beam_size": "4"})
_TIMINGS = Timings({"read": 0.5, "translate": 1.25}, queue=0.001)


@pytest.mark.parametrize(
    ("members", "wire", "numbers"),
    [
        (types.ContentFormat, types_pb2.ContentFormat, convert.CONTENT_FORMATS),
        (types.Priority, types_pb2.Priority, convert.PRIORITIES),
        (types.SummaryStrategy, types_pb2.SummaryStrategy, convert.STRATEGIES),
        (types.Origin, types_pb2.SourceField, convert.SOURCE_FIELDS),
        (types.BlockKind, types_pb2.BlockKind, convert.BLOCK_KINDS),
        (types.Decoding, types_pb2.Decoding, convert.DECODINGS),
        (types.FindingKind, types_pb2.FindingKind, convert.FINDING_KINDS),
        (ModelState, model_pb2.ModelState, convert.MODEL_STATES),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_enumerations_match(members: type[StrEnum], wire: Any, numbers: dict[Any, int]) -> None:
    """Each member has a number of its own, and each number but 0 has a member."""
    assert set(numbers) == set(members)
    assert sorted(numbers.values()) == sorted(n for n in wire.values() if n)


def test_translation_keeps_everything() -> None:
    """A translated sentence arrives with its source, place, score and findings."""
    message = convert.translation_message(_TRANSLATION)

    assert message == types_pb2.TranslatedSentence(
        index=3,
        block_kind=types_pb2.BLOCK_KIND_PARAGRAPH,
        block=1,
        source_span=types_pb2.SourceSpan(field=types_pb2.SOURCE_FIELD_TEXT, start=5, end=16),
        source="Guten  Tag.",
        normalised_source="Guten Tag.",
        text="Good day.",
        score=-0.25,
        decoding=types_pb2.DECODING_BEAM,
        findings=[
            types_pb2.Finding(
                kind=types_pb2.FINDING_KIND_NUMBER_MISSING,
                message="12 is missing",
                expected="12",
                source_span=types_pb2.TextSpan(start=0, end=2),
            )
        ],
    )
    assert not message.findings[0].HasField("target_span")


def test_a_sentence_that_was_not_decoded_has_no_score() -> None:
    """No score and a score of 0 are told apart."""
    kept = Translation(_SENTENCE, "Good day.", None, Decoding.NONE)
    certain = Translation(_SENTENCE, "Good day.", 0.0, Decoding.GREEDY)

    assert not convert.translation_message(kept).HasField("score")
    assert convert.translation_message(certain).HasField("score")


def test_brief_points_at_its_sources() -> None:
    """Key sentences carry the places in the request that they rest on, and the id comes back."""
    sentence = BriefSentence("Good day.", (3,), (_FINDING,))
    brief = Brief(
        headline=sentence,
        key_sentences=(sentence,),
        detection=Detection(Language.GERMAN, 0.75),
        translations=(_TRANSLATION,),
        signature=_SIGNATURE,
        timings=_TIMINGS,
    )
    message = convert.create_brief_response(brief, "id-1").brief

    assert message.id == "id-1"
    assert message.key_sentences[0].sentence_indices == [3]
    assert message.key_sentences[0].source_spans == [message.translation[0].source_span]
    assert message.headline.findings[0].expected == "12"
    assert (message.detection.language, message.detection.confidence) == ("de", 0.75)
    assert message.signature.line == str(_SIGNATURE)
    assert message.signature.options == {"beam_size": "4"}
    assert message.signature.models[0].digest == "a" * 64
    assert [(s.name, s.duration.ToMilliseconds()) for s in message.timings.stages] == [
        ("read", 500),
        ("translate", 1250),
    ]
    assert message.timings.queue_wait.ToMicroseconds() == 1000
    assert convert.stream_event(brief, "id-1").brief == message


def test_stream_events() -> None:
    """The start and each sentence are events of their own."""
    started = convert.stream_event(Started(Detection(Language.KHMER, 1.0), 7))

    assert started.started.sentence_count == 7
    assert started.started.detection.language == "km"
    assert convert.stream_event(_TRANSLATION).sentence.index == 3


def test_translate_and_summarise() -> None:
    """The other replies hold the same parts."""
    translated = TranslatedRelease(
        Detection(Language.RUSSIAN, 0.5), (_TRANSLATION,), _SIGNATURE, _TIMINGS
    )
    written = BriefSentence("A greeting.", (_SENTENCE.index,), (), SummaryStrategy.ABSTRACTIVE)
    summary = Summary((written,), (_SENTENCE,), _SIGNATURE, _TIMINGS)

    assert convert.translate_response(translated, "x").translation[0].text == "Good day."
    assert convert.translate_response(translated, "x").id == "x"
    (message,) = convert.summarise_response(summary).sentences
    assert message.text == "A greeting."
    assert message.source_span.start == 5
    assert list(message.source_spans) == [message.source_span]
    assert message.strategy == types_pb2.SUMMARY_STRATEGY_ABSTRACTIVE


def test_glossary() -> None:
    """Each term comes back with its outcome and places; a place without English has no span."""
    term, span = GlossaryTerm("Tag"), Span(0, 3)
    places = (GlossaryPlace(3, span, None), GlossaryPlace(3, span, Span(1, 4)))
    uses = (GlossaryUse(term, GlossaryOutcome.REFUSED, places),)
    translated = TranslatedRelease(
        Detection(Language.RUSSIAN, 0.5), (_TRANSLATION,), _SIGNATURE, _TIMINGS, uses
    )
    (message,) = convert.translate_response(translated).glossary

    assert message.term == types_pb2.GlossaryTerm(source="Tag")
    assert message.outcome == types_pb2.GLOSSARY_OUTCOME_REFUSED
    assert [place.sentence_index for place in message.places] == [3, 3]
    assert message.places[0].source_span == types_pb2.TextSpan(start=0, end=3)
    assert not message.places[0].HasField("target_span")
    assert message.places[1].target_span == types_pb2.TextSpan(start=1, end=4)


def test_model() -> None:
    """A model's state is told whole."""
    status = ModelStatus(
        "embedded",
        "translation",
        "1",
        ("de", "ru"),
        "Apache-2.0",
        "a",
        "int8",
        9,
        ModelState.READY,
        ("de",),
    )
    message = convert.model_message(status)

    assert (message.name, list(message.languages)) == ("embedded", ["de", "ru"])
    assert (message.size_bytes, message.state) == (9, model_pb2.MODEL_STATE_READY)
