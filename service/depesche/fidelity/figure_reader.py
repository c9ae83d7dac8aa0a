"""Reads the figures of a text: numbers, dates, times, percentages and amounts of money."""

import dataclasses
import re
from bisect import bisect_left
from dataclasses import dataclass
from decimal import Decimal

from depesche.fidelity.dates import AMBIGUOUS_WEEKDAYS
from depesche.fidelity.figure import (
    Figure,
    FigureKind,
    Key,
    Weight,
    clock_figure,
    clock_keys,
    date_figure,
    date_key,
    number_keys,
    weekday_figure,
)
from depesche.fidelity.lexicon import Term, Token, lex
from depesche.fidelity.money import say_amount
from depesche.fidelity.numerals import fold, say
from depesche.fidelity.quantities import Quantity, is_term, read_quantity
from depesche.types import Language, Span

__all__ = ["Reading", "read_figures"]

_MONTHS = (Term.MONTH, Term.SHORT_MONTH)
_UNITS = (Term.CURRENCY, Term.SIGN)
_LARGEST_SOFT = 12
_MILLION = Decimal(10**6)

_NUMERIC_DATE = re.compile(r"(?P<day>\d{1,2})([./-])(?P<month>\d{1,2})\2(?P<year>\d{4}|\d{2})(?![\d/])")
_ISO_DATE = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?!\d)")
_CLOCK = re.compile(r"(\d{1,2}): ?(\d{2})(?::\d{2})?(?![\d:])")
_SLASHED = re.compile(r"(\d{1,3})/(\d{1,3})(?![\d/])")
_DECADE = re.compile(r"(?:'?s|ern?|-?(?:х|е|ые|ых))(?![^\W\d_])")
# The letters before the digits of COVID-19, A380 or Ту-154, and after those of 39C.
_NAME_BEFORE = re.compile(r"(?:[A-Za-zÄÖÜäöüßА-яЁё]|[A-ZÄÖÜА-ЯЁ][A-Za-zÄÖÜäöüßА-яЁё]{0,19}[-‑–])\Z")
_NAME_AFTER = re.compile(r"[A-ZА-ЯЁ](?![^\W\d_])|x\d")
_LINK = re.compile(
    r"[ -]*(?:(?:to|and|or|bis|und|oder|zu|до|по|и|или|ដល់|ទៅ|និង|,|/)[ -]*){0,2}"
)
_LONGEST_LINK = 16


@dataclass(frozen=True, slots=True)
class Reading:
    """The figures of a text.

    Attributes:
        figures: in the order of the text.
        mentions: a key for each unit that the text names anywhere.
    """

    figures: tuple[Figure, ...]
    mentions: frozenset[Key]


def read_figures(text: str, language: Language) -> Reading:
    """Read all figures of `text`, in time linear in its length."""
    reader = _Reader(text, language)
    figures = reader.read()
    mentions = (("mention", _unit(token)) for token in reader.tokens if _unit(token))
    return Reading(tuple(reader.link(figures)), frozenset(mentions))


def _unit(token: Token) -> str:
    if token.term is Term.PERCENT:
        return "%"
    return str(token.value) if token.term in _UNITS else ""


