"""Numerals: what a string of digits may mean, and how to say a value in English."""

import re
from dataclasses import dataclass
from decimal import Decimal

from depesche.types import Language

__all__ = ["Numeral", "fold", "read_numeral", "say"]

_LONGEST = 18
"""Digits of the longest numeral that is read as a value; longer ones are compared as text."""

_FRACTIONS = {"½": (1, 2), "¼": (1, 4), "¾": (3, 4), "⅓": (1, 3), "⅔": (2, 3)}

_FOLDED = str.maketrans(
    {
        **dict(zip("០១២៣៤៥៦៧៨៩", "0123456789", strict=True)),
        **dict.fromkeys("\u00a0\u2007\u2009\u202f", " "),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\u2019\u02bc", "'"),
        "ё": "е",
        "Ё": "Е",
    }
)

_LARGEST_SAID = Decimal(10**18)
_SCALES = ((12, "trillion"), (9, "billion"), (6, "million"))

_PIECES = re.compile(r"[.,' ]")


@dataclass(frozen=True, slots=True)
class Numeral:
    """What a string of digits may mean.

    Attributes:
        values: every value that a reader may take it for, likeliest first; empty where it holds
            more digits than a value can sensibly have.
        pieces: the numbers between its separators, as in `24.11.2021`.
    """

    values: tuple[Decimal, ...]
    pieces: tuple[str, ...]


def fold(text: str) -> str:
    """Write `text` in lower case, with ASCII digits, spaces, hyphens and apostrophes.

    The result has as many characters as `text`, so that offsets hold in both.
    """
    folded = text.translate(_FOLDED)
    lowered = folded.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(low if len(low := char.lower()) == 1 else char for char in folded)


def read_numeral(text: str, language: Language) -> Numeral:
    """Read a folded numeral such as `1.234,5`, `1 234`, `1'234`, `24.11.2021` or `2½`.

    Writers mix conventions, so a lone point or comma before three digits has two readings: first
    the one that `language` uses.
    """
    if text[-1] in _FRACTIONS:
        return _with_fraction(text)
    pieces = tuple(_PIECES.split(text))
    if sum(map(len, pieces)) > _LONGEST:
        return Numeral((), (text,))
    separators = [char for char in text if not char.isdigit()]
    readings = _readings(pieces, separators)
    if len(readings) > 1 and _decimal_first(separators[0], language):
        readings.reverse()
    elif len(readings) > 1 and text.endswith("0"):
        # Nobody writes a decimal fraction of three digits that ends in 0: 1.250 Mio. are thousands.
        readings.pop()
    return Numeral(tuple(readings), pieces)


def _with_fraction(text: str) -> Numeral:
    numerator, denominator = _FRACTIONS[text[-1]]
    whole = Decimal(text[:-1][-_LONGEST:] or 0)
    return Numeral((whole + Decimal(numerator) / Decimal(denominator),), (text,))


def _readings(pieces: tuple[str, ...], separators: list[str]) -> list[Decimal]:
    """Give the readings, the one with thousands separators first."""
    readings = []
    if _grouped(pieces) and len(set(separators)) <= 1:
        readings.append(Decimal("".join(pieces)))
    if separators and separators[-1] in ".," and separators.count(separators[-1]) == 1:
        *whole, fraction = pieces
        if len(whole) == 1 or _grouped(tuple(whole)):
            readings.append(Decimal(f"{''.join(whole)}.{fraction}"))
    return readings


def _grouped(pieces: tuple[str, ...]) -> bool:
    """Tell whether the pieces can be groups of thousands; a lone piece can."""
    if len(pieces) == 1:
        return True
    first, *others = pieces
    return len(first) <= 3 and first[0] != "0" and all(len(piece) == 3 for piece in others)  # noqa: PLR2004 -- thousands


def _decimal_first(separator: str, language: Language) -> bool:
    return separator == ("." if language is Language.ENGLISH else ",")


def say(value: Decimal) -> str:
    """Say `value` in English: `1,234.5`, `12 billion`."""
    if value >= _LARGEST_SAID:
        return f"{value:.3g}"
    for exponent, name in _SCALES:
        scaled = value.scaleb(-exponent)
        if scaled >= 1 and scaled == round(scaled, 3):
            return f"{_plain(scaled)} {name}"
    return _plain(value)


def _plain(value: Decimal) -> str:
    text = f"{round(value, 4):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
