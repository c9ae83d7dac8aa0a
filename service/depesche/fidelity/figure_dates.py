"""Reads dates, months, days of the week and times of day."""

import dataclasses
import re

from depesche.fidelity.dates import AMBIGUOUS_WEEKDAYS
from depesche.fidelity.figure import (
    Figure,
    Meaning,
    Weight,
    clock_figure,
    date_figure,
    date_key,
    weekday_figure,
)
from depesche.fidelity.lexicon import Term
from depesche.fidelity.scan import Scan
from depesche.types import Language, Span

__all__ = ["read_clock", "read_day", "read_khmer_clock", "read_month", "read_noon", "read_weekday"]

_MONTHS = (Term.MONTH, Term.SHORT_MONTH)
_LAST_DAY = 31
_LAST_MONTH = 12
_LAST_HOUR = 24
_LAST_MINUTE = 59
_MOST_FILLERS = 3
_OTHER_WORDS = {Language.ENGLISH: ("may", "march"), Language.GERMAN: ("mai", "august")}
_EARLY_AND_LATE = ("early", "mid", "late", "last", "next", "this", "every", "by", "on", "in")

_DATE = re.compile(r"(?P<day>\d{1,2})([./-])(?P<month>\d{1,2})\2(?P<year>\d{4}|\d{2})(?![\d/])")
_ISO_DATE = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?!\d)")
_CLOCK = re.compile(r"(\d{1,2}): ?(\d{2})(?::\d{2})?(?![\d:])")
_GERMAN_DAY = re.compile(
    r"\w+?(?:tag|woch|abend)(?:en|s?(?:früh|morgen|vormittag|mittag|nachmittag|abend|nacht)?s?)"
)
_HOUR = re.compile(r"(\d{1,2})(?:\.(\d{2}))?")


def read_day(scan: Scan, at: int) -> Figure | None:
    """Read a date that begins with digits or an ordinal, such as `24.11.2021` or `24 ноября`."""
    return _numeric_date(scan, at) or _day_and_month(scan, at)


def _numeric_date(scan: Scan, at: int) -> Figure | None:
    start = scan.tokens[at].start
    match = _ISO_DATE.match(scan.folded, start) or _DATE.match(scan.folded, start)
    if not match:
        return None
    day, month, year = (int(match[name]) for name in ("day", "month", "year"))
    if scan.language is Language.ENGLISH and month > _LAST_MONTH >= day:
        day, month = month, day
    if not (1 <= day <= _LAST_DAY and 1 <= month <= _LAST_MONTH):
        return None
    figure = date_figure(Span(*match.span()), month, day, _whole_year(year))
    if day > _LAST_MONTH:
        return figure
    # Americans write the month first, and nothing tells whether a writer is one.
    swapped = date_key(month, day, _whole_year(year))
    return dataclasses.replace(figure, meaning=Meaning(figure.meaning.keys | {swapped}))


def _whole_year(year: int) -> int:
    """Complete a year of two digits as POSIX's strptime does: 69 to 99 are of the last century."""
    return year if year > 99 else year + (1900 if year > 68 else 2000)  # noqa: PLR2004 -- POSIX


def _day_and_month(scan: Scan, at: int) -> Figure | None:
    day = scan.number(at, 1, _LAST_DAY)
    here = at + 1
    while here <= at + _MOST_FILLERS and _is_filler(scan, here) and not scan.reads(here, ","):
        here += 1
    if day is None or not scan.holds(here, *_MONTHS):
        return None
    year, end = _year(scan, here + 1)
    return date_figure(scan.span(at, end), int(scan.tokens[here].value), day, year)


def _is_filler(scan: Scan, at: int) -> bool:
    return scan.reads(at, ".", ",", "-") or scan.holds(at, Term.FILLER, Term.ORDINAL_SIGN)


def _year(scan: Scan, at: int) -> tuple[int | None, int]:
    """Read the year at `at`, over a comma or filler, and tell where it ends."""
    here = at
    while here < at + _MOST_FILLERS and _is_filler(scan, here) and not _ends_sentence(scan, here):
        here += 1
    year = scan.number(here, 1000, 2200)
    return (year, here + 1) if year else (None, at)


def _ends_sentence(scan: Scan, at: int) -> bool:
    return scan.reads(at, ".") and not scan.holds(at - 1, Term.SHORT_MONTH)


def read_month(scan: Scan, at: int) -> Figure:
    """Read a month, with the day (in English only) and the year that may follow."""
    month = int(scan.tokens[at].value)
    here = at + 2 if scan.reads(at + 1, ".") else at + 1
    day = scan.number(here, 1, _LAST_DAY) if scan.language is Language.ENGLISH else None
    if day is not None:
        after = here + 2 if scan.holds(here + 1, Term.ORDINAL_SIGN) else here + 1
        year, end = _year(scan, after)
        return date_figure(scan.span(at, end), month, day, year)
    year, end = _year(scan, at + 1)
    figure = date_figure(scan.span(at, end), month, None, year)
    soft = _may_be_other(scan, at) and not year
    return dataclasses.replace(figure, weight=Weight.SOFT) if soft else figure


