"""Finding the terms of a glossary in sentences, in whatever form they stand there."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import snowballstemmer

from depesche.text.normalize import normalize
from depesche.types import GlossaryTerm, Language, Span

__all__ = ["TermPlace", "Terms", "one_line", "substitute"]

# A word with its hyphenated parts and its stress marks, or one sign.
_LETTER = r"(?:[^\W_]|[\u0300-\u036f])"
_UNIT = re.compile(rf"{_LETTER}+(?:[-‐‑'’]{_LETTER}+)*|\S")
_STRESS = re.compile("[\u0300-\u036f]")
_ALGORITHMS = {Language.GERMAN: "german", Language.RUSSIAN: "russian"}
# What can't begin a syllable of Khmer: vowels and signs; a subscript goes on from the sign coeng.
_DEPENDENT = re.compile("[\u17b6-\u17d3\u17dd]")
_COENG = "\u17d2"
# What two words must not meet with.
_LETTER_OF_ANY = re.compile("[\\w\u17b4-\u17d3\u17dd]")
_STEMS = 20_000


@dataclass(frozen=True, slots=True)
class TermPlace:
    """A term at one place of a sentence.

    Attributes:
        number: the term's place in the glossary, from 0.
        source: the term as the glossary has it, normalised.
        span: where it stands in the normalised sentence.
        forms: the English that may stand for it, the best first; never empty.
    """

    number: int
    source: str
    span: Span
    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Unit:
    """What a text is compared by: a word or sign, or a letter of Khmer."""

    key: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Entry:
    """A term, and the words or signs that it is made of."""

    number: int
    source: str
    target: str
    words: tuple[str, ...]


@dataclass(slots=True)
class _Node:
    """What terms go on with after some first units, and those that end there."""

    following: dict[str, "_Node"] = field(default_factory=dict)
    entries: list[_Entry] = field(default_factory=list)


class Terms:
    """A glossary for one language; not for use from several threads at once.

    German and Russian words match in all forms that share a stem by Snowball's rules. English words
    must be the same. Khmer, which has no spaces between words, is searched letter for letter, and
    only whole syllables count. Case counts in abbreviations, and where a term of one word begins
    with a capital: "Essen" isn't "essen", which is both. A part of a longer word is no match.
    """

    def __init__(self, terms: Sequence[GlossaryTerm], language: Language) -> None:
        """Prepare the terms of a glossary.

        Args:
            terms: as the caller gave them.
            language: the language of the sentences.
        """
        self._khmer = language is Language.KHMER
        self._stem = _stemmer(language)
        self._root = _Node()
        for number, term in enumerate(terms):
            source = one_line(term.source)
            units = self._units(source)
            words = tuple(source[unit.start : unit.end] for unit in units)
            node = self._root
            for unit in units:
                node = node.following.setdefault(unit.key, _Node())
            node.entries.append(_Entry(number, source, one_line(term.target), words))

    def find(self, text: str) -> tuple[TermPlace, ...]:
        """Find the terms in a normalised sentence: from its start, the longest at each place.

        They don't overlap. Of terms that match alike, the one that is spelt as the text is wins, or
        else the first.
        """
        return tuple(self._places(text)) if self._root.following else ()

    def _places(self, text: str) -> Iterator[TermPlace]:
        units = self._units(text)
        at = 0
        while at < len(units):
            ends = reversed(list(self._ends(units, at)))
            found = ((end, self._match(text, units[at:end], entries)) for end, entries in ends)
            end, entry = next(((end, e) for end, e in found if e is not None), (at + 1, None))
            if entry is not None:
                span = Span(units[at].start, units[end - 1].end)
                forms = _forms(entry, text[span.start : span.end])
                yield TermPlace(entry.number, entry.source, span, forms)
            at = end

    def _ends(self, units: Sequence[_Unit], start: int) -> Iterator[tuple[int, Sequence[_Entry]]]:
        """Tell where terms end that begin at a unit, from the shortest to the longest."""
        node: _Node | None = self._root
        for at in range(start, len(units)):
            node = node.following.get(units[at].key) if node else None
            if node is None:
                return
            if node.entries:
                yield at + 1, node.entries

    def _match(self, text: str, units: Sequence[_Unit], entries: Sequence[_Entry]) -> _Entry | None:
        start, end = units[0].start, units[-1].end
        if self._khmer and not _is_whole(text, start, end):
            return None
        words = [text[unit.start : unit.end] for unit in units]
        fitting = [entry for entry in entries if self._khmer or _fits(entry.words, words)]
        surface = text[start:end]
        return next((e for e in fitting if e.source == surface), fitting[0] if fitting else None)

    def _units(self, text: str) -> list[_Unit]:
        if self._khmer:
            return [_Unit(letter, at, at + 1) for at, letter in enumerate(text)]
        return [
            _Unit(self._stem(match[0]), match.start(), match.end())
            for match in _UNIT.finditer(text)
        ]


def one_line(text: str) -> str:
    """Write a term as sentences are written: normalised, and without line breaks."""
    return " ".join(normalize(text).text.split())


def substitute(text: str, places: Sequence[TermPlace]) -> str:
    """Put the English of each term in its place in the source, as words of their own."""
    pieces: list[str] = []
    end = 0
    for place in places:
        pieces += text[end : place.span.start], place.forms[0]
        end = place.span.end
    return "".join(_spaced(filter(None, [*pieces, text[end:]])))


def _spaced(pieces: Iterable[str]) -> Iterator[str]:
    """Give pieces of a text with a space where letters would meet, as they do in Khmer."""
    last = ""
    for piece in pieces:
        if _LETTER_OF_ANY.match(last) and _LETTER_OF_ANY.match(piece):
            yield " "
        yield piece
        last = piece[-1]


def _stemmer(language: Language) -> Callable[[str], str]:
    if language not in _ALGORITHMS:
        return str.casefold
    # One for each glossary: it keeps the word at hand in itself.
    stemmer = snowballstemmer.stemmer(_ALGORITHMS[language])

    @lru_cache(_STEMS)
    def stem(word: str) -> str:
        if word.endswith("s") and _is_abbreviation(word[:-1]):
            return word[:-1].casefold()
        return str(stemmer.stemWord(_STRESS.sub("", word).casefold()))

    return stem


def _fits(term: Sequence[str], words: Sequence[str]) -> bool:
    """Tell whether words that have a term's stems have its capitals as well.

    The only ending of abbreviations is an s: LKWs.
    """
    if len(term) == 1 and term[0][0].isupper() and not words[0][0].isupper():
        return False
    return all(
        word in (part, f"{part}s")
        for part, word in zip(term, words, strict=True)
        if _is_abbreviation(part)
    )


def _is_abbreviation(word: str) -> bool:
    return word.isupper() and len(word) > 1


def _is_whole(text: str, start: int, end: int) -> bool:
    """Tell whether a match in Khmer cuts neither a syllable nor a word of other letters."""
    if _DEPENDENT.match(text, start) or _DEPENDENT.match(text, end):
        return False
    if text[end - 1] == _COENG or text[start - 1 : start] == _COENG:
        return False
    return not (_joins(text, start) or _joins(text, end))


def _joins(text: str, at: int) -> bool:
    """Tell whether two figures stand at `at`, or two letters that aren't Khmer."""
    around = text[max(0, at - 1) : at + 1]
    if 0 < at < len(text) and around.isalnum():
        return around.isdecimal() or not any("ក" <= letter <= "៓" for letter in around)
    return False


def _forms(entry: _Entry, surface: str) -> tuple[str, ...]:
    """Tell what English may stand for a term: its own, or else the term itself."""
    return (entry.target,) if entry.target else tuple(dict.fromkeys((entry.source, surface)))
