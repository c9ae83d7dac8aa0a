"""Reads shares in words: `two thirds`, `drei Viertel`, `две пятых`, `ពីរភាគបី`."""

from decimal import ROUND_FLOOR, Decimal

from depesche.fidelity.figure import Figure, FigureKind, Key, Meaning, Weight, number_keys
from depesche.fidelity.lexicon import Term
from depesche.fidelity.scan import Scan
from depesche.types import Language

__all__ = ["read_share"]


def read_share(scan: Scan, at: int) -> Figure | None:
    """Read a numerator and the denominator behind it; "a third" counts as one."""
    token = scan.tokens[at]
    count = Decimal(1) if token.term is Term.ARTICLE else Decimal(token.value)
    here = at + 2 if scan.reads(at + 1, "-", "ភាគ") else at + 1
    parts = _denominator(scan, here, one=count == 1)
    if parts is None or not count < parts or count % 1:
        return None
    meaning = Meaning(_share_keys(count, parts) | _ordinal_keys(token.term, parts))
    return Figure(
        FigureKind.NUMBER,
        scan.span(at, here + 1),
        f"{count}/{parts}",
        meaning,
        weight=Weight.WORD,
    )


def _denominator(scan: Scan, at: int, *, one: bool) -> Decimal | None:
    token = scan.token(at)
    if token is None:
        return None
    if token.term is Term.FRACTION:
        parts = round(1 / Decimal(token.value))
        return Decimal(parts) if parts > 2 else None  # noqa: PLR2004 -- a half
    if scan.language is Language.KHMER:
        return Decimal(token.value) if _is_khmer(scan, at) else None
    ending = {Language.ENGLISH: "" if one else "s", Language.RUSSIAN: "ая" if one else "ых"}
    if token.term is not Term.ORDINAL or scan.language not in ending:
        return None
    value = Decimal(token.value)
    return value if value > 2 and token.text.endswith(ending[scan.language]) else None  # noqa: PLR2004 -- a third


def _is_khmer(scan: Scan, at: int) -> bool:
    return scan.reads(at - 1, "ភាគ") and scan.holds(at, Term.CARDINAL)


def _share_keys(count: Decimal, parts: Decimal) -> frozenset[Key]:
    """Give the share itself and the percentages that it may be rounded to."""
    share = count / parts
    percent = 100 * share
    rounded = (round(percent), round(percent, 1), percent.to_integral_value(ROUND_FLOOR))
    return number_keys(share) | number_keys(percent, *rounded, unit="%")


def _ordinal_keys(term: Term, parts: Decimal) -> frozenset[Key]:
    """Give what "a third" may be as well: the third one."""
    return number_keys(parts) if term is Term.ARTICLE else frozenset()
