"""Lines of a page, and how their texts are put together again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["HYPHEN", "Line", "joined"]

HYPHEN = "\x02"
"""What PDFium writes for a hyphen at the end of a line."""

_HYPHENS = (HYPHEN, "-", "\u2010", "\u00ad")
# «Vor- und Nachteile»: the hyphen before these is the word's own.
_AFTER_OWN_HYPHEN = re.compile(r"(?:und|oder|bzw|sowie|bis|and|or|to|и|или)\b")
_KHMER = re.compile(r"[\u1780-\u17ff]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page; lengths are in points, from the page's lower left.

    Attributes:
        text: what stands there; `HYPHEN` at its end is a hyphen.
        left: where it begins.
        right: where it ends.
        y: height of its baseline.
        size: height of its letters' box.
    """

    text: str
    left: float
    right: float
    y: float
    size: float


def joined(lines: Sequence[Line]) -> str:
    """Put the texts of lines together, with the words that are divided between them made whole.

    A hyphen goes where a small letter follows, and stays in «IKT-Sicherheit» and «2021-2025».
    Khmer, which has spaces between phrases alone, is put together without any.
    """
    text = lines[0].text
    for line in lines[1:]:
        text = _joined(text, line.text)
    return " ".join(text.replace(HYPHEN, "-").split())


def _joined(text: str, following: str) -> str:
    if text.endswith(_HYPHENS) and not text[-2:-1].isspace():
        return _without_hyphen(text[:-1], following)
    khmer = _KHMER.match(text[-1:]) and _KHMER.match(following)
    return f"{text}{following}" if khmer else f"{text} {following}"


def _without_hyphen(text: str, following: str) -> str:
    if _AFTER_OWN_HYPHEN.match(following):
        return f"{text}- {following}"
    divided = text[-1:].isalpha() and following[:1].islower()
    return f"{text}{following}" if divided else f"{text}-{following}"
