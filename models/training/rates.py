"""How often a translation goes wrong in ways that an editor sees at once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.training.text import numbers

__all__ = ["Rates", "has_leftovers", "has_loop", "loses_number", "rates"]

_LOOP = re.compile(r"\b(\S(?:.{0,60}?\S)?)(?:[\s,.;]+\1\b){3}", re.IGNORECASE)
"""The same words, up to some sixty characters, four times in a row."""

_FOREIGN = re.compile(r"[\u0400-\u052f\u1780-\u17ff]")


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of the sentences, from 0 to 1.

    Attributes:
        loops: words are repeated four times in a row.
        leftovers: Cyrillic or Khmer is left.
        numbers: a number is lost that source and reference share.
        empty: nothing is said.
    """

    loops: float
    leftovers: float
    numbers: float
    empty: float


def rates(sources: Sequence[str], outputs: Sequence[str], references: Sequence[str]) -> Rates:
    """Measure how often translations loop, leave foreign script, lose a number or are empty."""
    lost = map(loses_number, sources, outputs, references)
    return Rates(
        loops=sum(map(has_loop, outputs)) / len(outputs),
        leftovers=sum(map(has_leftovers, outputs)) / len(outputs),
        numbers=sum(lost) / len(outputs),
        empty=sum(not any(map(str.isalnum, output)) for output in outputs) / len(outputs),
    )


def has_loop(text: str) -> bool:
    """Say whether the same words stand four times in a row."""
    return _LOOP.search(text) is not None


def has_leftovers(text: str) -> bool:
    """Say whether Cyrillic or Khmer letters are in an English text."""
    return _FOREIGN.search(text) is not None


def loses_number(source: str, output: str, reference: str) -> bool:
    """Say whether a number that source and reference write in digits is not in the output."""
    return not (numbers(source) & numbers(reference)) <= numbers(output)
