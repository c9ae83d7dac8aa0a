"""The English of a sentence, indexed for looking names up."""

import re
from functools import cached_property
from itertools import pairwise

from depesche.fidelity.romanise import fold, stem
from depesche.types import Span

__all__ = ["Target", "plain"]

_WORD = re.compile(r"(?<![^\W_])[^\W_]{1,40}(?:['’.&+-][^\W_]{1,40})?(?![^\W_])")
_POSSESSIVE = re.compile(r"['’]s\b|(?<=s)['’](?!\w)")
_DOTTED = re.compile(r"\b(?:[^\W\d_]\.){2,}|\b(?:[^\W\d_]\.)+[^\W\d_]\b")
_GAP = re.compile(r"[\W_]+")
_SMALL_WORDS = frozenset({"a", "and", "for", "in", "of", "on", "the", "to"})
# Comparing by likeness costs their product; no sentence comes near it.
_MOST_CAPITALISED = 300
_SHORT = 2


def plain(text: str) -> str:
    """Write `text` in lower case with one space for all that isn't a letter or digit.

    Dots inside an abbreviation and possessive endings go: "the U.S.'s GDP" is "the us gdp".
    """
    undotted = _DOTTED.sub(lambda match: match[0].replace(".", ""), _POSSESSIVE.sub("", text))
    return _GAP.sub(" ", undotted.casefold()).strip()


class Target:
    """An English sentence, and what it holds.

    Attributes:
        text: the sentence.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def holds(self, form: str) -> bool:
        """Tell whether the words of `form` occur; a form that ends in `*` accepts any ending."""
        words = plain(form)
        if form.endswith("*"):
            return f" {words}" in self._plain
        return f" {words} " in self._plain or f" {words}s " in self._plain

    def joins(self, form: str) -> bool:
        """Tell whether `form` occurs with hyphens and spaces elsewhere, as Wi-Fi for wifi."""
        key = plain(form).replace(" ", "")
        return key in self._keys

    def spells_out(self, abbreviation: str) -> bool:
        """Tell whether words in a row begin with the letters of `abbreviation`.

        Two letters need capitalised words, as any two words may begin with them by chance.
        """
        letters = abbreviation.casefold()
        capitalised, all_words = self._initials
        return letters in (capitalised if len(letters) <= _SHORT else all_words)

    def find(self, form: str) -> Span | None:
        """Find where `form` occurs as it is written, as a word."""
        match = re.search(rf"(?<!\w){re.escape(form)}(?:s?)(?!\w)", self.text)
        return Span(match.start(), match.start() + len(form)) if match else None

    @cached_property
    def names(self) -> frozenset[str]:
        """Folded capitalised words, whole and by their hyphenated parts."""
        return frozenset(map(fold, self._capitalised))

    @cached_property
    def stems(self) -> frozenset[str]:
        """Stems of the capitalised words, for names that a Cyrillic source inflects."""
        return frozenset(map(stem, self._capitalised))

    @cached_property
    def _capitalised(self) -> frozenset[str]:
        words = [match[0] for match in _WORD.finditer(_POSSESSIVE.sub("", self.text))]
        whole = [word for word in words if word[0].isupper()][:_MOST_CAPITALISED]
        return frozenset(whole) | {part for word in whole for part in word.split("-") if part}

    @cached_property
    def _plain(self) -> str:
        return f" {plain(self.text)} "

    @cached_property
    def _keys(self) -> frozenset[str]:
        words = self._plain.split()
        pairs = map("".join, pairwise(words))
        triples = map("".join, zip(words, words[1:], words[2:], strict=False))
        keys = {*words, *pairs, *triples}
        return frozenset(
            keys | {f"{key}s" for key in keys} | {key.removesuffix("s") for key in keys}
        )

    @cached_property
    def _initials(self) -> tuple[str, str]:
        words = [w for w in _GAP.split(self.text) if w and w.casefold() not in _SMALL_WORDS]
        capitalised = "".join(word[0].casefold() if word[0].isupper() else " " for word in words)
        return capitalised, "".join(word[0].casefold() for word in words)
