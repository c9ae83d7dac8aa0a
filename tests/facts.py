"""The facts that the English of an example must hold; `data/facts.toml` tells their format."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Example", "Fact", "load_examples"]

_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of a release and the ways of saying it in English."""

    source: str
    any_of: list[str]
    where: Literal["brief", "translation"]
    required: bool

    def holds(self, english: str) -> bool:
        """Tell whether `english` states the fact."""
        text = " ".join(english.split()).casefold()
        return any(_find(way.casefold(), text) for way in self.any_of)


@dataclass(frozen=True, slots=True)
class Example:
    """One release of `examples/` and its facts."""

    name: str
    path: Path
    facts: list[Fact]


def load_examples() -> list[Example]:
    """Read the examples and their facts, in the order of the file."""
    with (_ROOT / "tests/data/facts.toml").open("rb") as file:
        releases = tomllib.load(file)["release"]
    return [
        Example(name, _ROOT / entry["file"], [Fact(**fact) for fact in entry["fact"]])
        for name, entry in releases.items()
    ]


def _find(way: str, text: str) -> bool:
    """Find `way` as a whole word or figure: not as the `25` of `3.25`, `25,000` or `250`."""
    before = r"(?<!\w)(?<!\d[.,])" if way[0].isalnum() else ""
    after = r"(?!\w|[.,]\d)" if way[-1].isalnum() else ""
    return re.search(before + re.escape(way) + after, text) is not None
