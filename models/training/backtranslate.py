"""Back-translation: English sentences that a reversed model puts into a language short of pairs.

What the translator learns to write is then human, and only what it reads is a model's (Sennrich et
al. 2016, arXiv:1511.06709). Drawn by chance, not the best, for sources of more kinds (Edunov et al.
2018, arXiv:1808.09381); and marked, so that the translator doesn't take them for the language as it
is written (Caswell et al. 2019, arXiv:1906.06442): `finetune.encode` does that.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from models.training import data
from models.training.text import Pair, clean_source, fault, folded

__all__ = ["cleaned", "put", "wanted"]

_LEAST_WEIGHT = 0.8
_WORDS = (4, 45)
"""Words of a sentence."""


def wanted(pairs: Sequence[Pair], numbers: Mapping[str, int], seed: int) -> list[Pair]:
    """Choose English sentences, and the languages to put them into.

    They are the references of the other languages' running text.

    Args:
        pairs: the training data.
        numbers: most sentences of each language.
        seed: of the choice.

    Returns:
        Pairs with an empty source.
    """
    chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
    chosen: list[Pair] = []
    for language, number in numbers.items():
        own = {folded(pair.target) for pair in pairs if pair.language == language}
        others = {
            folded(pair.target): pair.target
            for pair in pairs
            if pair.language != language and _fits(pair)
        }
        texts = [text for key, text in others.items() if key not in own]
        chosen += [
            Pair("", text, language, data.BACKTRANSLATED)
            for text in chance.sample(texts, min(number, len(texts)))
        ]
    return chosen


def _fits(pair: Pair) -> bool:
    least, most = _WORDS
    return data.weight(pair) >= _LEAST_WEIGHT and least <= len(pair.target.split()) <= most


def put(pairs: Iterable[Pair], texts: Iterable[Sequence[str]]) -> list[Pair]:
    """Return chosen pairs with the one text that was drawn for each as its source."""
    return [replace(pair, source=text) for pair, [text] in zip(pairs, texts, strict=True)]


def cleaned(pairs: Iterable[Pair]) -> list[Pair]:
    """Clean the sources; leave out what would be left out if a person had written it."""
    clean = [replace(pair, source=clean_source(pair.source, pair.language)) for pair in pairs]
    return [pair for pair in clean if not fault(pair)]
