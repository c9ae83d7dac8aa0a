"""The calls of the service: what each sends, and what of the reply its caller wants."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from depesche.errors import InvalidRequest, Violation
from depesche.types import BriefOptions, ContentFormat, GlossaryTerm, Release
from depesche.v1 import (
    brief_pb2,
    fidelity_pb2,
    model_pb2,
    summarisation_pb2,
    translation_pb2,
    types_pb2,
)

__all__ = [
    "Unary",
    "brief",
    "brief_options",
    "check",
    "detect",
    "feed",
    "model",
    "models",
    "reload_models",
    "stream",
    "summarise",
    "translate",
]

_MAX_INT32 = 2**31 - 1

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Unary(Generic[_Result]):
    """A call with one request and one reply.

    Attributes:
        service: the service's name, without its package.
        method: the method's name.
        request: what it sends.
        result: picks from the reply what the caller wants.
    """

    service: str
    method: str
    request: Message
    result: Callable[[Any], _Result]


def brief(
    release: Release, options: BriefOptions | None, release_id: str
) -> Unary[types_pb2.Brief]:
    """Ask for a brief."""
    request = brief_pb2.CreateBriefRequest(
        release=_release(release, release_id), options=brief_options(options)
    )
    return Unary("BriefService", "CreateBrief", request, lambda reply: reply.brief)


def stream(
    release: Release, options: BriefOptions | None, release_id: str
) -> brief_pb2.StreamBriefRequest:
    """Ask for a brief with progress."""
    return brief_pb2.StreamBriefRequest(
        release=_release(release, release_id), options=brief_options(options)
    )


def feed(
    release: Release, options: brief_pb2.BriefOptions, release_id: str
) -> brief_pb2.BriefReleasesRequest:
    """Ask for one brief of a feed, by the options of all of it."""
    return brief_pb2.BriefReleasesRequest(release=_release(release, release_id), options=options)


def translate(
    release: Release, options: BriefOptions | None, release_id: str
) -> Unary[translation_pb2.TranslateResponse]:
    """Ask for a translation, by the options that aren't the brief's."""
    asked = options or BriefOptions()
    request = translation_pb2.TranslateRequest(
        release=_release(release, release_id),
        options=translation_pb2.TranslateOptions(
            priority=types_pb2.Priority.Value(f"PRIORITY_{asked.priority.name}"),
            reproducible=asked.reproducible,
            translation_model=asked.translation_model,
            glossary=_glossary(asked.glossary),
        ),
    )
    return Unary("TranslationService", "Translate", request, _whole)


def detect(text: str) -> Unary[types_pb2.Detection]:
    """Ask for the language of a text."""
    request = translation_pb2.DetectLanguageRequest(text=text)
    return Unary("TranslationService", "DetectLanguage", request, lambda reply: reply.detection)


def summarise(
    release: Release, options: BriefOptions | None
) -> Unary[summarisation_pb2.SummariseResponse]:
    """Ask for the key sentences of an English text."""
    asked = options or BriefOptions()
    request = summarisation_pb2.SummariseRequest(
        text=release.text,
        content_format=_content_format(release.content_format),
        sentence_count=_sentence_count(asked),
        strategy=types_pb2.SummaryStrategy.Value(f"SUMMARY_STRATEGY_{asked.strategy.name}"),
        summary_model=asked.summary_model,
    )
    return Unary("SummarisationService", "Summarise", request, _whole)


def check(
    text: str,
    sources: Sequence[str],
    language: str,
    *,
    abridged: bool,
    glossary: Sequence[GlossaryTerm],
) -> Unary[list[types_pb2.Finding]]:
    """Ask what is wrong with a sentence."""
    request = fidelity_pb2.CheckSentenceRequest(
        text=text,
        sources=sources,
        language=language,
        abridged=abridged,
        glossary=_glossary(glossary),
    )
    return Unary("FidelityService", "CheckSentence", request, lambda reply: list(reply.findings))


def models() -> Unary[list[model_pb2.Model]]:
    """Ask for all models."""
    return Unary(
        "ModelService",
        "ListModels",
        model_pb2.ListModelsRequest(),
        lambda reply: list(reply.models),
    )


def model(name: str) -> Unary[model_pb2.Model]:
    """Ask for one model."""
    request = model_pb2.GetModelRequest(name=name)
    return Unary("ModelService", "GetModel", request, lambda reply: reply.model)


def reload_models() -> Unary[list[model_pb2.Model]]:
    """Ask to load the models anew."""
    request = model_pb2.ReloadModelsRequest()
    return Unary("ModelService", "ReloadModels", request, lambda reply: list(reply.models))


def brief_options(options: BriefOptions | None) -> brief_pb2.BriefOptions:
    """Write what is asked of a brief."""
    asked = options or BriefOptions()
    return brief_pb2.BriefOptions(
        sentence_count=_sentence_count(asked),
        strategy=types_pb2.SummaryStrategy.Value(f"SUMMARY_STRATEGY_{asked.strategy.name}"),
        priority=types_pb2.Priority.Value(f"PRIORITY_{asked.priority.name}"),
        reproducible=asked.reproducible,
        allow_incomplete=asked.allow_incomplete,
        translation_model=asked.translation_model,
        summary_model=asked.summary_model,
        glossary=_glossary(asked.glossary),
    )


def _glossary(terms: Sequence[GlossaryTerm]) -> list[types_pb2.GlossaryTerm]:
    return [types_pb2.GlossaryTerm(source=t.source, target=t.target) for t in terms]


def _whole(reply: Any) -> Any:
    return reply


def _release(release: Release, release_id: str) -> types_pb2.Release:
    return types_pb2.Release(
        id=release_id,
        text=release.text,
        content_format=_content_format(release.content_format),
        title=release.title,
        language=release.language or "",
    )


def _sentence_count(options: BriefOptions) -> int:
    """Give the number of key sentences, which the service checks if a message can hold it."""
    if abs(options.sentence_count) > _MAX_INT32:
        raise InvalidRequest([Violation("options.sentence_count", "is out of range")])
    return options.sentence_count


def _content_format(content_format: ContentFormat) -> types_pb2.ContentFormat.ValueType:
    return types_pb2.ContentFormat.Value(f"CONTENT_FORMAT_{content_format.name}")
