"""A replica without its model: the service's own queue in simulated time.

What waits, which of it makes a batch, how large a batch may be and who is let in is decided by the
service's own classes, in the order in which `SegmentQueue` asks them. Only the decoding is
replaced, by the time that it takes by a measured `Profile`.
"""

import heapq
import math
import random
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate, count

from replica_profile import Part, Profile, Work
from scraping import BUCKETS, Reading

from depesche.config import Settings
from depesche.errors import DeadlineExceeded, QueueFull
from depesche.inference.admission import Admission
from depesche.inference.backlog import Backlog, Group, Segment, work_of
from depesche.inference.rate import Rate
from depesche.types import Priority

__all__ = ["Ended", "Fate", "Job", "SimulatedReplica", "Timeline"]

_PATIENCE = 300.0  # as in SegmentQueue
_SUMMARY_SECONDS, _SUMMARY_SECONDS_EACH = 0.3, 0.02  # as in depesche.brief


class Timeline:
    """Simulated time and what is to happen in it."""

    def __init__(self) -> None:
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Plan something; what is planned for the past happens next."""
        heapq.heappush(self._events, (when, next(self._numbers), do))

    @property
    def next(self) -> float:
        """When the next thing happens; infinity if nothing is planned."""
        return self._events[0][0] if self._events else math.inf

    def run(self, until: float) -> None:
        """Let everything happen up to a moment."""
        while self.next <= until:
            when, _, do = heapq.heappop(self._events)
            self.now = max(self.now, when)
            do()
        self.now = max(self.now, until)


class Fate(StrEnum):
    """What became of a call."""

    DONE = "done"
    REFUSED = "refused"
    LATE = "late"
    CUT = "cut"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """A release that is sent.

    Attributes:
        due: when.
        example: the example that it is cut from.
        paragraphs: which of its paragraphs.
        priority: its lane.
        patience: seconds until its deadline; infinity for none.
    """

    due: float
    example: int
    paragraphs: range
    priority: Priority
    patience: float = math.inf


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a call.

    Attributes:
        fate: what became of it.
        wait: the longest wait of one of its segments for a worker, in seconds.
    """

    fate: Fate
    wait: float = 0.0


@dataclass(slots=True, eq=False)
class _Call:
    job: Job
    tell: Callable[[Ended], None]
    sentences: int
    firsts: int
    wait: float = 0.0
    over: bool = False
    waiting: set[Segment] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class _Attempt:
    """The segments of a sentence that are decoded together, and what follows."""

    call: _Call
    left: int
    rest: tuple[tuple[Part, ...], ...]
    first: bool


class SimulatedReplica:
    """One replica in simulated time."""

    def __init__(
        self, timeline: Timeline, profile: Profile, settings: Settings, workers: int, seed: int
    ) -> None:
        """Begin idle.

        Args:
            timeline: the time.
            profile: how long things take.
            settings: the service's.
            workers: batches that run at once.
            seed: of what the profile leaves to chance.
        """
        self._timeline = timeline
        self._profile = profile
        self._settings = settings
        self._chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
        self._backlog = Backlog()
        self._rate = Rate(workers, clock=lambda: timeline.now)
        self._admission = Admission(self._backlog, self._rate, settings.queue_segments)
        self._workers = self._idle = workers
        self._parts: dict[Segment, tuple[_Attempt, Part]] = {}
        self._calls: dict[_Call, None] = {}
        self._busy = 0.0
        self._running: dict[int, tuple[float, float]] = {}
        self._waits = [0] * len(BUCKETS)

    def submit(self, job: Job, tell: Callable[[Ended], None]) -> None:
        """Take a call, and tell of its end."""
        works = [
            work
            for paragraph in job.paragraphs
            for work in self._profile.examples[job.example][paragraph]
        ]
        parts = [part for work in works for part in work.first]
        deadline = None
        if math.isfinite(job.patience):
            # The service's clock can't be set, so it is told the same distance from its own now.
            deadline = time.monotonic() + job.due + job.patience - self._timeline.now
        try:
            tokens = sum(part.source for part in parts)
            self._admission.check(len(parts), tokens, job.priority, deadline)
        except QueueFull:
            tell(Ended(Fate.REFUSED))
            return
        except DeadlineExceeded:
            tell(Ended(Fate.LATE))
            return
        call = _Call(job, tell, len(works), len(works))
        self._calls[call] = None
        self._add_first(call, works)
        if deadline is not None:
            spare = _SUMMARY_SECONDS + _SUMMARY_SECONDS_EACH * len(works)
            last = job.due + job.patience
            self._timeline.at(last - spare, lambda: self._hurry(call))
            self._timeline.at(last, lambda: self._end(call, Fate.LATE))
        self._pump()

    def read(self, tell: Callable[[Reading], None]) -> None:
        """Tell of its metrics as they are now."""
        # A batch counts when it has ended, and its CPU time as it passes.
        now = self._timeline.now
        running = sum(now - started for started, _ in self._running.values())
        tell(
            Reading(
                at=now,
                interactive=self._admission.seconds_waiting(Priority.INTERACTIVE),
                bulk=self._admission.seconds_waiting(Priority.BULK),
                busy=self._busy,
                cpu=(self._busy + running) * self._profile.cpu,
                waits=tuple(accumulate(self._waits)),
            )
        )

    @property
    def calls(self) -> int:
        """The calls under way."""
        return len(self._calls)

    def close(self) -> None:
        """Stop; what is under way is cut off."""
        for call in list(self._calls):
            self._end(call, Fate.CUT)

    def _add_first(self, call: _Call, works: Sequence[Work]) -> None:
        now, group = self._timeline.now, Group(1)
        segments = []
        for work in works:
            attempt = _Attempt(call, len(work.first), work.again, first=True)
            segments += [self._segment(part, group, attempt, now) for part in work.first]
        self._backlog.add(sorted(segments, key=lambda segment: -len(segment)))

    def _segment(self, part: Part, group: Group, attempt: _Attempt, came: float) -> Segment:
        job = attempt.call.job
        urgency = min(came + _PATIENCE, job.due + job.patience)
        segment = Segment(range(part.source), group, job.priority, urgency, came)  # type: ignore[arg-type]  # only counted
        self._parts[segment] = attempt, part
        attempt.call.waiting.add(segment)
        return segment

    def _pump(self) -> None:
        """Start batches for as long as there are workers and work."""
        while self._idle and self._backlog:
            work = self._rate.work_per_second * self._settings.batch_seconds
            batch = self._backlog.take(self._settings.batch_tokens, self._idle, work)
            for segment in batch:
                if segment in self._parts and not self._is_in_time(segment):
                    self._drop(segment)
            if wanted := [segment for segment in batch if segment in self._parts]:
                self._start(wanted)

    def _is_in_time(self, segment: Segment) -> bool:
        job = self._parts[segment][0].call.job
        alone = work_of(len(segment), 1, segment.group.beam_size)
        return self._timeline.now + alone / self._rate.work_per_second < job.due + job.patience

    def _drop(self, segment: Segment) -> None:
        """Leave out what can't be decoded in time: the call fails, or keeps what it had before."""
        attempt, _ = self._parts[segment]
        if attempt.first:
            self._end(attempt.call, Fate.LATE)
            return
        del self._parts[segment]
        attempt.call.waiting.discard(segment)
        attempt.rest = ()
        attempt.left -= 1
        if not attempt.left:
            self._decoded(attempt)

    def _start(self, batch: Sequence[Segment]) -> None:
        now, beam_size = self._timeline.now, batch[0].group.beam_size
        parts = [self._parts[segment][1] for segment in batch]
        seconds = self._profile.batches.seconds(parts, beam_size)
        seconds *= math.exp(self._chance.gauss(0, self._profile.batches.spread))
        self._waits[bisect_left(BUCKETS, max(now - s.queued_at for s in batch))] += 1
        for segment in batch:
            call = self._parts[segment][0].call
            call.wait = max(call.wait, now - segment.queued_at)
            call.waiting.discard(segment)
        self._idle -= 1
        tokens = sum(map(len, batch))
        self._admission.running += tokens
        key = id(batch)
        self._running[key] = now, now + seconds
        self._timeline.at(now + seconds, lambda: self._finish(batch, tokens, key))

    def _finish(self, batch: Sequence[Segment], tokens: int, key: int) -> None:
        seconds = self._timeline.now - self._running.pop(key)[0]
        beam_size = batch[0].group.beam_size
        self._idle += 1
        self._admission.running -= tokens
        self._busy += seconds
        attempts = [self._parts.pop(segment)[0] for segment in batch]
        first = sum(len(s) for s, a in zip(batch, attempts, strict=True) if a.first)
        self._rate.add(first, work_of(max(map(len, batch)), len(batch), beam_size), seconds)
        for attempt in attempts:
            attempt.left -= 1
            if not attempt.left and not attempt.call.over:
                self._decoded(attempt)
        self._pump()

    def _decoded(self, attempt: _Attempt) -> None:
        """Go on with a sentence of which an attempt is done."""
        call = attempt.call
        call.firsts -= attempt.first
        if attempt.rest and not self._is_cut_off(call):
            parts, *rest = attempt.rest
            following = _Attempt(call, len(parts), tuple(rest), first=False)
            group = Group(self._settings.beam_size)
            now = self._timeline.now
            self._backlog.add([self._segment(part, group, following, now) for part in parts])
            return
        call.sentences -= 1
        if not call.sentences or (not call.firsts and self._is_cut_off(call)):
            self._reply(call)

    def _is_cut_off(self, call: _Call) -> bool:
        spare = _SUMMARY_SECONDS + _SUMMARY_SECONDS_EACH * call.sentences
        return self._timeline.now >= call.job.due + call.job.patience - spare

    def _hurry(self, call: _Call) -> None:
        """Give up second decodings where the deadline is near."""
        if not call.over and not call.firsts:
            self._reply(call)

    def _reply(self, call: _Call) -> None:
        self._forget(call)
        call.over = True
        # What waits for the worker that is free now has been there for longer than this call.
        self._timeline.at(self._timeline.now, lambda: self._summarise(call))

    def _summarise(self, call: _Call) -> None:
        """Encode the sentences: for a moment, but in a place of the CPU that batches hold."""
        free = self._timeline.now
        if not self._idle:
            free = min(end for _, end in self._running.values())
        self._timeline.at(free + self._profile.overhead, lambda: self._tell(call, Fate.DONE))

    def _end(self, call: _Call, fate: Fate) -> None:
        if call.over:
            return
        self._forget(call)
        call.over = True
        self._tell(call, fate)

    def _forget(self, call: _Call) -> None:
        self._backlog.remove(call.waiting)
        for segment in call.waiting:
            del self._parts[segment]
        call.waiting.clear()

    def _tell(self, call: _Call, fate: Fate) -> None:
        if call in self._calls:
            del self._calls[call]
            call.tell(Ended(fate, call.wait))
