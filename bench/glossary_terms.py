"""Terms taken from sentence pairs by rule: where people chose another word than the model does."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import snowballstemmer

from depesche.types import Language

__all__ = ["Example", "by_company", "by_decoding"]

_TOKEN = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*|\d[\d.,]*|\S")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_KHMER_RUN = re.compile("[\u1780-\u17d3\u17dd]+")
_KHMER_SYLLABLE = re.compile("[\u1780-\u17b3](?:\u17d2[\u1780-\u17b3]|[\u17b6-\u17d1\u17dd])*")
_ALGORITHMS = {Language.GERMAN: "german", Language.RUSSIAN: "russian"}
_MOST_SYLLABLES = 5
_MOST_WORDS = 2
_LEAST_LETTERS = 4
_VERBS_AND_ADVERBS = ("ing", "ed", "ly")
_SHORTLIST = 12
_LEAST_LIKENESS = 0.6
_LEAST_SENTENCES = 3
# A word of more sentences than one in so many is no term but grammar.
_RARITY = 50
_ARTICLES = frozenset({"a", "an", "the"})

_stem = snowballstemmer.stemmer("english").stemWord


@dataclass(frozen=True, slots=True)
class Example:
    """A term, with the sentence that it was taken from.

    Attributes:
        line: place of the sentence.
        source: the word or words as they stand in the source.
        english: what the reference has for it.
    """

    line: int
    source: str
    english: str


@dataclass(frozen=True, slots=True)
class _Difference:
    """A word of plain English that the reference has otherwise, and the source's likely pieces.

    Attributes:
        line: place of the sentence.
        usual: stem of the word.
        wanted: what the reference has.
        pieces: pieces of the source with their likeness to the word, the likeliest first.
    """

    line: int
    usual: str
    wanted: str
    pieces: Sequence[tuple[str, float]]


def by_decoding(
    language: Language,
    sources: Sequence[str],
    plain: Sequence[str],
    references: Sequence[str],
    decode: Callable[[Sequence[str]], Sequence[str]],
) -> list[Example]:
    """Take terms that the model, when it gets them alone, translates by the word in question.

    One word of the plain English stands against one or two others of the reference there, with the
    same words around them.

    Args:
        language: the language of the sources.
        sources: the sentences.
        plain: what plain decoding makes of them.
        references: their English by people.
        decode: translates texts.
    """
    found = list(_differences(language, sources, plain, references))
    alone = list(dict.fromkeys(piece for each in found for piece, _ in each.pieces))
    said = dict(zip(alone, map(_content, decode(alone)), strict=True))
    return _examples(
        (each, next((p for p, _ in each.pieces if said[p] == [each.usual]), None)) for each in found
    )


def by_company(
    language: Language, sources: Sequence[str], plain: Sequence[str], references: Sequence[str]
) -> list[Example]:
    """Take terms that stand in the same sentences as the word in question does.

    The model isn't asked, so that these terms are no easier for it than others; some are wrong.
    """
    found = _differences(language, sources, plain, references)
    return _examples(
        (each, next((p for p, like in each.pieces[:1] if like >= _LEAST_LIKENESS), None))
        for each in found
    )


def _examples(chosen: Iterator[tuple[_Difference, str | None]]) -> list[Example]:
    """Make one example of each line at most."""
    taken: dict[int, Example] = {}
    for each, piece in chosen:
        if piece is not None:
            taken.setdefault(each.line, Example(each.line, piece, each.wanted))
    return list(taken.values())


def _differences(
    language: Language, sources: Sequence[str], plain: Sequence[str], references: Sequence[str]
) -> Iterator[_Difference]:
    pieces = [_pieces(text, language) for text in sources]
    english = [{_stem(word.lower()) for word in _TOKEN.findall(text)} for text in plain]
    of_pieces = Counter(piece for some in pieces for piece in some)
    of_english = Counter(word for some in english for word in some)
    for line, (text, reference) in enumerate(zip(plain, references, strict=True)):
        for usual, wanted in _replaced(text, reference):
            rare = {p: t for p, t in pieces[line].items() if of_pieces[p] <= len(sources) / _RARITY}
            lines = [at for at, words in enumerate(english) if usual in words]
            together = Counter(piece for at in lines for piece in pieces[at])
            total = {piece: of_pieces[piece] + of_english[usual] for piece in rare}
            likeness = {piece: 2 * together[piece] / total[piece] for piece in rare}
            yield _Difference(line, usual, wanted, _ranked(rare, likeness, of_pieces))


def _ranked(
    pieces: Mapping[str, str], likeness: Mapping[str, float], counts: Mapping[str, int]
) -> list[tuple[str, float]]:
    """Rank pieces by likeness, which means nothing of what is rare, and then by length."""
    ranked = sorted(pieces, key=lambda piece: (likeness[piece], len(piece)), reverse=True)
    return [
        (pieces[piece], likeness[piece] if counts[piece] >= _LEAST_SENTENCES else 0.0)
        for piece in ranked[:_SHORTLIST]
    ]


def _replaced(text: str, reference: str) -> Iterator[tuple[str, str]]:
    ours, theirs = _TOKEN.findall(text), _TOKEN.findall(reference)
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    for kind, start, end, first, last in matcher.get_opcodes():
        wanted = theirs[first:last]
        if kind != "replace" or end - start > 1 or len(wanted) > _MOST_WORDS:
            continue
        usual, written = _stem(ours[start]), " ".join(wanted)
        is_content = all(map(_is_content, [ours[start], *wanted]))
        if is_content and usual not in map(_stem, wanted) and written not in text.lower():
            yield usual, written


def _is_content(word: str) -> bool:
    is_word = word.isalpha() and word.islower() and len(word) >= _LEAST_LETTERS
    return is_word and not word.endswith(_VERBS_AND_ADVERBS)


def _content(text: str) -> list[str]:
    words = [word.lower() for word in _WORD.findall(text)]
    return [_stem(word) for word in words if word not in _ARTICLES]


def _pieces(text: str, language: Language) -> dict[str, str]:
    """Give the pieces of a sentence that may be terms, by what they are compared by."""
    if language is Language.KHMER:
        return {piece: piece for run in _KHMER_RUN.findall(text) for piece in _khmer_pieces(run)}
    stem = snowballstemmer.stemmer(_ALGORITHMS[language]).stemWord
    return {stem(word.casefold()): word for word in _WORD.findall(text)}


def _khmer_pieces(run: str) -> Iterator[str]:
    spans = [match.span() for match in _KHMER_SYLLABLE.finditer(run)]
    for first, (start, _) in enumerate(spans):
        for _, end in spans[first : first + _MOST_SYLLABLES]:
            yield run[start:end]
