"""The limits on a request, checked before any work is done on it.

Field names are the paths of the request messages in proto/depesche/v1.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import islice

from depesche.config import Settings
from depesche.errors import InvalidRequest, Violation
from depesche.types import BriefOptions, ContentFormat, GlossaryTerm, Release

__all__ = ["check_glossary", "check_options", "check_release"]

# No one mends more at a time, and an error must fit into a header.
_MOST_VIOLATIONS = 20


def check_release(release: Release, settings: Settings) -> None:
    """Refuse a release that is empty, over a limit, or has a title beside lines.

    A title would be a block of its own and shift the numbers of the lines.

    Raises:
        InvalidRequest: names every field that breaks a rule, and the rule.
    """
    violations = [
        *_length("release.text", release.text, settings.max_text_characters),
        *_length("release.title", release.title, settings.max_title_characters),
    ]
    if not release.text.strip():
        violations.append(Violation("release.text", "must hold more than white space"))
    if release.title and release.content_format is ContentFormat.LINES:
        violations.append(Violation("release.title", "can't be given with lines"))
    _refuse(violations)


def check_options(options: BriefOptions, settings: Settings) -> None:
    """Refuse options out of their range, and a glossary as `check_glossary` does.

    Raises:
        InvalidRequest: names the option and its range.
    """
    check_glossary(options.glossary, settings)
    if not 1 <= options.sentence_count <= settings.max_key_sentences:
        rule = f"must be from 1 to {settings.max_key_sentences}, not {options.sentence_count}"
        _refuse([Violation("options.sentence_count", rule)])


def check_glossary(
    glossary: Sequence[GlossaryTerm], settings: Settings, field: str = "options.glossary"
) -> None:
    """Refuse a glossary over a limit, or with terms that are empty or stand in it twice.

    Args:
        glossary: the terms.
        settings: the limits.
        field: what to call it.

    Raises:
        InvalidRequest: names the first 20 fields that break a rule, and the rule.
    """
    most = settings.max_glossary_terms
    if len(glossary) > most:
        _refuse([Violation(field, f"holds {len(glossary)} terms; the limit is {most}")])
    longest = settings.max_term_characters
    _refuse(list(islice(_term_violations(glossary, longest, field), _MOST_VIOLATIONS)))


def _term_violations(
    glossary: Sequence[GlossaryTerm], longest: int, field: str
) -> Iterator[Violation]:
    first: dict[str, int] = {}
    for number, term in enumerate(glossary):
        source, target = f"{field}[{number}].source", f"{field}[{number}].target"
        yield from _length(source, term.source, longest)
        yield from _length(target, term.target, longest)
        if not any(map(str.isalnum, term.source)):
            yield Violation(source, "must hold a letter or digit")
        if term.target and not any(map(str.isalnum, term.target)):
            yield Violation(target, "must hold a letter or digit, or be empty")
        same = first.setdefault(_key(term.source), number)
        if same != number:
            yield Violation(source, f"is the same as {field}[{same}].source")


def _key(source: str) -> str:
    return " ".join(unicodedata.normalize("NFC", source).split())


def _length(field: str, text: str, limit: int) -> list[Violation]:
    if len(text) <= limit:
        return []
    return [Violation(field, f"has {len(text)} characters; the limit is {limit}")]


def _refuse(violations: list[Violation]) -> None:
    if violations:
        raise InvalidRequest(violations)
