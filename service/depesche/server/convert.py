"""From the pipeline's values to the wire's messages; enumerations both ways.

Pure functions: nothing here decides anything.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol, TypeVar

from google.protobuf.duration_pb2 import Duration

from depesche import types
from depesche.brief import Started
from depesche.engine import ModelState, ModelStatus, Summary, TranslatedRelease
from depesche.types import Span
from depesche.v1 import (
    brief_pb2,
    model_pb2,
    summarisation_pb2,
    translation_pb2,
    types_pb2,
)

__all__ = [
    "BLOCK_KINDS",
    "CONTENT_FORMATS",
    "DECODINGS",
    "FINDING_KINDS",
    "GLOSSARY_OUTCOMES",
    "MODEL_STATES",
    "PRIORITIES",
    "SOURCE_FIELDS",
    "STRATEGIES",
    "brief_message",
    "create_brief_response",
    "detection_message",
    "findings_messages",
    "model_message",
    "stream_event",
    "summarise_response",
    "translate_response",
    "translation_message",
]

_Number_co = TypeVar("_Number_co", covariant=True)
_Member = TypeVar("_Member", bound=StrEnum)


class _WireEnum(Protocol[_Number_co]):
    """What a generated enumeration offers of itself."""

    def Value(self, name: str) -> _Number_co:  # noqa: N802 - protobuf's name
        """Give the number of a name."""
        ...


def _numbers(
    members: type[_Member], wire: _WireEnum[_Number_co], prefix: str
) -> Mapping[_Member, _Number_co]:
    """Pair each member with the wire's value of its name; a member without one is an error."""
    return {member: wire.Value(f"{prefix}_{member.name}") for member in members}


CONTENT_FORMATS = _numbers(types.ContentFormat, types_pb2.ContentFormat, "CONTENT_FORMAT")
PRIORITIES = _numbers(types.Priority, types_pb2.Priority, "PRIORITY")
STRATEGIES = _numbers(types.SummaryStrategy, types_pb2.SummaryStrategy, "SUMMARY_STRATEGY")
SOURCE_FIELDS = _numbers(types.Origin, types_pb2.SourceField, "SOURCE_FIELD")
BLOCK_KINDS = _numbers(types.BlockKind, types_pb2.BlockKind, "BLOCK_KIND")
DECODINGS = _numbers(types.Decoding, types_pb2.Decoding, "DECODING")
FINDING_KINDS = _numbers(types.FindingKind, types_pb2.FindingKind, "FINDING_KIND")
GLOSSARY_OUTCOMES = _numbers(types.GlossaryOutcome, types_pb2.GlossaryOutcome, "GLOSSARY_OUTCOME")
MODEL_STATES = _numbers(ModelState, model_pb2.ModelState, "MODEL_STATE")


def create_brief_response(brief: types.Brief, id_: str = "") -> brief_pb2.CreateBriefResponse:
    """Write the reply to `CreateBrief`; `id_` is the caller's id of the release."""
    return brief_pb2.CreateBriefResponse(brief=brief_message(brief, id_))


def stream_event(
    event: Started | types.Translation | types.Brief, id_: str = ""
) -> brief_pb2.StreamBriefResponse:
    """Write one step of `StreamBrief`; `id_` is the caller's id of the release."""
    match event:
        case Started():
            started = brief_pb2.BriefStarted(
                detection=detection_message(event.detection), sentence_count=event.sentence_count
            )
            return brief_pb2.StreamBriefResponse(started=started)
        case types.Translation():
            return brief_pb2.StreamBriefResponse(sentence=translation_message(event))
        case types.Brief():
            return brief_pb2.StreamBriefResponse(brief=brief_message(event, id_))


def translate_response(
    translated: TranslatedRelease, id_: str = ""
) -> translation_pb2.TranslateResponse:
    """Write the reply to `Translate`; `id_` is the caller's id of the release."""
    return translation_pb2.TranslateResponse(
        id=id_,
        detection=detection_message(translated.detection),
        translation=[translation_message(t) for t in translated.translations],
        signature=_signature(translated.signature),
        timings=_timings(translated.timings),
        glossary=[_glossary_use(use) for use in translated.glossary],
    )


def summarise_response(summary: Summary) -> summarisation_pb2.SummariseResponse:
    """Write the reply to `Summarise`."""
    return summarisation_pb2.SummariseResponse(
        sentences=[
            _summary_sentence(sentence, {s.index: s for s in summary.text})
            for sentence in summary.sentences
        ],
        signature=_signature(summary.signature),
        timings=_timings(summary.timings),
    )


def model_message(status: ModelStatus) -> model_pb2.Model:
    """Write a model and its state."""
    return model_pb2.Model(
        name=status.name,
        task=status.task,
        revision=status.revision,
        languages=status.languages,
        licence=status.licence,
        digest=status.digest,
        quantisation=status.quantisation,
        size_bytes=status.size_bytes,
        state=MODEL_STATES[status.state],
        routes=status.routes,
    )


