"""Abbreviations, countries and cities, with the English that stands for them.

Each `<language>.tsv` holds one entry a line: the source's form, a tab, then the English forms that
may stand for it, split by `|`, the one to propose first. A form that ends in `*` accepts any
ending; a source's form may also end in `=` and is a whole word then. `countries.txt`,
`everyday.txt`, `german.txt` and `nouns.txt` are lists of words, one a line; each says of what. In
all, empty lines and lines that begin with `#` are left out.
"""

import re
from collections.abc import Iterable, Mapping
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
        stems: beginnings of words and whole words, in lower case for Russian, with their English
            forms.
        pattern: finds a word that begins with a stem or is a whole one; its group is that.
    """

    words: Mapping[str, tuple[str, ...]]
    stems: Mapping[str, tuple[str, ...]]
    pattern: re.Pattern[str]


@cache
def glossary(language: Language) -> Glossary:
    """Read the entries of `language`, which is German, Khmer or Russian."""
    rows = (line.split("\t") for line in _lines(f"{language}.tsv"))
    entries = {source: tuple(forms.split("|")) for source, forms in rows}
    words = {source: forms for source, forms in entries.items() if source[-1] not in "*="}
    stems = {source[:-1]: forms for source, forms in entries.items() if source[-1] in "*="}
    return Glossary(words, stems, _pattern(entries, language))


@cache
def word_list(name: str) -> frozenset[str]:
    """Read the words of `<name>.txt`."""
    return frozenset(_lines(f"{name}.txt"))


def _lines(file: str) -> list[str]:
    text = (resources.files(__name__) / file).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _pattern(entries: Mapping[str, object], language: Language) -> re.Pattern[str]:
    stems = _longest_first(source[:-1] for source in entries if source.endswith("*"))
    # Khmer writes its words without spaces.
    if language is Language.KHMER:
        return re.compile(f"(?P<stem>{stems})")
    whole = _longest_first(source[:-1] for source in entries if source.endswith("="))
    flags = re.IGNORECASE if language is Language.RUSSIAN else re.NOFLAG
    return re.compile(rf"(?<!\w)(?:(?P<stem>{stems})\w*|(?P<whole>{whole})(?!\w))", flags)


def _longest_first(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
