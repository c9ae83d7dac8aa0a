"""What a summary's sentence says that the English it rests on doesn't: figures, names, quotations.

What it leaves out is its business. What it adds is an error, so doubts count against it: a sentence
of the translation can take its place.
"""

import re
from collections.abc import Iterator

from depesche.fidelity.dates import ENGLISH_MONTHS, ENGLISH_WEEKDAYS
from depesche.fidelity.figures import check_figures, check_small_figures
from depesche.fidelity.repetition import check_repetition
from depesche.fidelity.romanise import alike, fold
from depesche.fidelity.shape import is_empty
from depesche.fidelity.target import Target, plain
from depesche.text.quotes import quotations
from depesche.types import Finding, FindingKind, Language, Span

__all__ = ["check_abridged"]

_INVENTED_FIGURES = frozenset(
    {
        FindingKind.NUMBER_INVENTED,
        FindingKind.DATE_INVENTED,
        FindingKind.PERCENTAGE_INVENTED,
        FindingKind.AMOUNT_INVENTED,
    }
)
# A name, with what hangs on it by a hyphen, an apostrophe or a dot: Saint-Denis, O'Neill, U.S.
_NAME = re.compile(r"(?<![^\W_])[A-ZÀ-ÖØ-ÞŁŚŠŽ][\w]*(?:[-'’.&](?=\w)[\w]+)*")
_OPENING = re.compile(r"(?:^|[.!?:]['\"”’)]*\s+)['\"“‘(]*$")
# Words that open sentences and name nobody.
_OPENING_WORDS = """
a about according after all also although among an and another any around as at based because before
both but by despite during each every few following for former from having he her here his how
however i if in including instead it its just last less many meanwhile more most much neither new
next no not now of officials on once one only or other others our over people police several she
since so some speaking such that the their then there these they this those though through to today
tomorrow two under until up we what when where whether which while who why with without yesterday
"""
_OPENERS = frozenset(_OPENING_WORDS.split())
# Months and days of the week are figures.
_CALENDAR = frozenset(map(str.casefold, (*ENGLISH_MONTHS, *ENGLISH_WEEKDAYS)))
_NO_NAMES = frozenset({"i", "mr", "mrs", "ms", "dr", "prof"}) | _CALENDAR
# Germany and German; looser, Austria would pass for Australia.
_LIKENESS = 0.85
_MOST_FINDINGS = 100
_LEAST_QUOTED_WORDS = 2


def check_abridged(source: str, target: str) -> tuple[Finding, ...]:
    """Compare a sentence of a summary with the English sentences that it rests on.

    Args:
        source: those sentences, joined.
        target: the summary's.

    Returns:
        What stands in `target` and not in `source`: figures by value, names by their letters,
        quotations by their wording; and loops. Only EMPTY where nothing is said.
    """
    if is_empty(target):
        return (Finding(FindingKind.EMPTY, "The summary's sentence says nothing"),)
    figures = check_figures(source, target, Language.ENGLISH)
    found = (
        *(finding for finding in figures if finding.kind in _INVENTED_FIGURES),
        *check_small_figures(source, target),
        *_names(source, target),
        *_quotations(source, target),
        *check_repetition(source, target),
    )
    return tuple(dict.fromkeys(found))[:_MOST_FINDINGS]


def _names(source: str, target: str) -> Iterator[Finding]:
    """Find capitalised words that the source lacks.

    At a sentence's beginning any word is capitalised: there, only one that opens no sentence by its
    nature is taken for a name, and no harm comes of being wrong.
    """
    written = Target(source)
    for match in _NAME.finditer(target):
        name = match[0]
        opens = _OPENING.search(target, 0, match.start()) is not None
        if plain(name) in _NO_NAMES or (opens and plain(name) in _OPENERS):
            continue
        if not _is_written(name, written) and not any(c.isdigit() for c in name):
            yield Finding(
                FindingKind.NAME_INVENTED,
                f'"{name}" stands in the summary and not in the sentences that it rests on',
                found=name,
                target_span=Span(*match.span()),
            )


def _is_written(name: str, written: Target) -> bool:
    if written.holds(name) or written.joins(name) or written.spells_out(plain(name)):
        return True
    parts = [part for part in re.split(r"[-'’.&]", name) if part]
    if len(parts) > 1 and all(written.holds(part) for part in parts):
        return True
    return alike(fold(name), written.names, _LIKENESS)


def _quotations(source: str, target: str) -> Iterator[Finding]:
    """Find quotations whose words the source doesn't hold in this order."""
    said = f" {plain(source)} "
    quoted_there = bool(quotations(source))
    for span in quotations(target):
        words = plain(target[span.start : span.end])
        if len(words.split()) < _LEAST_QUOTED_WORDS or (quoted_there and f" {words} " in said):
            continue
        yield Finding(
            FindingKind.QUOTATION_INVENTED,
            "The summary quotes what the sentences that it rests on don't",
            found=target[span.start : span.end],
            target_span=span,
        )