def brief_message(brief: types.Brief, id_: str = "") -> types_pb2.Brief:
    """Write a brief; `id_` is the caller's id of the release."""
    sentences = {t.sentence.index: t.sentence for t in brief.translations}
    return types_pb2.Brief(
        id=id_,
        headline=_brief_sentence(brief.headline, sentences),
        key_sentences=[_brief_sentence(s, sentences) for s in brief.key_sentences],
        detection=detection_message(brief.detection),
        translation=[translation_message(t) for t in brief.translations],
        signature=_signature(brief.signature),
        timings=_timings(brief.timings),
        incomplete=bool(brief.missing),
        missing=[_untranslated(sentence) for sentence in brief.missing],
        glossary=[_glossary_use(use) for use in brief.glossary],
    )


def detection_message(detection: types.Detection) -> types_pb2.Detection:
    """Write a language and how sure it is."""
    return types_pb2.Detection(language=detection.language.value, confidence=detection.confidence)


def translation_message(translation: types.Translation) -> types_pb2.TranslatedSentence:
    """Write a sentence and its English."""
    message = _untranslated(translation.sentence)
    english = types_pb2.TranslatedSentence(
        text=translation.text,
        score=translation.score,
        decoding=DECODINGS[translation.decoding],
        findings=findings_messages(translation.findings),
    )
    message.MergeFrom(english)
    return message


def findings_messages(findings: Sequence[types.Finding]) -> list[types_pb2.Finding]:
    """Write what the checks found."""
    return [
        types_pb2.Finding(
            kind=FINDING_KINDS[finding.kind],
            message=finding.message,
            expected=finding.expected,
            found=finding.found,
            source_span=_text_span(finding.source_span),
            target_span=_text_span(finding.target_span),
        )
        for finding in findings
    ]


def _glossary_use(use: types.GlossaryUse) -> types_pb2.GlossaryUse:
    return types_pb2.GlossaryUse(
        term=types_pb2.GlossaryTerm(source=use.term.source, target=use.term.target),
        outcome=GLOSSARY_OUTCOMES[use.outcome],
        places=[
            types_pb2.GlossaryPlace(
                sentence_index=place.sentence,
                source_span=_text_span(place.source_span),
                target_span=_text_span(place.target_span),
            )
            for place in use.places
        ],
    )


def _untranslated(sentence: types.Sentence) -> types_pb2.TranslatedSentence:
    return types_pb2.TranslatedSentence(
        index=sentence.index,
        block_kind=BLOCK_KINDS[sentence.kind],
        block=sentence.block,
        source_span=_source_span(sentence),
        source=sentence.source,
        normalised_source=sentence.text,
    )


def _brief_sentence(
    sentence: types.BriefSentence, sentences: Mapping[int, types.Sentence]
) -> types_pb2.BriefSentence:
    return types_pb2.BriefSentence(
        text=sentence.text,
        sentence_indices=sentence.sources,
        source_spans=[_source_span(sentences[index]) for index in sentence.sources],
        findings=findings_messages(sentence.findings),
        strategy=STRATEGIES[sentence.strategy],
    )


def _summary_sentence(
    sentence: types.BriefSentence, text: Mapping[int, types.Sentence]
) -> summarisation_pb2.SummarySentence:
    spans = [_source_span(text[index]) for index in sentence.sources]
    return summarisation_pb2.SummarySentence(
        text=sentence.text,
        source_span=spans[0],
        source_spans=spans,
        findings=findings_messages(sentence.findings),
        strategy=STRATEGIES[sentence.strategy],
    )


def _source_span(sentence: types.Sentence) -> types_pb2.SourceSpan:
    return types_pb2.SourceSpan(
        field=SOURCE_FIELDS[sentence.origin], start=sentence.span.start, end=sentence.span.end
    )


def _text_span(span: Span | None) -> types_pb2.TextSpan | None:
    return None if span is None else types_pb2.TextSpan(start=span.start, end=span.end)


def _signature(signature: types.Signature) -> types_pb2.Signature:
    return types_pb2.Signature(
        service_version=signature.service_version,
        splitter_version=signature.splitter_version,
        models=[
            types_pb2.ModelIdentity(
                task=model.task,
                name=model.name,
                revision=model.revision,
                digest=model.digest,
                quantisation=model.quantisation,
                licence=model.licence,
            )
            for model in signature.models
        ],
        options=signature.options,
        line=str(signature),
    )


def _timings(timings: types.Timings) -> types_pb2.Timings:
    return types_pb2.Timings(
        stages=[
            types_pb2.Timings.Stage(name=name, duration=_duration(seconds))
            for name, seconds in timings.stages.items()
        ],
        queue_wait=_duration(timings.queue),
    )


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(round(seconds * 1e9))
    return duration
