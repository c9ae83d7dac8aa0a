"""Who is let in to wait before a model, and who is told at once to come again."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from depesche.errors import QueueFull
from depesche.inference.backlog import Backlog
from depesche.inference.rate import Rate
from depesche.types import Priority

__all__ = ["Admission"]


class Admission:
    """Weighs calls by what is to be done before them and by how long that takes."""

    def __init__(self, backlog: Backlog, rate: Rate, capacity: int) -> None:
        """Stand before a backlog.

        Args:
            backlog: what waits.
            rate: how fast it is done.
            capacity: most segments that may wait before a new call.
        """
        self._backlog = backlog
        self._rate = rate
        self._capacity = capacity
        self._reserved = dict.fromkeys(Priority, 0)

    @contextmanager
    def reserve(
        self, tokens: int, priority: Priority, deadline: float | None
    ) -> Iterator[Callable[[], None]]:
        """Hold room for a call from when it comes until it is read, when `check` weighs it anew.

        Args:
            tokens: about how many source tokens it will have.
            priority: its lane.
            deadline: `time.monotonic()` value after which nobody wants the result, or None.

        Yields:
            A function that gives the room back; so does leaving the context.

        Raises:
            QueueFull: what waits before it would take longer than its deadline allows.
        """
        self._check_deadline(priority, deadline)
        held = [tokens]
        self._reserved[priority] += tokens

        def release() -> None:
            if held:
                self._reserved[priority] -= held.pop()

        try:
            yield release
        finally:
            release()

    def check(self, segments: int, priority: Priority, deadline: float | None) -> None:
        """Let a call of so many segments in, or refuse it.

        Raises:
            QueueFull: there is no room, or too little time; says when to come again.
        """
        counts = self._backlog.segments()
        waiting = sum(counts.get(lane, 0) for lane in _lanes_before(priority))
        # A call that finds the queue empty is let in whatever its size, or it never could be.
        if waiting and waiting + segments > self._capacity:
            raise _full(
                f"the queue holds {waiting} of {self._capacity} segments",
                self._seconds_before(priority),
            )
        self._check_deadline(priority, deadline)

    def _check_deadline(self, priority: Priority, deadline: float | None) -> None:
        if deadline is None:
            return
        before, left = self._seconds_before(priority), deadline - time.monotonic()
        if before > max(left, 0):
            raise _full(f"{before:.1f} s of work wait, and the deadline is in {left:.1f} s", before)

    def _seconds_before(self, priority: Priority) -> float:
        """Tell how long the work takes that is to be done before new work of a priority."""
        lanes = _lanes_before(priority)
        tokens = sum(self._backlog.tokens(lane) + self._reserved[lane] for lane in lanes)
        return tokens / self._rate.tokens_per_second


def _lanes_before(priority: Priority) -> Iterable[Priority]:
    """Tell which lanes hold what is to be done before new work of a priority."""
    return Priority if priority is Priority.BULK else (Priority.INTERACTIVE,)


def _full(reason: str, seconds: float) -> QueueFull:
    retry_after = max(1.0, seconds)
    return QueueFull(f"{reason}; come again in {retry_after:.0f} s", retry_after=retry_after)
