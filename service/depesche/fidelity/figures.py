"""Checks that a translation keeps the figures of its source: numbers, dates, shares and amounts."""

from decimal import Decimal
from itertools import islice

from depesche.fidelity.bounds import read_bound
from depesche.fidelity.figure import Figure, FigureKind, Key, Weight
from depesche.fidelity.figure_matching import pairs, unmatched
from depesche.fidelity.figure_reader import read_figures
from depesche.fidelity.units import read_unit
from depesche.types import Finding, FindingKind, Language, Span

__all__ = ["check_figures", "check_small_figures"]

# More that are missing, or invented, aren't listed: a table of thousands would fill the reply.
_MOST_FINDINGS = 100

# "One" and "the first" are mostly no figures; "may" and "march" mostly no months.
_IDIOM = ("", Decimal(1))
_OTHER_WORDS = frozenset({"may", "march"})

_MISSING = {
    FigureKind.NUMBER: FindingKind.NUMBER_MISSING,
    FigureKind.DATE: FindingKind.DATE_MISSING,
    FigureKind.PERCENTAGE: FindingKind.PERCENTAGE_MISSING,
    FigureKind.AMOUNT: FindingKind.AMOUNT_MISSING,
}
_INVENTED = {
    FigureKind.NUMBER: FindingKind.NUMBER_INVENTED,
    FigureKind.DATE: FindingKind.DATE_INVENTED,
    FigureKind.PERCENTAGE: FindingKind.PERCENTAGE_INVENTED,
    FigureKind.AMOUNT: FindingKind.AMOUNT_INVENTED,
}


def check_figures(source: str, target: str, language: Language) -> list[Finding]:
    """Find the figures that the English lost, changed or invented.

    Figures are compared by value, so "12 млрд" agrees with "12 billion" and "15 Uhr" with "3 p.m.".
    A figure that can be read in several ways agrees with any of them. Small numbers in words aren't
    missed, as English says many of them otherwise. A changed figure is two findings: one missing,
    one invented. A figure that became the opposite bound, or has another unit, is one: invented.
    Lone years, months, days of the week and times of day count as dates.

    Args:
        source: a sentence of the release, normalised.
        target: its English.
        language: the language of `source`.
    """
    said, english = read_figures(source, language), read_figures(target, Language.ENGLISH)
    missing, invented = unmatched(said, english)
    findings = [_missing(figure, source) for figure in missing[:_MOST_FINDINGS]]
    findings += [_invented(figure, target) for figure in invented[:_MOST_FINDINGS]]
    changed = (
        finding
        for figure, other in pairs(said, english)
        for change in (_bound_change, _unit_change)
        if (finding := change(source, target, figure, other, language))
    )
    return findings + list(islice(changed, _MOST_FINDINGS))


def check_small_figures(source: str, target: str) -> list[Finding]:
    """Find what `check_figures` leaves to a translator, where both texts are English.

    Numbers in words, ordinals, fractions, digits of names and months in names, of which none in
    `source` has the value.

    Args:
        source: what the target was made from.
        target: what may say no more than it.
    """
    said = read_figures(source, Language.ENGLISH)
    stated = said.mentions.union(*(_keys(figure) for figure in said.figures))
    added = (
        figure
        for figure in read_figures(target, Language.ENGLISH).figures
        if figure.weight is not Weight.FIRM
        and not _is_idiom(figure, target[figure.span.start : figure.span.end])
        and not figure.meaning.keys & stated
    )
    return [_invented(figure, target) for figure in islice(added, _MOST_FINDINGS)]


def _is_idiom(figure: Figure, written: str) -> bool:
    """Tell whether a figure is a word that often means none, such as "one" or "may"."""
    if written.casefold() in _OTHER_WORDS:
        return True
    return _IDIOM in figure.meaning.keys and not any(map(str.isdecimal, written))


def _keys(figure: Figure) -> frozenset[Key]:
    return figure.meaning.keys.union(figure.meaning.hints, *(part.keys for part in figure.parts))


def _missing(figure: Figure, source: str) -> Finding:
    written = source[figure.span.start : figure.span.end]
    gloss = "" if written == figure.said else f" ({figure.said})"
    return Finding(
        _MISSING[figure.kind],
        f'"{written}"{gloss} is missing from the English',
        expected=figure.said,
        source_span=figure.span,
    )


def _invented(figure: Figure, target: str) -> Finding:
    written = target[figure.span.start : figure.span.end]
    return Finding(
        _INVENTED[figure.kind],
        f'"{written}" has no counterpart in the source',
        found=written,
        target_span=figure.span,
    )


def _bound_change(
    source: str, target: str, figure: Figure, other: Figure, language: Language
) -> Finding | None:
    """Report "ab dem 15. Januar" that became "until January 15"."""
    if figure.weight is Weight.SOFT:
        return None
    said = read_bound(source, figure, language)
    english = read_bound(target, other, Language.ENGLISH)
    if not said or not english or said.side is english.side:
        return None
    return _changed(figure, (source, said.span), (target, english.span), said.said)


def _unit_change(
    source: str, target: str, figure: Figure, other: Figure, _language: Language
) -> Finding | None:
    """Report "620 Terawattstunden" that became "620 megawatts"."""
    said, english = read_unit(source, figure.span.end), read_unit(target, other.span.end)
    if not said or not english or said.symbol == english.symbol:
        return None
    source_span = Span(figure.span.start, said.span.end)
    target_span = Span(other.span.start, english.span.end)
    gloss = f"{figure.said} {said.symbol}"
    return _changed(figure, (source, source_span), (target, target_span), gloss)


def _changed(
    figure: Figure, before: tuple[str, Span], after: tuple[str, Span], said: str
) -> Finding:
    (source, source_span), (target, target_span) = before, after
    written = source[source_span.start : source_span.end]
    found = target[target_span.start : target_span.end]
    return Finding(
        _INVENTED[figure.kind],
        f'"{written}" ({said}) became "{found}"',
        expected=said,
        found=found,
        source_span=source_span,
        target_span=target_span,
    )
