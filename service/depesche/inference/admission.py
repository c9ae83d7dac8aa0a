"""Who is let in to wait before a model, and who is told at once to come again."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile

from depesche.errors import DeadlineExceeded, QueueFull
from depesche.inference.backlog import Backlog
from depesche.inference.rate import Rate
from depesche.types import Priority

__all__ = ["Admission", "Room"]

_TOKENS_PER_SEGMENT = 30
"""Source tokens of a segment, about, while a release hasn't been read."""

_SHARE = 0.6
"""Share of the time up to its deadline that a call is planned to take: some of its sentences will
be decoded again, and so will some of those before it."""

_DOUBT = 2.0
"""How many times faster than the rate says a call may turn out to be, by the cache of the CPU or by
the company it gets: only one that couldn't be done even so is given up before it begins."""


@dataclass(slots=True, eq=False)
class Room:
    """What a call holds from when it comes until its segments wait in the backlog.

    Attributes:
        priority: its lane.
        segments: how many it has; a guess until it is admitted.
        tokens: its source tokens; likewise.
        admitted: whether it was read and let in.
    """

    priority: Priority
    segments: int
    tokens: int
    admitted: bool = False


class Admission:
    """Weighs calls by what is to be done before them and by how long that takes.

    Attributes:
        running: source tokens of the batches that run now.
    """

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
        self.running = 0
        self._rooms: dict[Room, None] = {}  # in the order in which they were taken

    @contextmanager
    def reserve(
        self, tokens: int, priority: Priority, deadline: float | None, *, partial: bool = False
    ) -> Iterator[Room]:
        """Hold room for a call until `give_back`, or until the context is left.

        Args:
            tokens: about how many source tokens it will have.
            priority: its lane.
            deadline: `time.monotonic()` value after which nobody wants the result, or None.
            partial: whether what can't be done by the deadline is left out.

        Raises:
            QueueFull: there is no room, or too little time; says when to come again.
        """
        room = Room(priority, max(1, tokens // _TOKENS_PER_SEGMENT), tokens)
        self._check(room, deadline, partial=partial)
        self._rooms[room] = None
        try:
            yield room
        finally:
            self.give_back(room)

    def give_back(self, room: Room) -> None:
        """End what `reserve` began: the call's segments wait in the backlog now, or it is over."""
        self._rooms.pop(room, None)

    def check(
        self,
        segments: int,
        tokens: int,
        priority: Priority,
        deadline: float | None,
        *,
        room: Room | None = None,
        partial: bool = False,
    ) -> None:
        """Let a call in that has been read, or refuse it.

        Args:
            segments: how many it has.
            tokens: its source tokens.
            priority: its lane.
            deadline: `time.monotonic()` value after which nobody wants the result, or None.
            room: what it holds. It is let in once; who came after it doesn't count.
            partial: whether what can't be done by the deadline is left out.

        Raises:
            QueueFull: there is no room, or too little time; says when to come again.
            DeadlineExceeded: even alone it would take longer than there is time.
        """
        if room is not None and room.admitted:
            return
        if room not in self._rooms:  # none, or one that is held before another model
            room = None
        room = room or Room(priority, segments, tokens)
        room.segments, room.tokens = segments, tokens
        self._check(room, deadline, partial=partial)
        if deadline is not None and not partial:
            self._check_own(tokens, deadline)
        room.admitted = True

    def seconds_waiting(self, priority: Priority) -> float:
        """Tell how long the workers take for what a lane holds, calls that are being read included.

        It is 0 for an empty lane, whatever the rate.
        """
        reserved = sum(room.tokens for room in self._rooms if room.priority is priority)
        return self._seconds(reserved + self._backlog.tokens(priority))

    def _check(self, room: Room, deadline: float | None, *, partial: bool) -> None:
        counts = self._backlog.segments()
        held = sum(other.segments for other in self._rooms_before(room))
        waiting = held + sum(counts.get(lane, 0) for lane in _lanes_before(room.priority))
        before = self._seconds_before(room)
        # A call that finds the queue empty is let in whatever its size, or it never could be.
        if waiting and waiting + room.segments > self._capacity:
            raise _full(f"the queue holds {waiting} of {self._capacity} segments", before)
        if deadline is None:
            return
        left = deadline - time.monotonic()
        # Where nothing waits, to refuse a call would help nobody.
        own = 0.0 if partial or not waiting else self._seconds(room.tokens)
        if before + own > max(left, 0) * (1.0 if partial else _SHARE):
            raise _full(
                f"{before:.1f} s of work wait and {own:.1f} s are its own, "
                f"and the deadline is in {left:.1f} s",
                before,
            )

    def _check_own(self, tokens: int, deadline: float) -> None:
        seconds, left = self._seconds(tokens), deadline - time.monotonic()
        if seconds > left * _DOUBT:
            raise DeadlineExceeded(
                f"to translate the release takes about {seconds:.1f} s, "
                f"and the deadline is in {left:.1f} s"
            )

    def _seconds_before(self, room: Room) -> float:
        """Tell how long the work takes that is to be done before that of a call."""
        tokens = sum(other.tokens for other in self._rooms_before(room))
        tokens += sum(self._backlog.tokens(lane) for lane in _lanes_before(room.priority))
        # Half of what runs is done, on average.
        return self._seconds(tokens + self.running // 2)

    def _seconds(self, tokens: int) -> float:
        return tokens / self._rate.tokens_per_second

    def _rooms_before(self, room: Room) -> Iterable[Room]:
        """Give those that count for a call: taken before its own, or all if it has none yet."""
        lanes = _lanes_before(room.priority)
        earlier = takewhile(lambda other: other is not room, self._rooms)
        return (other for other in earlier if other.priority in lanes)


def _lanes_before(priority: Priority) -> tuple[Priority, ...]:
    """Tell which lanes hold what is to be done before new work of a priority."""
    return tuple(Priority) if priority is Priority.BULK else (Priority.INTERACTIVE,)


def _full(reason: str, seconds: float) -> QueueFull:
    retry_after = max(1.0, seconds)
    return QueueFull(f"{reason}; come again in {retry_after:.0f} s", retry_after=retry_after)
