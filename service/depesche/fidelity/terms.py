"""Check that the English of the glossary stands where its terms do."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from depesche.text.terms import TermPlace
from depesche.types import (
    Finding,
    FindingKind,
    GlossaryOutcome,
    GlossaryPlace,
    GlossaryTerm,
    GlossaryUse,
    Span,
)

__all__ = ["Free", "check_terms", "find_english", "outcomes", "pattern", "without_terms"]

_BETWEEN = re.compile(r"[\s‐‑-]+")
_ENDING = r"(?P<ending>['’]?s|['’](?=\s)|i?es|)"
_PATTERNS = 2_000


def find_english(target: str, places: Sequence[TermPlace]) -> list[Span | None]:
    """Find the English of each term in the English of their sentence.

    Case is of no account but in abbreviations, nor are hyphens between words; a plural or a
    genitive ending may follow. Each place needs words of its own: of places with the same English,
    the first ones have it if there is too little; a longer English goes before one that is part of
    it.

    Args:
        target: the English of the sentence.
        places: its terms.
    """
    found: list[Span | None] = [None] * len(places)
    free = Free(target)
    by_forms: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for at, place in enumerate(places):
        by_forms[place.forms].append(at)
    for forms in sorted(by_forms, key=lambda forms: -len(forms[0])):
        waiting = iter(by_forms[forms])
        for form in forms:
            matches = (match for match in pattern(form).finditer(target) if free.holds(match))
            for match, at in zip(matches, waiting, strict=False):
                free.take(match.span())
                found[at] = Span(*match.span())
    return found


def check_terms(source: str, target: str, places: Sequence[TermPlace]) -> list[Finding]:
    """Find the terms whose English isn't there.

    Args:
        source: the sentence, normalised.
        target: its English.
        places: the terms that stand in `source`.
    """
    spans = find_english(target, places) if places else []
    return [
        _missing(source[place.span.start : place.span.end], place)
        for place, span in zip(places, spans, strict=True)
        if span is None
    ]


def without_terms(
    findings: Iterable[Finding], target: str, places: Sequence[TermPlace]
) -> tuple[Finding, ...]:
    """Leave out what other checks find wrong with a term's English, where it stands.

    The glossary may give a term English that holds a name or a figure that the source lacks, or
    lacks one that the source holds, or isn't English at all.

    Args:
        findings: what the other checks found.
        target: the English of the sentence.
        places: its terms.
    """
    if not places:
        return tuple(findings)
    there = [
        (place.span, span)
        for place, span in zip(places, find_english(target, places), strict=True)
        if span is not None
    ]
    return tuple(
        finding
        for finding in findings
        if not any(
            _within(finding.source_span, source) or _within(finding.target_span, english)
            for source, english in there
        )
    )


def outcomes(
    terms: Sequence[GlossaryTerm],
    places: Mapping[int, Sequence[TermPlace]],
    english: Mapping[int, str],
) -> tuple[GlossaryUse, ...]:
    """Tell what became of each term.

    Args:
        terms: the glossary.
        places: where its terms stand, by the sentence's index.
        english: the English of each sentence; those that have none lack the English of terms too.
    """
    found: list[list[GlossaryPlace]] = [[] for _ in terms]
    for index, of_sentence in sorted(places.items()):
        spans = find_english(english.get(index, ""), of_sentence)
        for place, span in zip(of_sentence, spans, strict=True):
            found[place.number].append(GlossaryPlace(index, place.span, span))
    return tuple(
        GlossaryUse(term, _outcome(there), tuple(there))
        for term, there in zip(terms, found, strict=True)
    )


def _outcome(places: Sequence[GlossaryPlace]) -> GlossaryOutcome:
    if not places:
        return GlossaryOutcome.NOT_MATCHED
    if all(place.target_span is not None for place in places):
        return GlossaryOutcome.APPLIED
    return GlossaryOutcome.REFUSED


class Free:
    """Which characters of a text aren't taken yet."""

    def __init__(self, text: str) -> None:
        self._taken = bytearray(len(text))

    def holds(self, match: re.Match[str]) -> bool:
        """Tell whether nothing of a match is taken."""
        return not any(self._taken[match.start() : match.end()])

    def take(self, span: tuple[int, int]) -> None:
        """Take the characters of a range."""
        start, end = span
        self._taken[start:end] = b"\1" * (end - start)


@lru_cache(_PATTERNS)
def pattern(form: str) -> re.Pattern[str]:
    """Make a pattern of English words, with their ending as the group `ending`.

    Hyphens and spaces between words are alike; case counts in abbreviations alone.
    """
    words = [re.escape(w) if _is_abbreviation(w) else f"(?i:{re.escape(w)})" for w in _words(form)]
    if form[-1:] == "y" and words[-1].endswith("y)"):  # ministry, ministries
        words[-1] = f"{words[-1][:-2]})(?:y|(?=ies))"
    before = r"(?<![^\W_])" if form[:1].isalnum() else ""
    ending, after = (_ENDING, r"(?![^\W_])") if form[-1:].isalnum() else ("(?P<ending>)", "")
    return re.compile(before + r"[\s‐‑-]+".join(words) + ending + after)


def _words(form: str) -> list[str]:
    return [word for word in _BETWEEN.split(form) if word] or [form]


def _is_abbreviation(word: str) -> bool:
    return word.isupper() and len(word) > 1


def _missing(term: str, place: TermPlace) -> Finding:
    expected = place.forms[0]
    return Finding(
        FindingKind.TERM_MISSING,
        f'"{expected}", which the glossary has for "{term}", is missing from the English',
        expected=expected,
        source_span=place.span,
    )


def _within(inner: Span | None, outer: Span) -> bool:
    return inner is not None and outer.start <= inner.start and inner.end <= outer.end
