"""Training text of the model's own: of several translations drawn, the one nearest the reference.

A human translation is one of many good ones, often not one that the model would find; learning to
find the best of its own moves what it is surest of, which is what greedy decoding takes. This is
sequence-level interpolation (Kim and Rush, arXiv:1606.07947) with samples in place of a beam.
"""

import random
from collections.abc import Iterator, Mapping, Sequence

import sacrebleu

from models.training import data
from models.training.text import Pair, numbers

__all__ = ["groups", "nearest", "score", "sources"]

_LEAST_WEIGHT = 0.8
_WORDS = (6, 45)
"""Words of a reference: fewer leave no choice, more are slow to draw."""

_LOST_NUMBER = 10.0
"""Points of chrF that a number lost costs."""

_FAR = 40.0
"""Score below which even the nearest is no translation to learn from."""

_CHRF = sacrebleu.CHRF()


def sources(pairs: Sequence[Pair], wanted: Mapping[str, int], seed: int) -> list[Pair]:
    """Choose pairs whose sources are to be translated: running text, by chance.

    Args:
        pairs: the training data.
        wanted: most pairs of each language.
        seed: of the choice.
    """
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    least, most = _WORDS
    chosen: list[Pair] = []
    for language, number in wanted.items():
        fit = [
            pair
            for pair in pairs
            if pair.language == language
            and data.weight(pair) >= _LEAST_WEIGHT
            and least <= len(pair.target.split()) <= most
        ]
        chosen += chance.sample(fit, min(number, len(fit)))
    return chosen


def groups(lengths: Sequence[int], size: int, seed: int) -> Iterator[list[int]]:
    """Yield positions in groups of like lengths, in an order by chance.

    Whoever stops early thus has some of every length.
    """
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    cut = [order[start : start + size] for start in range(0, len(order), size)]
    random.Random(seed).shuffle(cut)  # noqa: S311 - reproducible, not secret
    yield from cut


def score(pair: Pair, text: str) -> float:
    """Say how near a translation is to the reference: chrF, less what lost numbers cost."""
    wanted = numbers(pair.source) & numbers(pair.target)
    lost = len(wanted - numbers(text))
    return float(_CHRF.sentence_score(text, [pair.target]).score) - _LOST_NUMBER * lost


def nearest(pair: Pair, texts: Sequence[str]) -> Pair:
    """Return the pair with the translation nearest its reference; with this if none is near."""
    best = max(texts, key=lambda text: score(pair, text))
    if score(pair, best) < _FAR:
        return pair
    return Pair(pair.source, best, pair.language, pair.corpus)
