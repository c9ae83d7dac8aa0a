"""Words before a figure that make it a bound: from, until, at least, at most."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from depesche.fidelity.figure import Figure, FigureKind
from depesche.fidelity.numerals import fold
from depesche.types import Language, Span

__all__ = ["Bound", "Side", "read_bound"]


class Side(StrEnum):
    """Which end of a range a figure is."""

    LOWER = "lower"
    UPPER = "upper"


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure that is one end of a range.

    Attributes:
        side: which end.
        span: where the words and the figure stand.
        said: how to say it in English.
    """

    side: Side
    span: Span
    said: str


# "To" and "by" are bounds before dates only: "grew by 5 to 20" holds none.
_DATES: Mapping[Language, tuple[str, str, str]] = {
    Language.ENGLISH: (
        r"\b(?:from|since|starting|beginning|effective|after)",
        r"\b(?:until|till|by|to|through|before)",
        r"(?:the|of|on|in|end|year|month|early|late|mid)",
    ),
    Language.GERMAN: (
        r"\b(?:ab|seit|nach)",
        r"\b(?:bis|vor|spätestens)",
        r"(?:zum|zur|de[mnrs]|am|im|einschließlich|anfang|mitte|ende|jahre?s?|monat)",
    ),
    Language.RUSSIAN: (
        r"\b(?:со?|начиная со?|после)",
        r"\b(?:до|по|не позднее)",
        r"(?:начала|середины|конец|конца|года)",
    ),
    Language.KHMER: ("(?:ចាប់ពី|ចាប់តាំងពី|តាំងពី)", "(?:រហូតដល់|ដល់|ត្រឹម)", "(?:ថ្ងៃទី|ថ្ងៃ|ខែ|ឆ្នាំ|ទី)"),
}
_QUANTITIES: Mapping[Language, tuple[str, str, str]] = {
    Language.ENGLISH: (
        r"\b(?:at least|not? (?:less|fewer) than|more than|exceed(?:s|ed|ing)?|minimum|from)",
        r"\b(?:at most|up to|not? more than|not exceed(?:ing)?|(?:less|fewer) than|maximum)",
        r"(?:a|an|the|about|around|some|of)",
    ),
    Language.GERMAN: (
        r"\b(?:mindestens|wenigstens|nicht weniger als|mehr als|ab)",
        r"\b(?:höchstens|maximal|bis(?: zu)?|(?:nicht|kaum) mehr als|weniger als)",
        r"(?:de[mnr]|eine[mnr]?|etwa|rund|circa)",
    ),
    Language.RUSSIAN: (
        r"\b(?:не ме(?:нее|ньше)(?: чем)?|минимум|по меньшей мере|свыше|бол(?:ее|ьше)(?: чем)?)",
        r"\b(?:не бол(?:ее|ьше)(?: чем)?|не свыше|максимум|до|ме(?:нее|ньше)(?: чем)?)",
        r"(?:примерно|около)",
    ),
    Language.KHMER: ("យ៉ាង(?:តិច|ហោចណាស់)", "(?:មិនលើសពី|មិនលើស|យ៉ាងច្រើន|រហូតដល់|ដល់)", "ចំនួន"),
}
_WINDOW = 60
# "Not until 15 January" and "erst ab dem 15. Januar" say the same: next to these, nothing is sure.
_DOUBT = re.compile(
    r"n't\b|\b(?:not|no|never|only|nor|nicht|nie|erst|kein\w*|nur|не|ни|лишь|только)\b|មិន"
)
_SAID = {
    (True, Side.LOWER): "from",
    (True, Side.UPPER): "until",
    (False, Side.LOWER): "at least",
    (False, Side.UPPER): "at most",
}


def _compile(words: Mapping[Language, tuple[str, str, str]]) -> dict[Language, re.Pattern[str]]:
    return {
        language: re.compile(rf"(?:(?P<lower>{lower})|(?P<upper>{upper}))(?: ?{filler}){{0,4}} ?\Z")
        if language is Language.KHMER
        else re.compile(rf"(?:(?P<lower>{lower})|(?P<upper>{upper}))(?: {filler}){{0,4}} \Z")
        for language, (lower, upper, filler) in words.items()
    }


_DATE_BOUND = _compile(_DATES)
_QUANTITY_BOUND = _compile(_QUANTITIES)


def read_bound(text: str, figure: Figure, language: Language) -> Bound | None:
    """Read the bound that the words just before `figure` make of it, if that is certain."""
    dated = figure.kind is FigureKind.DATE
    start = max(0, figure.span.start - _WINDOW)
    window = fold(text[start : figure.span.start])
    match = (_DATE_BOUND if dated else _QUANTITY_BOUND)[language].search(window)
    if match is None or _DOUBT.search(window, 0, match.start()):
        return None
    side = Side.LOWER if match["lower"] else Side.UPPER
    span = Span(start + match.start(), figure.span.end)
    return Bound(side, span, f"{_SAID[dated, side]} {figure.said}")
