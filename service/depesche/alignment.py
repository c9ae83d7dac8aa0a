"""Find the sentences of a text that each sentence of its summary rests on."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["align", "explains"]

_Floats = NDArray[np.float32]

_WORD = re.compile(r"[^\W_]+(?:[.,][0-9]+)*")
_STEM = 6  # letters that forms of a word share: announced, announcement
_LEAST_LETTERS = 3
_SMALL = """
about after all also and any are been before but can could did does each for from had has have her
him his how into its just more most not now off only other our out over said say says she should
some such than that the their them then there these they this those through under until very was
were what when where which while who why will with would you your
"""
_SMALL_WORDS = frozenset(_SMALL.split())
# Chosen on the odd ones of 150 news articles with human summaries; see bench/alignment.py.
_NAME_WEIGHT = 2.0  # of a figure or a name, against 1 of another word
_OVERLAP_SHARE = 0.5  # of a pair's score; the rest is the likeness of the embeddings
_GAIN = 0.1  # share of the words that one more sentence must explain
_MOST = 3  # sentences that one may rest on
_LEAST_COVERED = 0.4  # share of its words that those must explain
_LEAST_SCORE = 0.35  # of the best of them
_MOST_STRAYS = 3  # content words in a row that none of them holds


def align(
    text: Sequence[str], summary: Sequence[str], embeddings: _Floats, summary_embeddings: _Floats
) -> list[tuple[int, ...]]:
    """Find what each sentence of a summary rests on.

    A pair's score is the mean of the cosine of its embeddings and of the share of the summary
    sentence's content words, of which figures and names count twice, that the other one holds.
    The best one is taken; others are added while they explain words that the ones before don't.

    Args:
        text: the text's sentences.
        summary: the summary's.
        embeddings: a row of length 1 for each of the text's.
        summary_embeddings: a row of length 1 for each of the summary's.

    Returns:
        For each of the summary's, places in `text`, the one most like it first; none where nothing
        in the text explains it.
    """
    if not text:
        return [()] * len(summary)
    held = [_words(sentence).keys() for sentence in text]
    likeness = np.clip(summary_embeddings @ embeddings.T, 0, 1)
    return [
        _rest(_words(sentence), held, row) for sentence, row in zip(summary, likeness, strict=True)
    ]


def explains(source: str, sentence: str) -> bool:
    """Tell whether a sentence of a summary has no passage that what it rests on lacks.

    A paraphrase has words of its own here and there; a passage that comes from elsewhere has them
    in a row.

    Args:
        source: the sentences that it rests on, joined.
        sentence: the summary's.
    """
    held = _words(source)
    strays = 0
    for word, _ in _content(sentence):
        strays = 0 if word in held else strays + 1
        if strays > _MOST_STRAYS:
            return False
    return True


def _rest(
    words: Mapping[str, float], held: Sequence[Collection[str]], likeness: _Floats
) -> tuple[int, ...]:
    total = sum(words.values())
    if not total:
        return ()
    shares = np.array([_explained(words, other) / total for other in held], np.float32)
    scores = (1 - _OVERLAP_SHARE) * likeness + _OVERLAP_SHARE * shares
    chosen = [int(scores.argmax())]
    left = dict(words)
    while True:
        left = {word: weight for word, weight in left.items() if word not in held[chosen[-1]]}
        if len(chosen) == _MOST or not left:
            break
        gains = np.array([_explained(left, other) / total for other in held], np.float32)
        best = int((gains + _GAIN * likeness).argmax())
        if gains[best] < _GAIN:
            break
        chosen.append(best)
    covered = 1 - sum(left.values()) / total
    if scores[chosen[0]] < _LEAST_SCORE or covered < _LEAST_COVERED:
        return ()
    return tuple(chosen)


def _explained(words: Mapping[str, float], held: Collection[str]) -> float:
    return sum(weight for word, weight in words.items() if word in held)


def _words(sentence: str) -> Mapping[str, float]:
    """Give the different content words of a sentence, with their weights."""
    return dict(_content(sentence))


def _content(sentence: str) -> Iterator[tuple[str, float]]:
    """Give the content words of a sentence as they come, cut to stems, with their weights."""
    for match in _WORD.finditer(sentence):
        word = match[0]
        folded = word.casefold()
        is_figure = any(character.isdigit() for character in word)
        if not is_figure and (len(word) < _LEAST_LETTERS or folded in _SMALL_WORDS):
            continue
        is_name = match.start() > 0 and word[0].isupper()
        key = folded if is_figure else folded[:_STEM]
        yield key, _NAME_WEIGHT if is_figure or is_name else 1.0
