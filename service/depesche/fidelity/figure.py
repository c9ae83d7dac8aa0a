"""One figure of a text, in a form that can be compared across languages."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from depesche.fidelity.dates import ENGLISH_MONTHS, ENGLISH_WEEKDAYS
from depesche.types import Span

__all__ = [
    "Figure",
    "FigureKind",
    "Key",
    "Meaning",
    "Weight",
    "clock_figure",
    "clock_keys",
    "date_figure",
    "date_key",
    "number_keys",
    "weekday_figure",
]

Key = tuple[str, Decimal | str]
"""A unit and a value in it: "" for bare numbers, "%", a currency, "time" in minutes and so on."""


class FigureKind(StrEnum):
    """What a figure states; each has its own kinds of finding."""

    NUMBER = "number"
    DATE = "date"
    PERCENTAGE = "percentage"
    AMOUNT = "amount"


class Weight(StrEnum):
    """What it means if a figure has no counterpart.

    `FIRM`: an error. `NAME`, digits of a name, and `WORD`, a small number in words: an error if the
    other text has one of its kind over as well, as with COVID-19 and COVID-18, or three and four.
    `SOFT`: nothing, as translators turn "one" and "the first" freely.
    """

    FIRM = "firm"
    NAME = "name"
    WORD = "word"
    SOFT = "soft"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a figure, or a part of one, may mean.

    Two meanings agree if one's keys meet the other's keys or its hints. Hints alone don't agree:
    "3" may be 15:00, and so may "15", but "3" isn't "15".

    Attributes:
        keys: what it states.
        hints: what it may be taken for.
    """

    keys: frozenset[Key]
    hints: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure.

    Attributes:
        kind: what it states.
        span: where it stands.
        said: how to say it in English.
        meaning: what it may mean.
        parts: what it falls into; they may be matched one by one instead of the whole.
        weight: what it means if it has no counterpart.
        values: its bare values, likeliest first, where it is a quantity.
        unit: the unit of these values, "" for bare numbers.
        scale: what its scale words multiply by.
    """

    kind: FigureKind
    span: Span
    said: str
    meaning: Meaning
    parts: tuple[Meaning, ...] = ()
    weight: Weight = Weight.FIRM
    values: tuple[Decimal, ...] = ()
    unit: str = ""
    scale: Decimal = Decimal(1)


def number_keys(*values: Decimal | int, unit: str = "") -> frozenset[Key]:
    """Give the keys of a quantity that may be any of `values`."""
    return frozenset((unit, Decimal(value)) for value in values)


def date_key(day: int | None, month: int, year: int | None = None) -> Key:
    """Give the key of a date."""
    return "date", f"{day or ''}-{month}-{year or ''}"


def date_figure(span: Span, month: int, day: int | None = None, year: int | None = None) -> Figure:
    """Make the figure of a month, a day of a month, or either in a year."""
    parts = [Meaning(frozenset({("month", Decimal(month))}))]
    parts.extend(Meaning(number_keys(number)) for number in (day, year) if number is not None)
    said = " ".join(
        str(part) for part in (day, ENGLISH_MONTHS[month - 1], year) if part is not None
    )
    if len(parts) == 1:
        return Figure(FigureKind.DATE, span, said, parts[0])
    meaning = Meaning(frozenset({date_key(day, month, year)}))
    return Figure(FigureKind.DATE, span, said, meaning, tuple(parts))


def weekday_figure(span: Span, number: int) -> Figure:
    """Make the figure of a day of the week, 1 being Monday."""
    keys: frozenset[Key] = frozenset({("weekday", Decimal(number))})
    return Figure(FigureKind.DATE, span, ENGLISH_WEEKDAYS[number - 1], Meaning(keys))


def clock_keys(hour: int, minute: int, half_day: int | None = None) -> frozenset[Key]:
    """Give the keys of a time of day.

    Args:
        hour: 0 to 24.
        minute: 0 to 59.
        half_day: 0 before noon, 12 after it, or None where the text doesn't say; an hour up to 12
            then may be either.
    """
    if half_day is not None and hour <= 12:  # noqa: PLR2004 -- clock
        hours = [hour % 12 + half_day]
    else:
        hours = [hour, (hour + 12) % 24] if hour <= 12 else [hour]  # noqa: PLR2004 -- clock
    return frozenset(("time", Decimal(each * 60 + minute) % 1440) for each in hours)


def clock_figure(span: Span, hour: int, minute: int, half_day: int | None = None) -> Figure:
    """Make the figure of a time of day; see `clock_keys` for the arguments."""
    keys = clock_keys(hour, minute, half_day)
    hours = number_keys(hour, hour % 12, *((hour + 12,) if half_day else ()))
    said = f"{hour % 12 + half_day if half_day and hour <= 12 else hour}:{minute:02}"  # noqa: PLR2004 -- clock
    if minute == 0:
        return Figure(FigureKind.DATE, span, said, Meaning(keys, hints=hours))
    # As hints, the parts agree with numbers but not with another time.
    parts = (Meaning(frozenset(), hours), Meaning(frozenset(), number_keys(minute)))
    return Figure(FigureKind.DATE, span, said, Meaning(keys), parts)
