"""Reads the figures of a text: numbers, dates, times, percentages and amounts of money."""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from depesche.fidelity.figure import Figure, FigureKind, Key, Meaning, number_keys
from depesche.fidelity.figure_dates import (
    read_clock,
    read_day,
    read_khmer_clock,
    read_month,
    read_noon,
    read_weekday,
)
from depesche.fidelity.figure_quantities import (
    read_number,
    read_prefixed_amount,
    read_roman,
    read_slashed,
    unit_of,
)
from depesche.fidelity.figure_shares import read_share
from depesche.fidelity.lexicon import Term
from depesche.fidelity.scan import Scan
from depesche.types import Language

__all__ = ["Reading", "read_figures"]

_Rule = Callable[[Scan, int], Figure | None]

# The rules for each kind of token, most particular first.
_RULES: Mapping[Term, Sequence[_Rule]] = {
    Term.NUMERAL: (read_day, read_clock, read_slashed, read_number),
    Term.ORDINAL: (read_day, read_number),
    Term.CARDINAL: (read_share, read_number),
    Term.ARTICLE: (read_share, read_number),
    Term.MONTH: (read_month,),
    Term.SHORT_MONTH: (read_month,),
    Term.WEEKDAY: (read_weekday,),
    Term.HOUR: (read_khmer_clock,),
    Term.NOON: (read_noon,),
    Term.ROMAN: (read_roman,),
    Term.SIGN: (read_prefixed_amount,),
}
_LINK = re.compile(r"[ -]*(?:(?:to|and|or|bis|und|oder|zu|до|по|и|или|ដល់|ទៅ|និង|,|/)[ -]*){0,2}")
_MONTHS = (Term.MONTH, Term.SHORT_MONTH)
_LONGEST_LINK = 16


@dataclass(frozen=True, slots=True)
class Reading:
    """The figures of a text.

    Attributes:
        figures: in the order of the text.
        mentions: a key for each unit and month that the text names anywhere.
    """

    figures: tuple[Figure, ...]
    mentions: frozenset[Key]


def read_figures(text: str, language: Language) -> Reading:
    """Read all figures of `text`, in time linear in its length."""
    scan = Scan(text, language)
    units = {("mention", unit_of(token)) for token in scan.tokens if unit_of(token)}
    months = {("month", Decimal(token.value)) for token in scan.tokens if token.term in _MONTHS}
    return Reading(tuple(_linked(scan, _figures(scan))), frozenset(units | months))


def _figures(scan: Scan) -> list[Figure]:
    figures = []
    at = 0
    while at < len(scan.tokens):
        figure = _figure(scan, at)
        if figure:
            figures.append(figure)
        at = scan.index(figure.span.end) if figure else at + 1
    return figures


def _figure(scan: Scan, at: int) -> Figure | None:
    rules = _RULES.get(scan.tokens[at].term, (read_number,))
    return next((figure for rule in rules if (figure := rule(scan, at))), None)


def _linked(scan: Scan, figures: list[Figure]) -> list[Figure]:
    """Let figures that stand in one range or list share unit, scale and century.

    In "5 to 7 million euros" the 5 may be euros and millions too, in "$5-7" the 7 dollars, in
    "1995-96" the 96 a year.
    """
    linked = list(figures)
    for index in range(len(linked) - 2, -1, -1):
        first, second = linked[index : index + 2]
        start, end = first.span.end, second.span.start
        if end - start <= _LONGEST_LINK and _LINK.fullmatch(scan.folded, start, end):
            linked[index] = _widened(first, second.unit, second.scale)
            linked[index + 1] = _widened(second, first.unit, Decimal(1), _century(first))
    return linked


def _widened(figure: Figure, unit: str, scale: Decimal, century: int = 0) -> Figure:
    """Add the meanings that a figure has with the unit, scale or century of its neighbour."""
    if not figure.values or (figure.unit and unit not in ("", figure.unit)):
        return figure
    scaled = [value * scale for value in figure.values] if figure.scale == 1 else []
    keys = figure.meaning.keys | number_keys(*scaled, unit=figure.unit)
    keys |= number_keys(*figure.values, *scaled, unit=figure.unit or unit)
    if century and figure.values[0] < 100:  # noqa: PLR2004 -- two digits
        keys |= number_keys(century + figure.values[0])
    return dataclasses.replace(figure, meaning=Meaning(keys, figure.meaning.hints))


def _century(figure: Figure) -> int:
    """Tell the century of a lone year, as 1900 for 1995, else 0."""
    if figure.kind is not FigureKind.DATE or not figure.values:
        return 0
    return int(figure.values[0]) // 100 * 100
