"""What must hold of a request before it becomes a value of the pipeline.

The limits on a release's text are not checked here but by the pipeline itself, for every caller.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import TypeVar

from depesche.config import Settings
from depesche.errors import (
    InvalidRequest,
    LanguageUnsupported,
    RequestError,
    Violation,
)
from depesche.server.convert import CONTENT_FORMATS, PRIORITIES, STRATEGIES
from depesche.server.wire import check_known
from depesche.types import (
    BriefOptions,
    ContentFormat,
    GlossaryTerm,
    Language,
    Priority,
    Release,
    SummaryStrategy,
)
from depesche.v1 import (
    brief_pb2,
    fidelity_pb2,
    model_pb2,
    summarisation_pb2,
    translation_pb2,
    types_pb2,
)
from depesche.validation import check_glossary

__all__ = [
    "RELEASE_PATHS",
    "TEXT_PATHS",
    "BriefRequest",
    "brief_arguments",
    "check_arguments",
    "model_argument",
    "renamed",
    "summarise_arguments",
    "translate_arguments",
]

RELEASE_PATHS: Mapping[str, str] = MappingProxyType({"language": "release.language"})
"""The paths in a request for a release that the pipeline names otherwise."""

TEXT_PATHS: Mapping[str, str] = MappingProxyType(
    {
        "release.text": "text",
        "language": "text",
        "options.sentence_count": "sentence_count",
        "options.strategy": "strategy",
        "options.summary_model": "summary_model",
    }
)
"""The paths in a request for a text that the pipeline names otherwise."""

# The codes of ISO 639-1, from https://www.loc.gov/standards/iso639-2/php/code_list.php.
_ISO_639_1 = re.compile(
    r"a[abefkmnrsvyz]|b[aegimnors]|c[aehorsuvy]|d[aevz]|e[elnostu]|f[afijory]|g[adlnuv]"
    r"|h[aeiortuyz]|i[adegikostu]|j[av]|k[agijklmnorsuvwy]|l[abginotuv]|m[ghiklnrsty]"
    r"|n[abdeglnorvy]|o[cjmrs]|p[ailst]|qu|r[mnouw]|s[acdegiklmnoqrstuvw]|t[aeghiklnorstwy]"
    r"|u[gkrz]|v[eio]|w[ao]|xh|y[io]|z[ahu]"
)
_SHORT_CODE = re.compile(r"[A-Za-z_-]{1,12}")
_MODEL_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_DEFAULTS = BriefOptions()

_Member = TypeVar("_Member")

BriefRequest = (
    brief_pb2.CreateBriefRequest | brief_pb2.StreamBriefRequest | brief_pb2.BriefReleasesRequest
)
"""The requests for briefs; they have the same fields."""


def brief_arguments(request: BriefRequest, max_id: int) -> tuple[Release, BriefOptions]:
    """Read a request for a brief.

    Args:
        request: the request.
        max_id: most characters of the caller's id.

    Raises:
        InvalidRequest: names every field that breaks a rule.
        LanguageUnsupported: the request names a language that isn't one of ours.
    """
    check_known(request)
    release = _release(request, max_id)
    options = request.options
    count = options.sentence_count if options.HasField("sentence_count") else None
    asked = _options(count, options.strategy, options.priority)
    return release, replace(
        asked,
        reproducible=options.reproducible,
        allow_incomplete=options.allow_incomplete,
        translation_model=options.translation_model,
        summary_model=options.summary_model,
        glossary=_glossary(options.glossary),
    )


def translate_arguments(
    request: translation_pb2.TranslateRequest, max_id: int
) -> tuple[Release, BriefOptions]:
    """Read a request for a translation; raises as `brief_arguments` does."""
    check_known(request)
    release = _release(request, max_id)
    options = request.options
    return release, BriefOptions(
        priority=_member(PRIORITIES, options.priority, _DEFAULTS.priority),
        reproducible=options.reproducible,
        translation_model=options.translation_model,
        glossary=_glossary(options.glossary),
    )


def summarise_arguments(
    request: summarisation_pb2.SummariseRequest,
) -> tuple[Release, BriefOptions]:
    """Read a request for a summary.

    Raises:
        InvalidRequest: names every field that breaks a rule.
    """
    check_known(request)
    content_format = _member(CONTENT_FORMATS, request.content_format, ContentFormat.PLAIN)
    count = request.sentence_count if request.HasField("sentence_count") else None
    options = _options(count, request.strategy, types_pb2.PRIORITY_UNSPECIFIED)
    release = Release(request.text, content_format, language=Language.ENGLISH)
    return release, replace(options, summary_model=request.summary_model)


def check_arguments(
    request: fidelity_pb2.CheckSentenceRequest, settings: Settings
) -> tuple[str, Sequence[str], Language, Sequence[GlossaryTerm]]:
    """Read a request for a check: the English, its sources, their language, and the glossary.

    Args:
        request: the request.
        settings: the limits.

    Raises:
        InvalidRequest: names every field that breaks a rule.
        LanguageUnsupported: the request names a language that isn't one of ours.
    """
    check_known(request)
    limit = settings.max_checked_characters
    violations = [
        *_length_violations("text", request.text, limit),
        *_length_violations("sources", " ".join(request.sources), limit),
    ]
    violations += _language_violations(request.language, "language")
    language = None if violations else _language(request.language, "language")
    if language is None:
        raise InvalidRequest(violations or [Violation("language", "is required")])
    glossary = _glossary(request.glossary)
    check_glossary(glossary, settings, "glossary")
    return request.text, request.sources, language, glossary


def model_argument(request: model_pb2.GetModelRequest) -> str:
    """Read the name of the model that is asked for.

    Raises:
        InvalidRequest: there is none, it can't be a name, or the request holds an unknown field.
    """
    check_known(request)
    if not request.name:
        raise InvalidRequest([Violation("name", "is required")])
    # The error for an unknown name repeats it, and may be logged.
    if not _MODEL_NAME.fullmatch(request.name):
        rule = "must be 1 to 64 letters and digits of ASCII, dots, hyphens or underscores"
        raise InvalidRequest([Violation("name", rule)])
    return request.name


@contextmanager
def renamed(paths: Mapping[str, str]) -> Iterator[None]:
    """Give the errors raised within the field paths of the request at hand.

    The pipeline names fields by their paths in a request for a brief.

    Args:
        paths: the request's own path for each of the pipeline's paths that differs.
    """
    try:
        yield
    except RequestError as error:
        if any(v.field in paths for v in error.violations):
            error.violations = tuple(
                replace(v, field=paths.get(v.field, v.field)) for v in error.violations
            )
            error.args = ("; ".join(f"{v.field}: {v.description}" for v in error.violations),)
        raise


def _release(request: BriefRequest | translation_pb2.TranslateRequest, max_id: int) -> Release:
    if not request.HasField("release"):
        raise InvalidRequest([Violation("release", "is required")])
    release = request.release
    violations = [
        *_id_violations(release.id, max_id),
        *_language_violations(release.language, "release.language"),
    ]
    if violations:
        raise InvalidRequest(violations)
    return Release(
        text=release.text,
        content_format=_member(CONTENT_FORMATS, release.content_format, ContentFormat.PLAIN),
        title=release.title,
        language=_language(release.language, "release.language"),
    )


def _options(
    count: int | None,
    strategy: types_pb2.SummaryStrategy.ValueType,
    priority: types_pb2.Priority.ValueType,
) -> BriefOptions:
    return BriefOptions(
        sentence_count=_DEFAULTS.sentence_count if count is None else count,
        strategy=_member(STRATEGIES, strategy, SummaryStrategy.EXTRACTIVE),
        priority=_member(PRIORITIES, priority, Priority.INTERACTIVE),
    )


def _member(numbers: Mapping[_Member, int], number: int, default: _Member) -> _Member:
    """Give the member of a number; `default` for the one that stands for none."""
    return next((member for member, known in numbers.items() if known == number), default)


def _id_violations(id_: str, limit: int) -> Iterator[Violation]:
    if len(id_) > limit:
        yield Violation("release.id", f"has {len(id_)} characters; the limit is {limit}")


def _length_violations(field: str, text: str, limit: int) -> Iterator[Violation]:
    if not text.strip():
        yield Violation(field, "must hold more than white space")
    elif len(text) > limit:
        yield Violation(field, f"has {len(text)} characters; the limit is {limit}")


def _language_violations(code: str, field: str) -> Iterator[Violation]:
    if code in ("", "auto") or _ISO_639_1.fullmatch(code):
        return
    names = ", ".join(sorted(Language))
    # A long value may be text of the release in the wrong field, which no error may hold.
    but = f", not '{code}'" if _SHORT_CODE.fullmatch(code) else ""
    yield Violation(field, f"must be one of {names} or empty{but}")


def _language(code: str, field: str) -> Language | None:
    if code in ("", "auto"):
        return None
    try:
        return Language(code)
    except ValueError:
        with renamed({"language": field}):
            raise LanguageUnsupported(code, list(Language)) from None


def _glossary(terms: Sequence[types_pb2.GlossaryTerm]) -> tuple[GlossaryTerm, ...]:
    return tuple(GlossaryTerm(term.source, term.target) for term in terms)