def _may_be_other(scan: Scan, at: int) -> bool:
    """Tell whether a month alone may be another word: May, March, Jan, Август (Augustus)."""
    token = scan.tokens[at]
    name = scan.language is Language.RUSSIAN and scan.text[token.start].isupper()
    return (
        name
        or token.term is Term.SHORT_MONTH
        or token.text in _OTHER_WORDS.get(scan.language, ())
        or _in_name(scan, at)
    )


def _in_name(scan: Scan, at: int) -> bool:
    """Tell whether capitals before or after it make a name of it: Black Friday, August Wilson."""
    if scan.language is not Language.ENGLISH:
        return False
    before, after = scan.token(at - 1), scan.token(at + 1)
    if before and before.term is Term.WORD and before.start and before.text not in _EARLY_AND_LATE:
        return scan.text[before.start].isupper()
    follows = after is not None and after.term is Term.WORD and scan.tokens[at].term is Term.MONTH
    return bool(follows and after and scan.text[after.start].isupper())


def _is_borrowed(scan: Scan, at: int) -> bool:
    """Tell whether the day is part of a longer German word, or English in another language."""
    word = scan.tokens[at].text
    if scan.language is Language.GERMAN:
        return not _GERMAN_DAY.fullmatch(word)
    return scan.language is not Language.ENGLISH and word.isascii()


def read_weekday(scan: Scan, at: int) -> Figure:
    """Read a day of the week."""
    token = scan.tokens[at]
    figure = weekday_figure(scan.span(at, at + 1), int(token.value))
    on_wednesday = token.text == "среду" and scan.reads(at - 1, "в")
    other = token.text in AMBIGUOUS_WEEKDAYS and not on_wednesday
    soft = other or _is_borrowed(scan, at) or _in_name(scan, at)
    return dataclasses.replace(figure, weight=Weight.SOFT) if soft else figure


def read_clock(scan: Scan, at: int) -> Figure | None:
    """Read a time of day that begins with digits: `10:30`, `10.30 Uhr`, `3 p.m.`."""
    if match := _CLOCK.match(scan.folded, scan.tokens[at].start):
        return _time(scan, at, scan.index(match.end()), int(match[1]), int(match[2]))
    hour = _HOUR.fullmatch(scan.tokens[at].text)
    if not hour or not scan.holds(at + 1, Term.OCLOCK, Term.HOUR, Term.MERIDIEM):
        return None
    return _time(scan, at, at + 1, int(hour[1]), int(hour[2] or 0))


def read_khmer_clock(scan: Scan, at: int) -> Figure | None:
    """Read a time of day whose word for hour stands before it."""
    if scan.language is not Language.KHMER or not scan.holds(at + 1, Term.NUMERAL):
        return None
    if match := _CLOCK.match(scan.folded, scan.tokens[at + 1].start):
        return _time(scan, at, scan.index(match.end()), int(match[1]), int(match[2]))
    hour = _HOUR.fullmatch(scan.tokens[at + 1].text)
    return _time(scan, at, at + 2, int(hour[1]), int(hour[2] or 0)) if hour else None


def _time(scan: Scan, at: int, end: int, hour: int, minute: int) -> Figure | None:
    """Make a time of the tokens from `at` to `end` and what belongs to it after them."""
    duration = scan.holds(end, Term.HOUR) and not minute
    if scan.holds(end, Term.OCLOCK, Term.HOUR):
        end += 1
        minutes = None if minute else _minutes(scan, end)
        minute, end = minutes or (minute, end)
    end += scan.holds(end, Term.MINUTE)
    half_day = int(scan.tokens[end].value) if scan.holds(end, Term.MERIDIEM) else None
    if hour > _LAST_HOUR or minute > _LAST_MINUTE or (duration and half_day is None and not minute):
        return None
    end += half_day is not None
    return clock_figure(scan.span(at, end), hour, minute, half_day)


def _minutes(scan: Scan, at: int) -> tuple[int, int] | None:
    """Read the minutes after the word for hour, as in `11 Uhr 30` or `10 ч. 30 мин.`."""
    here = at + 1 if scan.reads(at, ".") else at
    minutes = scan.number(here, 0, _LAST_MINUTE)
    follow = scan.reads(at - 1, "uhr") or scan.holds(here + 1, Term.MINUTE)
    return (minutes, here + 1) if minutes is not None and follow else None


def read_noon(scan: Scan, at: int) -> Figure:
    """Read a word for noon or midnight."""
    hour = int(scan.tokens[at].value)
    figure = clock_figure(scan.span(at, at + 1), hour or _LAST_HOUR, 0, hour)
    return dataclasses.replace(figure, weight=Weight.SOFT)
