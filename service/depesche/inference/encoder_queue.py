"""The way to the sentence encoder: some sentences at a time, in turn with the other models."""

import asyncio
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depesche.inference.encoder import SentenceEncoder
from depesche.inference.observer import NULL_OBSERVER, Observer
from depesche.inference.slots import Slots

__all__ = ["EncoderQueue"]

_AT_ONCE = 32
"""Sentences encoded at a time, some 80 ms on one core: who wants a place waits no longer for it."""


class EncoderQueue:
    """Runs an encoder on the places of the CPU that all models share."""

    def __init__(
        self, name: str, encoder: SentenceEncoder, slots: Slots, observer: Observer = NULL_OBSERVER
    ) -> None:
        """Make a queue.

        Args:
            name: the model's name, for the observer.
            encoder: the model.
            slots: the CPU's places.
            observer: told of waits and of the time that the encoder takes.
        """
        self._name = name
        self._encoder = encoder
        self._slots = slots
        self._observer = observer

    def admit(self) -> None:
        """Refuse a call that needs nothing but the encoder while many wait for it.

        Raises:
            QueueFull: they do.
        """
        self._slots.admit_short()

    async def encode(
        self, sentences: Sequence[str], cutoff: float | None = None
    ) -> NDArray[np.float32]:
        """Embed sentences; see `SentenceEncoder`.

        Args:
            sentences: what to embed; one or more.
            cutoff: `time.monotonic()` value after which not to wait for a place any more: the
                batches that run may take longer than the deadline is away.
        """
        rows = [
            await self._run(sentences[start : start + _AT_ONCE], cutoff)
            for start in range(0, len(sentences), _AT_ONCE)
        ]
        return np.concatenate(rows)

    async def _run(self, sentences: Sequence[str], cutoff: float | None) -> NDArray[np.float32]:
        came = time.monotonic()
        patience = None if cutoff is None else max(0.0, cutoff - came)
        async with self._slots.use(short=True, patience=patience):
            started = time.monotonic()
            self._observer.waited(self._name, started - came)
            try:
                return await asyncio.to_thread(self._encoder.encode, sentences)
            finally:
                self._observer.batch_finished(self._name, time.monotonic() - started)
