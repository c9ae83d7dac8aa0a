"""Reads numbers, percentages and amounts of money."""

import re
from dataclasses import replace
from decimal import Decimal

from depesche.fidelity.figure import (
    Figure,
    FigureKind,
    Key,
    Meaning,
    Weight,
    clock_keys,
    date_key,
    number_keys,
)
from depesche.fidelity.lexicon import Term, Token
from depesche.fidelity.money import say_amount
from depesche.fidelity.numerals import say
from depesche.fidelity.quantities import Quantity, read_quantity
from depesche.fidelity.scan import Scan
from depesche.types import Span

__all__ = ["read_number", "read_prefixed_amount", "read_roman", "read_slashed", "unit_of"]

_LARGEST_SMALL = 12
_MILLION = Decimal(10**6)
_ROUND = (100, 1000)
_NEVER_MISSED = ("1", "00")
_MOST_BEFORE_UNIT = 4

_SLASHED = re.compile(r"(\d{1,3})/(\d{1,3})(?![\d/])")
_DECADE = re.compile(r"(?:'?s|ern?|-?(?:х|е|ые|ых))(?![^\W\d_])")
# The letters before the digits of COVID-19, A380 or Ту-154, and after those of 39C.
_LETTER = "A-Za-zÄÖÜäöüßА-яЁё"
_NAME_BEFORE = re.compile(rf"(?:[{_LETTER}]|[A-ZÄÖÜА-ЯЁ][{_LETTER}]{{0,19}}[-‑–])\Z")
_NAME_AFTER = re.compile(r"[A-ZА-ЯЁ](?![^\W\d_])|x\d")
_LONGEST_NAME = 21
_DAY_AND_MONTH = re.compile(r"(0?[1-9]|[12]\d|3[01])\.(0?[1-9]|1[0-2])")
_HOUR_AND_MINUTE = re.compile(r"([01]?\d|2[0-4])\.([0-5]\d)|(0\d)([0-5]\d)")


def unit_of(token: Token) -> str:
    """Tell the unit that a token names: "%", a currency, or "" for none."""
    if token.term is Term.PERCENT:
        return "%"
    return str(token.value) if token.term in (Term.CURRENCY, Term.SIGN) else ""


def read_slashed(scan: Scan, at: int) -> Figure | None:
    """Read `1/3`, `9/11` or `10/15`: a fraction, a date or two numbers."""
    match = _SLASHED.match(scan.folded, scan.tokens[at].start)
    if not match or not int(match[2]):
        return None
    first, second = int(match[1]), int(match[2])
    dates = frozenset({date_key(first, second), date_key(second, first)})
    meaning = Meaning(number_keys(Decimal(first) / Decimal(second)) | dates)
    parts = (Meaning(number_keys(first)), Meaning(number_keys(second)))
    return Figure(FigureKind.NUMBER, Span(*match.span()), match[0], meaning, parts)


def read_roman(scan: Scan, at: int) -> Figure | None:
    """Read a Roman numeral; a single letter counts before a word for century only."""
    token = scan.tokens[at]
    century = any(scan.holds(near, Term.CENTURY) for near in (at + 1, at + 2))
    if len(token.text) == 1 and not century:
        return None
    return Figure(
        FigureKind.NUMBER,
        scan.span(at, at + 1),
        str(token.value),
        Meaning(number_keys(Decimal(token.value))),
        weight=Weight.FIRM if century else Weight.NAME,
    )