class _Reader:
    """Walks over the tokens of one text; each rule reads a figure at a place, or nothing."""

    def __init__(self, text: str, language: Language) -> None:
        self.text = text
        self.folded = fold(text)
        self.language = language
        self.tokens = list(lex(text, language))
        self.starts = [token.start for token in self.tokens]

    def read(self) -> list[Figure]:
        """Read the figures."""
        figures = []
        at = 0
        while at < len(self.tokens):
            figure = self._figure(at)
            if figure:
                figures.append(figure)
            at = self._index(figure.span.end) if figure else at + 1
        return figures

    def _figure(self, at: int) -> Figure | None:
        match self.tokens[at].term:
            case Term.NUMERAL:
                figure = self._numeric_date(at) or self._day_and_month(at) or self._clock(at)
                return figure or self._slashed(at) or self._quantity(at)
            case Term.ORDINAL:
                return self._day_and_month(at) or self._quantity(at)
            case Term.MONTH | Term.SHORT_MONTH:
                return self._month(at)
            case Term.WEEKDAY:
                return self._weekday(at)
            case Term.OCLOCK if is_term(self.tokens, at + 1, Term.NUMERAL):
                return self._khmer_clock(at)
            case Term.NOON:
                return self._noon(at)
            case Term.ROMAN:
                return self._roman(at)
            case Term.SIGN:
                return self._prefixed_amount(at)
        return self._quantity(at)

    def _index(self, offset: int) -> int:
        """Find the first token that begins at `offset` or later."""
        return bisect_left(self.starts, offset)

    def _span(self, at: int, end: int) -> Span:
        return Span(self.tokens[at].start, self.tokens[end - 1].end)

    def _number(self, at: int, low: int, high: int) -> int | None:
        """Read the plain whole number at `at` if it is from `low` to `high`."""
        if not is_term(self.tokens, at, Term.NUMERAL, Term.ORDINAL):
            return None
        token = self.tokens[at]
        digits = str(token.value) if token.term is Term.ORDINAL else token.text
        if len(digits) > len(str(high)) or not digits.isdecimal():
            return None
        return int(digits) if low <= int(digits) <= high else None

    def _year(self, at: int) -> tuple[int | None, int]:
        """Read the year at `at`, over a point, comma or filler, and tell where it ends."""
        here = at
        while here < at + 3 and self._is_filler(here) and self._stays(here):
            here += 1
        year = self._number(here, 1000, 2200)
        return (year, here + 1) if year else (None, at)

    def _stays(self, at: int) -> bool:
        """Tell whether the token at `at` is no full stop: points stand after short months only."""
        return self.tokens[at].text != "." or is_term(self.tokens, at - 1, Term.SHORT_MONTH)

    def _is_filler(self, at: int) -> bool:
        if at >= len(self.tokens):
            return False
        token = self.tokens[at]
        return token.text in (".", ",", "-") or token.term in (Term.FILLER, Term.ORDINAL_SIGN)

    def _day_and_month(self, at: int) -> Figure | None:
        day = self._number(at, 1, 31)
        here = at + 1
        while here < at + 4 and self._is_filler(here) and self.tokens[here].text != ",":
            here += 1
        if day is None or not is_term(self.tokens, here, *_MONTHS):
            return None
        year, end = self._year(here + 1)
        return date_figure(self._span(at, end), int(self.tokens[here].value), day, year)

    def _month(self, at: int) -> Figure | None:
        """Read a month, with the day and year that may follow."""
        month = int(self.tokens[at].value)
        here = at + 2 if at + 1 < len(self.tokens) and self.tokens[at + 1].text == "." else at + 1
        day = self._number(here, 1, 31) if self.language is Language.ENGLISH else None
        if day is not None:
            year, end = self._year(here + 2 if is_term(self.tokens, here + 1, Term.ORDINAL_SIGN) else here + 1)
            return date_figure(self._span(at, end), month, day, year)
        year, end = self._year(at + 1)
        figure = date_figure(self._span(at, end), month, None, year)
        soft = self._may_be_other(at) and not year
        return dataclasses.replace(figure, weight=Weight.SOFT) if soft else figure

    def _may_be_other(self, at: int) -> bool:
        """Tell whether a month alone may be another word: May, March, Jan, Август (Augustus)."""
        token = self.tokens[at]
        name = self.language is Language.RUSSIAN and self.text[token.start].isupper()
        return name or token.term is Term.SHORT_MONTH or token.text in ("may", "march")

    def _weekday(self, at: int) -> Figure:
        token = self.tokens[at]
        figure = weekday_figure(self._span(at, at + 1), int(token.value))
        soft = token.text in AMBIGUOUS_WEEKDAYS
        return dataclasses.replace(figure, weight=Weight.SOFT) if soft else figure

    def _numeric_date(self, at: int) -> Figure | None:
        start = self.tokens[at].start
        match = _ISO_DATE.match(self.folded, start) or _NUMERIC_DATE.match(self.folded, start)
        if not match:
            return None
        day, month, year = (int(match[name]) for name in ("day", "month", "year"))
        year += (2000 if year < 70 else 1900) if year < 100 else 0  # noqa: PLR2004 -- two digits
        if self.language is Language.ENGLISH and month > 12 >= day:  # noqa: PLR2004 -- months
            day, month = month, day
        if not (1 <= day <= 31 and 1 <= month <= 12):  # noqa: PLR2004 -- calendar
            return None
        figure = date_figure(Span(*match.span()), month, day, year)
        swapped = {date_key(month, day, year)} if day <= 12 else set()  # noqa: PLR2004 -- months
        return dataclasses.replace(figure, keys=figure.keys | swapped)

    def _clock(self, at: int) -> Figure | None:
        start = self.tokens[at].start
        if match := _CLOCK.match(self.folded, start):
            hour, minute = int(match[1]), int(match[2])
            end = self._index(match.end())
            return self._time(at, end, hour, minute)
        hour_minute = self._hour(at)
        if hour_minute is None or not is_term(self.tokens, at + 1, Term.OCLOCK, Term.MERIDIEM):
            return None
        return self._time(at, at + 1, *hour_minute)

    def _hour(self, at: int) -> tuple[int, int] | None:
        """Read `10`, `10.30` or the like as hours and minutes."""
        pieces = self.tokens[at].text.replace(".", ":").split(":")
        if len(pieces) > 2 or not all(piece.isdecimal() and len(piece) <= 2 for piece in pieces):  # noqa: PLR2004 -- clock
            return None
        return int(pieces[0]), int(pieces[1]) if len(pieces) > 1 else 0

    def _time(self, at: int, end: int, hour: int, minute: int) -> Figure | None:
        """Make a time of the tokens from `at` to `end` and what belongs to it after them."""
        if is_term(self.tokens, end, Term.OCLOCK):
            end += 1
            minutes = self._number(end, 0, 59)
            if minutes is not None and minute == 0 and self._minutes_follow(end):
                minute, end = minutes, end + 1
        end += is_term(self.tokens, end, Term.MINUTE)
        half_day = int(self.tokens[end].value) if is_term(self.tokens, end, Term.MERIDIEM) else None
        if hour > 24 or minute > 59:  # noqa: PLR2004 -- clock
            return None
        end += half_day is not None
        return clock_figure(self._span(at, end), hour, minute, half_day)

    def _minutes_follow(self, at: int) -> bool:
        return self.tokens[at - 1].text == "uhr" or is_term(self.tokens, at + 1, Term.MINUTE)

    def _khmer_clock(self, at: int) -> Figure | None:
        """Read a time whose word for hour stands before it."""
        if self.language is not Language.KHMER or (time := self._hour(at + 1)) is None:
            return None
        match = _CLOCK.match(self.folded, self.tokens[at + 1].start)
        if match:
            return self._time(at, self._index(match.end()), int(match[1]), int(match[2]))
        return self._time(at, at + 2, *time)

    def _noon(self, at: int) -> Figure:
        hour = int(self.tokens[at].value)
        figure = clock_figure(self._span(at, at + 1), hour or 24, 0, hour)
        return dataclasses.replace(figure, weight=Weight.SOFT)

    def _slashed(self, at: int) -> Figure | None:
        """Read `1/3`, `9/11` or `10/15`: a fraction, a date or two numbers."""
        match = _SLASHED.match(self.folded, self.tokens[at].start)
        if not match or not int(match[2]):
            return None
        first, second = int(match[1]), int(match[2])
        keys = number_keys(Decimal(first) / Decimal(second)) | {
            date_key(first, second),
            date_key(second, first),
        }
        parts = (number_keys(first), number_keys(second))
        return Figure(FigureKind.NUMBER, Span(*match.span()), match[0], keys, parts)

    def _roman(self, at: int) -> Figure | None:
        token = self.tokens[at]
        century = any(is_term(self.tokens, near, Term.CENTURY) for near in (at + 1, at + 2))
        if len(token.text) == 1 and not century:
            return None
        value = Decimal(token.value)
        weight = Weight.FIRM if century else Weight.NAME
        return Figure(FigureKind.NUMBER, self._span(at, at + 1), str(value), number_keys(value), weight=weight)

    def _prefixed_amount(self, at: int) -> Figure | None:
        quantity = read_quantity(self.tokens, at + 1, self.language) if at + 1 < len(self.tokens) else None
        if quantity is None or not quantity.digits or not quantity.values:
            return None
        return self._measured(at, quantity.end, quantity, str(self.tokens[at].value))

    def _quantity(self, at: int) -> Figure | None:
        quantity = read_quantity(self.tokens, at, self.language)
        if quantity is None:
            return None
        end = self._unit_at(quantity.end)
        if end is not None and quantity.values:
            return self._measured(at, end + 1, quantity, _unit(self.tokens[end]))
        return self._bare(at, quantity)

    def _unit_at(self, at: int) -> int | None:
        """Find the unit that belongs to a quantity ending at `at`, over points and adjectives."""
        here = at
        while here < at + 4 and self._may_precede_unit(here):
            here += 1
        if not is_term(self.tokens, here, Term.PERCENT, *_UNITS):
            return None
        token = self.tokens[here]
        before_next = is_term(self.tokens, here + 1, Term.NUMERAL) and self.starts[here + 1] == token.end
        return None if token.term is Term.SIGN and before_next else here

    def _may_precede_unit(self, at: int) -> bool:
        token = self.tokens[at] if at < len(self.tokens) else None
        return token is not None and (token.term is Term.NATION or token.text in (".", "-"))

    def _measured(self, at: int, end: int, quantity: Quantity, unit: str) -> Figure:
        value = quantity.values[0]
        soft = quantity.loose or (value == 1 and not quantity.digits) or self._is_rough(at, quantity)
        return Figure(
            FigureKind.PERCENTAGE if unit == "%" else FigureKind.AMOUNT,
            self._span(at, end),
            f"{say(value)} %" if unit == "%" else say_amount(say(value), unit),
            number_keys(*quantity.values, unit=unit),
            (number_keys(*quantity.values), frozenset({("mention", unit)})),
            Weight.SOFT if soft else Weight.FIRM,
            quantity.values,
            unit,
            quantity.scale,
        )

    def _bare(self, at: int, quantity: Quantity) -> Figure:
        span = self._span(at, quantity.end)
        if decade := _DECADE.match(self.folded, span.end):
            span = Span(span.start, decade.end())
        keys = number_keys(*quantity.values) | self._other_keys(at, quantity, bool(decade))
        year = self._is_year(quantity)
        return Figure(
            FigureKind.DATE if year else FigureKind.NUMBER,
            span,
            self._say(at, quantity, year=year) + ("s" if decade and decade[0] != "е" and year else ""),
            keys,
            tuple(number_keys(piece) for piece in quantity.pieces),
            self._weight(at, quantity),
            quantity.values,
            "",
            quantity.scale,
        )

    def _say(self, at: int, quantity: Quantity, *, year: bool) -> str:
        if not quantity.values:
            return self.tokens[at].text
        return str(quantity.values[0]) if year else say(quantity.values[0])

    def _is_year(self, quantity: Quantity) -> bool:
        if not quantity.digits or len(quantity.values) != 1 or quantity.scale != 1:
            return False
        return not quantity.pieces and 1900 <= quantity.values[0] <= 2100 and not quantity.values[0] % 1  # noqa: PLR2004 -- years

    def _weight(self, at: int, quantity: Quantity) -> Weight:
        token = self.tokens[at]
        if token.term is Term.NUMERAL:
            before = self.text[max(0, token.start - 21) : token.start]
            if _NAME_BEFORE.search(before) or _NAME_AFTER.match(self.text, token.end):
                return Weight.NAME
            return Weight.SOFT if quantity.values == (1,) or token.text == "00" else Weight.FIRM
        if self._is_rough(at, quantity):
            return Weight.SOFT
        value = quantity.values[0]
        firm = value > _LARGEST_SOFT and value not in (100, 1000) and not quantity.loose
        return Weight.FIRM if firm and (not value % 1 or quantity.scale >= _MILLION) else Weight.SOFT

    def _is_rough(self, at: int, quantity: Quantity) -> bool:
        """Tell whether a number word touches another, as in បីបួន, "three or four"."""
        if self.tokens[at].term is not Term.CARDINAL:
            return False
        ends = [(at - 1, at), (quantity.end - 1, quantity.end)]
        return any(
            is_term(self.tokens, left, Term.CARDINAL)
            and is_term(self.tokens, right, Term.CARDINAL)
            and self.tokens[left].end == self.tokens[right].start
            for left, right in ends
        )

    def _other_keys(self, at: int, quantity: Quantity, decade: bool) -> frozenset[Key]:
        """Give what else the number may mean: a decade, a day, a time, a share."""
        keys: set[Key] = set()
        for value in quantity.values:
            if value < 100 and not value % 10 and (decade or quantity.loose):  # noqa: PLR2004 -- decades
                keys |= number_keys(1900 + value, 2000 + value)
            elif decade:
                keys |= number_keys(value % 100)
            if value < 1:
                keys |= number_keys(value * 100, unit="%")
            if quantity.loose and value > 2:  # noqa: PLR2004 -- a third, a fourth
                keys |= number_keys(Decimal(1) / value)
        return frozenset(keys) | self._digit_keys(self.tokens[at])

    def _digit_keys(self, token: Token) -> frozenset[Key]:
        """Give what digits may mean beyond a value: a day and month, a time, or just themselves."""
        if token.term is not Term.NUMERAL:
            return frozenset()
        keys: set[Key] = {("text", re.sub(r"\D", "", token.text))}
        first, _, second = token.text.partition(".")
        if not second and len(first) == 4 and first[0] == "0":  # noqa: PLR2004 -- 0230
            first, second = first[:2], first[2:]
        elif is_term(self.tokens, self._index(token.end), Term.OCLOCK) and len(first) <= 2:  # noqa: PLR2004 -- clock
            second = second or "00"
        if not (first.isdecimal() and second.isdecimal() and len(first + second) <= 4):  # noqa: PLR2004 -- clock
            return frozenset(keys)
        if int(first) <= 31 and 1 <= int(second) <= 12:  # noqa: PLR2004 -- calendar
            keys.add(date_key(int(first), int(second)))
        if int(first) <= 24 and len(second) == 2 and int(second) <= 59:  # noqa: PLR2004 -- clock
            keys |= clock_keys(int(first), int(second))
        return frozenset(keys)

    def link(self, figures: list[Figure]) -> list[Figure]:
        """Let figures that stand in one range or list share unit, scale and century.

        In "5 to 7 million euros" the 5 may be euros and millions too, in "$5-7" the 7 dollars.
        """
        linked = list(figures)
        for index in range(len(linked) - 2, -1, -1):
            first, second = linked[index : index + 2]
            between = self.folded[first.span.end : second.span.end][: second.span.start - first.span.end]
            if len(between) <= _LONGEST_LINK and _LINK.fullmatch(between):
                linked[index] = _widened(first, second.unit, second.scale)
                linked[index + 1] = _widened(second, first.unit, Decimal(1), _century(first))
        return linked


def _widened(figure: Figure, unit: str, scale: Decimal, century: int = 0) -> Figure:
    """Add the meanings that a figure has with the unit, scale or century of its neighbour."""
    if not figure.values or (figure.unit and unit not in ("", figure.unit)):
        return figure
    unit = figure.unit or unit
    scaled = [value * scale for value in figure.values] if figure.scale == 1 else []
    keys = figure.keys | number_keys(*figure.values, *scaled, unit=unit)
    keys |= number_keys(*scaled, unit=figure.unit)
    if century and figure.values[0] < 100:  # noqa: PLR2004 -- two digits
        keys |= number_keys(century + figure.values[0])
    return dataclasses.replace(figure, keys=keys)


def _century(figure: Figure) -> int:
    """Tell the century of a lone year, as 1900 for 1995, else 0."""
    if figure.kind is not FigureKind.DATE or not figure.values:
        return 0
    return int(figure.values[0]) // 100 * 100
