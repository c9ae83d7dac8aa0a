"""A sentence encoder without a model, for tests of everything around one."""

import re
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from depesche.inference.encoder import unit_rows

__all__ = ["FakeEncoder"]

_WORD = re.compile(r"\w+")


class FakeEncoder:
    """Embeds a sentence as the bag of its words, hashed; sentences are alike that share words.

    Attributes:
        history: the sentences of every call, in order.
    """

    quantisation = "none"

    def __init__(self, dimensions: int = 256) -> None:
        """Make an encoder whose vectors have `dimensions` components."""
        self.history: list[list[str]] = []
        self._dimensions = dimensions

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Embed sentences; see `SentenceEncoder`."""
        self.history.append(list(sentences))
        rows = np.zeros((len(sentences), self._dimensions), np.float32)
        for row, sentence in zip(rows, sentences, strict=True):
            for word in _WORD.findall(sentence.lower()):
                row[self._component(word)] += 1
        return unit_rows(rows)

    def close(self) -> None:
        """Do nothing: there is no memory to free."""

    def _component(self, word: str) -> int:
        # Python's own hash of a string differs from one process to the next.
        return int.from_bytes(blake2b(word.encode(), digest_size=8).digest()) % self._dimensions
