"""Turn English sentences into vectors whose dot product is their likeness in meaning."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import ctranslate2
import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from depesche.errors import ModelError

__all__ = ["CTranslateEncoder", "SentenceEncoder", "unit_rows"]

_MAX_WORD_PIECES = 256
_BATCH_WORD_PIECES = 1024


class SentenceEncoder(Protocol):
    """Whatever embeds sentences. Its methods block and may be called from several threads."""

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Embed each sentence as one row of Euclidean length 1, or 0 if it holds no word."""
        ...

    def close(self) -> None:
        """Free the model's memory. Calls after this one are errors."""
        ...


class CTranslateEncoder:
    """A BERT-like sentence encoder on CTranslate2, with int8 weights.

    A sentence's vector is the mean of its word pieces' last hidden states, scaled to length 1
    (Reimers & Gurevych 2019, "Sentence-BERT"). Of a sentence of more than 256 word pieces, some
    190 words, the first 256 stand for the whole: the length all-MiniLM-L6-v2 was published with.

    int8 results can depend in the last bits on which sentences share a batch, so batches depend
    on nothing but the sentences of one call.
    """

    def __init__(self, path: Path, workers: int = 1, threads_per_worker: int = 1) -> None:
        """Load the model.

        Args:
            path: folder of the converted model and its `tokenizer.json`.
            workers: calls that run at once; 1 or more.
            threads_per_worker: CPU threads of one call; 1 or more.

        Raises:
            ModelError: the files can't be loaded.
        """
        try:
            self._tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
            self._encoder = ctranslate2.Encoder(
                str(path),
                device="cpu",
                compute_type="int8",
                inter_threads=workers,
                intra_threads=threads_per_worker,
            )
        except Exception as error:  # tokenizers raises bare Exception
            raise ModelError(f"the model in {path} can't be loaded: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MAX_WORD_PIECES)

    @property
    def quantisation(self) -> str:
        """The compute type that CTranslate2 chose for this CPU."""
        return str(self._encoder.compute_type)

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """Embed sentences; see `SentenceEncoder`."""
        if not sentences:
            return np.zeros((0, 0), np.float32)
        # One by one, since `encode_batch` starts a thread for every CPU of the machine.
        pieces = [self._tokenizer.encode(sentence).ids for sentence in sentences]
        rows: dict[int, NDArray[np.float32]] = {}
        for batch in _batches([len(ids) for ids in pieces]):
            rows.update(zip(batch, self._embed([pieces[i] for i in batch]), strict=True))
        return np.stack([rows[i] for i in range(len(sentences))])

    def close(self) -> None:
        """Free the model's memory. Calls after this one are errors."""
        self._encoder.unload_model()

    def _embed(self, batch: list[list[int]]) -> NDArray[np.float32]:
        states = np.array(self._encoder.forward_batch(batch).last_hidden_state, np.float32)
        lengths = np.array([len(ids) for ids in batch])
        # Padding has hidden states too, and they must not count.
        present = np.arange(states.shape[1]) < lengths[:, None]
        return unit_rows((states * present[:, :, None]).sum(axis=1))


def unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale each row to Euclidean length 1; a row of zeros stays."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Group sentences, the shortest first, so that each padded batch keeps to the budget."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batches and (len(batches[-1]) + 1) * lengths[index] <= _BATCH_WORD_PIECES:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches
