"""What waits before a model, and which of it makes the next batch; no clock, no tasks, no model.

There are two lanes. While a person waits, bulk work gets one batch in nine. Within a lane the most
urgent segment heads the next batch, and segments of about its length fill it.
"""

import heapq
import math
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

from depesche.types import Priority

__all__ = ["Backlog", "Group", "Segment", "cut_batches", "is_worth", "work_of"]

_INTERACTIVE_RUN = 8
"""Batches of the interactive lane after which a bulk batch goes first, if one waits."""

_LEFT_OVER = 64
"""Entries for segments that are gone which a lane keeps, beside one for each that waits."""

_STEP = 3.0
"""What a decoding step costs whatever the batch, in units of what each row adds to it.

With the embedded model on one core a step takes about 10 ms and 2 to 3 ms more a row
(`bench/batches.py`).
"""

_COMPANY = 2.0
"""How many times as long as its head alone a batch may take, where that is over the usual time.

That is five rows of equal lengths, for twice the tokens a second and more.
"""


class Group(NamedTuple):
    """Segments of equal groups may share a batch.

    Attributes:
        beam_size: width of the beam.
        batch: number of the one batch that they were cut for, or None to share any.
    """

    beam_size: int
    batch: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A segment that waits.

    Attributes:
        tokens: its source tokens; one at least.
        group: what it may share a batch with.
        priority: its lane.
        urgency: `time.monotonic()` value at which it should be done; the smallest is first.
        queued_at: `time.monotonic()` value at which it came.
    """

    tokens: Sequence[str]
    group: Group
    priority: Priority
    urgency: float
    queued_at: float

    def __len__(self) -> int:
        return len(self.tokens)


class _Place(NamedTuple):
    """Where a segment stands among its group: by length, then by urgency."""

    length: int
    urgency: float
    number: int
    segment: Segment


class _Lane:
    """The segments of one priority."""

    def __init__(self) -> None:
        self.tokens = 0
        self._numbers = count()
        self._urgent: list[tuple[float, int, Segment]] = []
        self._places: dict[Segment, _Place] = {}
        self._groups: defaultdict[Group, list[_Place]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._places)

    def add(self, segment: Segment) -> None:
        number = next(self._numbers)
        place = _Place(len(segment), segment.urgency, number, segment)
        self._places[segment] = place
        self.tokens += place.length
        heapq.heappush(self._urgent, (segment.urgency, number, segment))
        # The number is unique, so segments themselves are never compared.
        insort(self._groups[segment.group], place)

    def remove(self, segment: Segment) -> bool:
        """Take a segment out; tells whether it was there."""
        place = self._places.pop(segment, None)
        if place is None:
            return False
        self.tokens -= place.length
        group = self._groups[segment.group]
        del group[bisect_left(group, place)]
        if not group:
            del self._groups[segment.group]
        if len(self._urgent) > 2 * len(self._places) + _LEFT_OVER:
            self._sweep()
        return True

    def _sweep(self) -> None:
        """Let go of what isn't urgent and gone: it may not come to the top for hours."""
        self._urgent = [(p.urgency, p.number, p.segment) for p in self._places.values()]
        heapq.heapify(self._urgent)

    def head(self) -> Segment | None:
        """Give the most urgent segment."""
        while self._urgent and self._urgent[0][2] not in self._places:
            heapq.heappop(self._urgent)
        return self._urgent[0][2] if self._urgent else None

    def oldest(self) -> float | None:
        """Tell when the segment came that has waited longest."""
        # Dictionaries keep the order of insertion.
        return next(iter(self._places)).queued_at if self._places else None

    def batch(self, head: Segment, budget: int, work: float) -> list[Segment]:
        """Gather a batch around `head`, nearest lengths first; doesn't take it out."""
        beam_size = head.group.beam_size
        most = max(work, _COMPANY * work_of(len(head), 1, beam_size))
        group = self._groups[head.group]
        if head.group.batch is not None:
            return [place.segment for place in group]
        low = high = bisect_left(group, self._places[head])
        while True:
            below = group[low - 1] if low > 0 else None
            above = group[high + 1] if high + 1 < len(group) else None
            nearest = _nearest(below, above, len(head))
            if nearest is None:
                break
            longest, shortest = group[high].length, group[low].length
            size = high - low + 1
            if work_of(max(longest, nearest.length), size + 1, beam_size) > most:
                break
            if not is_worth(nearest.length, longest, shortest, size, beam_size, budget):
                break
            if nearest is below:
                low -= 1
            else:
                high += 1
        return [place.segment for place in group[low : high + 1]]


def _nearest(below: _Place | None, above: _Place | None, length: int) -> _Place | None:
    if below is None or above is None:
        return below or above
    return above if above.length - length < length - below.length else below


class Backlog:
    """The segments that wait before one model."""

    def __init__(self) -> None:
        self._lanes = {priority: _Lane() for priority in Priority}
        self._run = 0

    def __bool__(self) -> bool:
        return any(map(len, self._lanes.values()))

    def add(self, segments: Iterable[Segment]) -> None:
        """Let segments wait."""
        for segment in segments:
            self._lanes[segment.priority].add(segment)

    def remove(self, segments: Iterable[Segment]) -> int:
        """Take segments out that nobody wants any more; tells how many of them still waited."""
        return sum(self._lanes[segment.priority].remove(segment) for segment in segments)

    def take(self, budget: int, idle_workers: int = 1, work: float = math.inf) -> list[Segment]:
        """Take the next batch out.

        Args:
            budget: most padded source tokens (longest times count, times the beam).
            idle_workers: workers that have nothing to do, among which little work is shared out.
            work: most work as `work_of` tells it; twice that of the head at least.

        Returns:
            Segments of one group; none if nothing waits.
        """
        lane = self._lanes[self._next_lane()]
        head = lane.head()
        if head is None:
            return []
        share = -(-lane.tokens * head.group.beam_size // idle_workers)
        batch = lane.batch(head, min(budget, share), work)
        for segment in batch:
            lane.remove(segment)
        return batch

    def tokens(self, priority: Priority) -> int:
        """Count the source tokens that wait in one lane."""
        return self._lanes[priority].tokens

    def segments(self) -> dict[str, int]:
        """Count the segments that wait, by priority; lanes where none waits are left out."""
        counts = Counter({priority.value: len(lane) for priority, lane in self._lanes.items()})
        return dict(+counts)

    def oldest(self) -> float | None:
        """Tell when the segment came that has waited longest, or None if none waits."""
        return min(
            (since for lane in self._lanes.values() if (since := lane.oldest()) is not None),
            default=None,
        )

    def _next_lane(self) -> Priority:
        """Choose the lane of the next batch: bulk's turn comes after a run of the other."""
        interactive, bulk = map(len, map(self._lanes.__getitem__, Priority))
        if bulk and (not interactive or self._run >= _INTERACTIVE_RUN):
            self._run = 0
            return Priority.BULK
        self._run = self._run + 1 if bulk else 0
        return Priority.INTERACTIVE


def work_of(longest: int, rows: int, beam_size: int) -> float:
    """Tell what a batch costs, in units of what one row adds to one step.

    Unlike padded tokens it goes with the time that batches take, be they of one row or of many.

    Args:
        longest: most source tokens of a segment, about as many as there are steps.
        rows: segments.
        beam_size: width of the beam.
    """
    return longest * (_STEP + rows * beam_size)


def is_worth(
    length: int, longest: int, shortest: int, size: int, beam_size: int, budget: int
) -> bool:
    """Tell whether a segment should join a batch instead of being decoded in another.

    In company it is spared steps of its own. In turn it makes rows of other lengths wait: the model
    takes in at once only what the shortest prompt holds and the rest step by step, and rows that
    end early go along until the last one ends.

    Args:
        length: its source tokens.
        longest: most source tokens of a segment in the batch.
        shortest: fewest of one.
        size: segments in the batch.
        beam_size: width of the beam.
        budget: most padded source tokens, times the beam.
    """
    if max(length, longest) * (size + 1) * beam_size > budget:
        return False
    saved = _STEP * min(length, longest)
    padded = beam_size * (max(0, longest - length) + size * max(0, length - longest))
    added = max(0, shortest - length) + max(0, length - longest)
    return saved > padded + added * (_STEP + beam_size * (size + 1))


def cut_batches(lengths: Sequence[int], budget: int, beam_size: int = 1) -> list[list[int]]:
    """Cut the segments of one call into batches that depend on nothing else.

    Args:
        lengths: source tokens of each segment.
        budget: most padded tokens of a batch, times the beam; a longer segment is alone.
        beam_size: width of the beam.

    Returns:
        Batches of indices into `lengths`, the longest segments first so that the last batch to
        run is a short one.
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        last = batches[-1] if batches else []
        if last and is_worth(
            lengths[index], lengths[last[0]], lengths[last[-1]], len(last), beam_size, budget
        ):
            last.append(index)
        else:
            batches.append([index])
    return batches
