"""How fast a model works, from the batches that it has done."""

import math
import time
from collections.abc import Callable

from depesche.inference.backlog import work_of

__all__ = ["Rate"]

_FIRST = 50.0
"""Source tokens a second that one worker is taken to do until it has been measured."""

_WORK = _FIRST * work_of(1, 1, 1)
"""The same in work, for segments that are decoded one at a time."""

_GUESS_SECONDS = 0.5
"""How many measured seconds that guess weighs as much as: less than the first batch takes."""

_MEMORY_SECONDS = 60.0
"""Busy seconds after which a batch counts for 1/e. Releases are decoded first and then in part
again; the mean must hold several of them."""


class Rate:
    """Running means over the last minute of work, each batch weighing by its time.

    A low rate fades while nothing is done, up to the first guess: by it work may be given up that
    would show it to be wrong.

    Attributes:
        workers: batches that run at once.
    """

    def __init__(self, workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with a guess.

        Args:
            workers: batches that run at once.
            clock: tells the time in seconds.
        """
        self.workers = workers
        self._clock = clock
        self._added = clock()
        self._seconds = _GUESS_SECONDS
        self._first = _FIRST * _GUESS_SECONDS
        self._work = _WORK * _GUESS_SECONDS

    def add(self, first: int, work: float, seconds: float) -> None:
        """Count a batch.

        Args:
            first: its source tokens that hadn't been decoded before.
            work: what it cost, as `work_of` tells.
            seconds: how long a worker was busy with it. Over a minute, the machine stood still, and
                that says little of its speed.
        """
        seconds = min(seconds, _MEMORY_SECONDS)
        self._added = self._clock()
        kept = math.exp(-seconds / _MEMORY_SECONDS)
        self._seconds = kept * self._seconds + seconds
        self._first = kept * self._first + first
        self._work = kept * self._work + work

    @property
    def tokens_per_second(self) -> float:
        """Source tokens of new calls that all workers together do in a second.

        What is decoded again takes time and counts for nothing: a call's own tokens are known when
        it comes, and how many of them will be decoded again isn't.
        """
        return self.workers * self._mean(self._first, _FIRST)

    @property
    def work_per_second(self) -> float:
        """Work that one worker does in a second, as `work_of` tells it."""
        return self._mean(self._work, _WORK)

    def _mean(self, done: float, guess: float) -> float:
        """Divide by the measured seconds, unless it is long ago and little."""
        faded = 1 - math.exp((self._added - self._clock()) / _MEMORY_SECONDS)
        return max(1e-3, done / self._seconds, faded * guess)
