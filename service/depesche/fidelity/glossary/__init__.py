"""Abbreviations and countries, with the English that stands for them.

Each `<language>.tsv` holds one entry a line: the source's form, a tab, then the English forms that
may stand for it, split by `|`, the one to propose first. A form that ends in `*` accepts any
ending. `everyday.txt` and `german.txt` are lists of words, one a line; each says of what. In all,
empty lines and lines that begin with `#` are left out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from depesche.types import Language

__all__ = ["Glossary", "glossary", "word_list"]


@dataclass(frozen=True, slots=True)
class Glossary:
    """The entries of one language.

    Attributes:
        words: words as they stand, with their English forms.
        stems: beginnings of words, in lower case for Russian, with their English forms.
        pattern: finds a word that begins with a stem; its first group is the stem.
    """

    words: Mapping[str, tuple[str, ...]]
    stems: Mapping[str, tuple[str, ...]]
    pattern: re.Pattern[str]


@cache
def glossary(language: Language) -> Glossary:
    """Read the entries of `language`, which is German, Khmer or Russian."""
    rows = (line.split("\t") for line in _lines(f"{language}.tsv"))
    entries = {source: tuple(forms.split("|")) for source, forms in rows}
    words = {source: forms for source, forms in entries.items() if not source.endswith("*")}
    stems = {s.removesuffix("*"): forms for s, forms in entries.items() if s.endswith("*")}
    return Glossary(words, stems, _pattern(stems, language))


@cache
def word_list(name: str) -> frozenset[str]:
    """Read the words of `<name>.txt`."""
    return frozenset(_lines(f"{name}.txt"))


def _lines(file: str) -> list[str]:
    text = (resources.files(__name__) / file).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _pattern(stems: Mapping[str, object], language: Language) -> re.Pattern[str]:
    longest_first = "|".join(map(re.escape, sorted(stems, key=len, reverse=True)))
    # Khmer writes its words without spaces.
    if language is Language.KHMER:
        return re.compile(f"({longest_first})")
    flags = re.IGNORECASE if language is Language.RUSSIAN else re.NOFLAG
    return re.compile(rf"(?<!\w)({longest_first})\w*", flags)
