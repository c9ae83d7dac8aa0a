"""Checks that a translation keeps the figures of its source: numbers, dates, shares and amounts."""

from depesche.fidelity.figure import Figure, FigureKind
from depesche.fidelity.figure_matching import unmatched
from depesche.fidelity.figure_reader import read_figures
from depesche.types import Finding, FindingKind, Language

__all__ = ["check_figures"]

# More that are missing, or invented, aren't listed: a table of thousands would fill the reply.
_MOST_FINDINGS = 100


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
    one invented. Lone years, months, days of the week and times of day count as dates.

    Args:
        source: a sentence of the release, normalised.
        target: its English.
        language: the language of `source`.
    """
    missing, invented = unmatched(
        read_figures(source, language), read_figures(target, Language.ENGLISH)
    )
    findings = [_missing(figure, source) for figure in missing[:_MOST_FINDINGS]]
    return findings + [_invented(figure, target) for figure in invented[:_MOST_FINDINGS]]


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