def read_prefixed_amount(scan: Scan, at: int) -> Figure | None:
    """Read an amount whose currency stands before it."""
    if not scan.holds(at + 1, Term.NUMERAL):
        return None
    quantity = read_quantity(scan, at + 1)
    if quantity is None or not quantity.values:
        return None
    if scan.holds(quantity.end - 1, Term.WORD):
        # After a currency, "3m" is three million, not three metres.
        quantity = replace(quantity, values=quantity.values[len(quantity.values) // 2 :])
    return _measured(scan, at, quantity.end, quantity, unit_of(scan.tokens[at]))


def read_number(scan: Scan, at: int) -> Figure | None:
    """Read a quantity, with the unit that may follow."""
    quantity = read_quantity(scan, at)
    if quantity is None:
        return None
    unit = _unit_after(scan, quantity.end)
    if unit is not None and quantity.values:
        return _measured(scan, at, unit + 1, quantity, unit_of(scan.tokens[unit]))
    return _bare(scan, at, quantity)


def _unit_after(scan: Scan, at: int) -> int | None:
    """Find the unit that belongs to a quantity ending at `at`, over points and adjectives."""
    here = at
    while here < at + _MOST_BEFORE_UNIT and (
        scan.holds(here, Term.NATION) or scan.reads(here, ".", "-")
    ):
        here += 1
    if (
        scan.holds(here, Term.SIGN)
        and scan.holds(here + 1, Term.NUMERAL)
        and scan.touches(here + 1)
    ):
        return None
    if scan.holds(here + 1, Term.CURRENCY) and unit_of(scan.tokens[here + 1]) == "CENT":
        here += 1
    return here if scan.holds(here, Term.PERCENT, Term.CURRENCY, Term.SIGN) else None


def _measured(scan: Scan, at: int, end: int, quantity: Quantity, unit: str) -> Figure:
    share = unit == "%"
    said = say(quantity.values[0])
    one = quantity.values[0] == 1 and not quantity.digits
    soft = one or quantity.loose or _is_rough(scan, at, quantity)
    return Figure(
        FigureKind.PERCENTAGE if share else FigureKind.AMOUNT,
        scan.span(at, end),
        f"{said} %" if share else say_amount(said, unit),
        Meaning(_unit_keys(quantity, unit)),
        (Meaning(number_keys(*quantity.values)), Meaning(frozenset({("mention", unit)}))),
        Weight.SOFT if soft else Weight.FIRM,
        quantity.values,
        unit,
        quantity.scale,
    )


def _unit_keys(quantity: Quantity, unit: str) -> frozenset[Key]:
    keys = number_keys(*quantity.values, unit=unit)
    if unit != "CENT":
        return keys
    hundredths = [value / 100 for value in quantity.values]
    return keys | number_keys(*hundredths, unit="EUR") | number_keys(*hundredths, unit="USD")


def _bare(scan: Scan, at: int, quantity: Quantity) -> Figure:
    span = scan.span(at, quantity.end)
    decade = _DECADE.match(scan.folded, span.end) if quantity.digits else None
    year = _is_year(quantity)
    return Figure(
        FigureKind.DATE if year else FigureKind.NUMBER,
        Span(span.start, decade.end()) if decade else span,
        _say(scan, at, quantity, year=year, decade=bool(decade)),
        Meaning(
            number_keys(*quantity.values) | _other_keys(scan, at, quantity, decade=bool(decade)),
            _calendar_keys(scan, at) if quantity.scale == 1 else frozenset(),
        ),
        tuple(Meaning(number_keys(piece)) for piece in quantity.pieces),
        _weight(scan, at, quantity),
        quantity.values,
        "",
        quantity.scale,
    )


def _say(scan: Scan, at: int, quantity: Quantity, *, year: bool, decade: bool) -> str:
    if not quantity.values:
        return scan.tokens[at].text
    said = str(quantity.values[0]) if year else say(quantity.values[0])
    return f"{said}s" if decade and not quantity.values[0] % 10 else said


def _is_year(quantity: Quantity) -> bool:
    if not quantity.digits or len(quantity.values) != 1 or quantity.scale != 1 or quantity.pieces:
        return False
    return 1900 <= quantity.values[0] <= 2100 and not quantity.values[0] % 1  # noqa: PLR2004 -- years


def _weight(scan: Scan, at: int, quantity: Quantity) -> Weight:
    token = scan.tokens[at]
    if token.term is Term.NUMERAL:
        before = scan.text[max(0, token.start - _LONGEST_NAME) : token.start]
        if _NAME_BEFORE.search(before) or _NAME_AFTER.match(scan.text, token.end):
            return Weight.NAME
        return Weight.SOFT if token.text in _NEVER_MISSED else Weight.FIRM
    if quantity.loose or _is_rough(scan, at, quantity):
        return Weight.SOFT
    return _word_weight(quantity.values[0], quantity.scale)


def _word_weight(value: Decimal, scale: Decimal) -> Weight:
    """Weigh a number in words: neither "one" nor "a hundred" nor "one and a half" is missed."""
    if value in _ROUND or value < 2 or (value % 1 and scale < _MILLION):  # noqa: PLR2004 -- one
        return Weight.SOFT
    return Weight.FIRM if value > _LARGEST_SMALL else Weight.WORD


def _is_rough(scan: Scan, at: int, quantity: Quantity) -> bool:
    """Tell whether a number word touches another, as in បីបួន, "three or four"."""
    return any(
        scan.holds(right - 1, Term.CARDINAL)
        and scan.holds(right, Term.CARDINAL)
        and scan.touches(right)
        for right in (at, quantity.end)
    )


def _other_keys(scan: Scan, at: int, quantity: Quantity, *, decade: bool) -> frozenset[Key]:
    """Give what else the number may mean: a decade, a share, a date, a time, or mere digits."""
    keys: set[Key] = set()
    for value in quantity.values:
        if value < 100 and not value % 10 and (decade or quantity.loose):  # noqa: PLR2004 -- decades
            keys |= number_keys(1800 + value, 1900 + value, 2000 + value)
        if value < 1:
            keys |= number_keys(value * 100, unit="%")
        if quantity.loose:
            keys |= number_keys(value, unit="%")
        if quantity.loose and value > 2:  # noqa: PLR2004 -- a third, a fourth
            keys |= number_keys(Decimal(1) / value)
    if not quantity.values:
        keys.add(("text", scan.tokens[at].text))
    return frozenset(keys)


def _calendar_keys(scan: Scan, at: int) -> frozenset[Key]:
    """Give the day or time that digits may mean, as `24.11`, `10.30`, `0230` and `15 часов` may."""
    text = scan.tokens[at].text
    keys: set[Key] = set()
    if match := _DAY_AND_MONTH.fullmatch(text):
        keys.add(date_key(int(match[1]), int(match[2])))
    if match := _HOUR_AND_MINUTE.fullmatch(text):
        hour, minute = (int(group) for group in match.groups() if group)
        keys |= clock_keys(hour, minute)
    elif scan.holds(at + 1, Term.HOUR) and (hours := scan.number(at, 0, 24)) is not None:
        keys |= clock_keys(hours, 0)
    return frozenset(keys)
