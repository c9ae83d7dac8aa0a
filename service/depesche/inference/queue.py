"""The queue in front of a model: batches across requests, bounded, off the event loop.

int8 results can change with the segments that share a batch (CTranslate2 issue 693), so a call may
ask for batches of its own, which depend on nothing but its segments.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TypeVar

from depesche.errors import DeadlineExceeded, ShuttingDown
from depesche.inference.admission import Admission, Room
from depesche.inference.backend import Hypothesis, TranslationBackend
from depesche.inference.backlog import Backlog, Group, Segment, cut_batches, work_of
from depesche.inference.observer import NULL_OBSERVER, DropReason, Observer, QueueStatistics
from depesche.inference.rate import Rate
from depesche.inference.slots import Slots
from depesche.types import Language, Priority

__all__ = ["Ask", "SegmentQueue", "SegmentResult"]

_T = TypeVar("_T")

_PATIENCE = 300.0
"""Seconds within which a call is to be done at the latest, for the order of calls."""

_EARLY_SECONDS = 0.1
"""How long before its deadline a call may be cancelled for it: gRPC's timer has its own clock."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What the segments of a call share.

    Attributes:
        beam_size: 1 for greedy search, else the width of the beam.
        language: the segments' language, for models that must be told.
        priority: whether a person waits.
        deadline: `time.monotonic()` value after which nobody wants the result, or None.
        reproducible: whether the segments are kept from those of other calls.
        since: `time.monotonic()` value at which they came, if they were decoded before and so were
            let in; the rate at which calls are served is measured in what is decoded for the first
            time. None for new ones.
        partial: whether segments that can't be decoded before the deadline are left out, where
            otherwise the call fails.
        room: what the call holds at the door until its segments wait here.
        summary_room: what it holds at the door of a summary model's queue.
    """

    beam_size: int = 1
    language: Language | None = None
    priority: Priority = Priority.INTERACTIVE
    deadline: float | None = None
    reproducible: bool = False
    since: float | None = None
    partial: bool = False
    room: Room | None = None
    summary_room: Room | None = None

    @property
    def may_vary(self) -> bool:
        """Whether the result may come out in another way for want of room or time."""
        return self.partial or not self.reproducible


@dataclass(frozen=True, slots=True)
class SegmentResult:
    """The hypothesis of one segment of a call.

    Attributes:
        index: the segment's place in the call.
        hypothesis: what the model wrote.
        wait: seconds that the segment waited for a worker.
    """

    index: int
    hypothesis: Hypothesis
    wait: float


@dataclass(slots=True, eq=False)
class _Call:
    """A call under way, and the segments of it that aren't done."""

    ask: Ask
    late: bool = False
    pending: dict[Segment, int] = field(default_factory=dict)
    results: asyncio.Queue[list[SegmentResult] | Exception] = field(default_factory=asyncio.Queue)


class SegmentQueue:
    """Feeds one model's workers with batches, on the event loop that it is used from."""

    def __init__(
        self,
        name: str,
        backend: TranslationBackend,
        *,
        workers: int,
        batch_tokens: int,
        capacity: int,
        batch_seconds: float = 2.0,
        slots: Slots | None = None,
        observer: Observer = NULL_OBSERVER,
    ) -> None:
        """Start the workers; needs a running event loop.

        Args:
            name: the model's name, for the observer.
            backend: the model.
            workers: batches that run at once.
            batch_tokens: most padded source tokens of a batch; a longer segment runs alone.
            capacity: most segments that may wait before a new call.
            batch_seconds: how long a batch may take, by the measured rate; a shared batch is cut
                smaller where it would take longer, and longer than twice its first segment alone.
            slots: the CPU's places, if other models share them.
            observer: told of batches, tokens and drops.
        """
        self._name = name
        self._backend = backend
        self._batch_tokens = batch_tokens
        self._batch_seconds = batch_seconds
        self._slots = slots or Slots(workers)
        self._observer = observer
        self._backlog = Backlog()
        self._calls: dict[Segment, _Call] = {}
        self._batches = count()
        self._ready = asyncio.Condition()
        self._closed = False
        self._idle = workers
        self._rate = Rate(workers)
        self._admission = Admission(self._backlog, self._rate, capacity)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=f"model-{name}")
        self._workers = [asyncio.create_task(self._work()) for _ in range(workers)]

    @property
    def batch_tokens(self) -> int:
        """Most padded source tokens of a batch."""
        return self._batch_tokens

    def batching(self, *, reproducible: bool) -> str:
        """Tell how batches are made up, for signatures."""
        return f"{'release' if reproducible else 'shared'},{self._batch_tokens}"

    @contextmanager
    def reserve(self, tokens: int, ask: Ask) -> Iterator[Ask]:
        """Hold room for a call while it is read, or refuse it at once; see `Admission.reserve`.

        Yields:
            What to `admit` and to `translate` by.

        Raises:
            QueueFull: there is no room, or too little time; says when to come again.
            ShuttingDown: the queue is closed.
        """
        self._check_open()
        with self._admission.reserve(
            tokens, ask.priority, ask.deadline, partial=ask.partial
        ) as room:
            yield replace(ask, room=room)

    def admit(self, segments: int, tokens: int, ask: Ask) -> None:
        """Let a call of so many segments and source tokens in, or refuse it.

        If it holds room, `translate` won't refuse it any more.

        Raises:
            QueueFull: there is no room, or too little time; says when to come again.
            DeadlineExceeded: even alone it would take longer than there is time.
            ShuttingDown: the queue is closed.
        """
        self._check_open()
        self._admission.check(
            segments, tokens, ask.priority, ask.deadline, room=ask.room, partial=ask.partial
        )

    async def translate(
        self, texts: Sequence[str], ask: Ask | None = None
    ) -> AsyncGenerator[SegmentResult, None]:
        """Translate segments; gives each result as its batch ends.

        Leaving the iteration early drops the segments that no worker has taken.

        Args:
            texts: the segments.
            ask: what they share.

        Raises:
            QueueFull: there is no room, or too little time; says when to come again.
            DeadlineExceeded: a segment couldn't be decoded before the deadline, and no partial
                result is asked for.
            ShuttingDown: the queue was closed before a segment could be.
        """
        self._check_open()
        call = _Call(ask or Ask())
        came = call.ask.since or time.monotonic()
        # A release of 100,000 characters takes some 20 ms.
        tokens = await asyncio.to_thread(self._tokenize, texts, call.ask.language)
        segments = self._segments(tokens, call, came)
        try:
            async with self._ready:
                self._let_in(segments, call.ask)
                self._backlog.add(segments)
                self._ready.notify_all()
            received = 0
            while received < len(segments):
                results = await call.results.get()
                if isinstance(results, DeadlineExceeded) and call.ask.partial:
                    received += 1  # each segment that is dropped has an error of its own
                    continue
                if isinstance(results, Exception):
                    call.late = isinstance(results, DeadlineExceeded)
                    raise results
                for result in results:
                    received += 1
                    yield result
        finally:
            self._abandon(call)

    def statistics(self) -> QueueStatistics:
        """Tell what waits now."""
        oldest = self._backlog.oldest()
        tokens = sum(map(self._backlog.tokens, Priority))
        age = 0.0 if oldest is None else time.monotonic() - oldest
        seconds = {lane.value: self._admission.seconds_waiting(lane) for lane in Priority}
        return QueueStatistics(self._backlog.segments(), tokens, age, seconds)

    async def aclose(self) -> None:
        """Refuse what waits, let running batches end, stop the workers."""
        self._closed = True
        async with self._ready:
            while waiting := self._backlog.take(self._batch_tokens):
                self._drop(waiting, DropReason.SHUTDOWN, _shutting_down())
            self._ready.notify_all()
        await asyncio.gather(*self._workers)
        self._pool.shutdown()

    def _tokenize(self, texts: Sequence[str], language: Language | None) -> list[list[str]]:
        return [self._backend.tokenize(text, language) for text in texts]

    def _check_open(self) -> None:
        if self._closed:
            raise _shutting_down()

    def _let_in(self, segments: Sequence[Segment], ask: Ask) -> None:
        """See that the queue is open and, if it wasn't asked before, has room."""
        if ask.since is not None:
            self._check_open()
            return
        self.admit(len(segments), sum(map(len, segments)), ask)
        if ask.room is not None:
            self._admission.give_back(ask.room)

    def _segments(self, tokens: Sequence[Sequence[str]], call: _Call, came: float) -> list[Segment]:
        ask = call.ask
        urgency = came + _PATIENCE
        if ask.deadline is not None:
            urgency = min(urgency, ask.deadline)
        for group, indices in self._groups([len(t) for t in tokens], ask):
            for index in indices:
                segment = Segment(tokens[index], group, ask.priority, urgency, came)
                call.pending[segment] = index
                self._calls[segment] = call
        return list(call.pending)

    def _groups(self, lengths: Sequence[int], ask: Ask) -> Iterable[tuple[Group, list[int]]]:
        """Cut the batches of a reproducible call now; for others tell only the order.

        One short batch goes first, for whoever waits for a first sentence, and then the longest, so
        that the last to run is a short one too.
        """
        if not ask.reproducible:
            order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
            return [(Group(ask.beam_size), _last_first(order))]
        batches = cut_batches(lengths, self._batch_tokens, ask.beam_size)
        return [
            (Group(ask.beam_size, next(self._batches)), batch) for batch in _last_first(batches)
        ]

    async def _work(self) -> None:
        while await self._is_needed():
            ready = time.monotonic()
            async with self._slots.use():
                # Cut when there is a place to run, so that what came meanwhile can go first.
                work = self._rate.work_per_second * self._batch_seconds
                batch = self._backlog.take(self._batch_tokens, self._idle, work)
                if wanted := self._in_time(batch):
                    await self._run(wanted, ready)

    async def _is_needed(self) -> bool:
        """Wait for work; tells whether there is any, or the queue is closed."""
        async with self._ready:
            await self._ready.wait_for(lambda: self._backlog or self._closed)
            return bool(self._backlog)

    def _abandon(self, call: _Call) -> None:
        """Forget a call that has ended or whose caller has gone."""
        gone = self._backlog.remove(call.pending)
        for segment in call.pending:
            self._calls.pop(segment, None)
        call.pending.clear()
        if gone:
            reason = DropReason.DEADLINE if _is_late(call) else DropReason.CANCELLED
            self._observer.dropped(reason, gone)

    def _in_time(self, batch: Sequence[Segment]) -> list[Segment]:
        """Give the segments that can still be done in time, and drop the others."""
        wanted: list[Segment] = []
        late: list[Segment] = []
        for segment in batch:
            (wanted if self._is_in_time(segment) else late).append(segment)
        if late and late[0].group.batch is not None:
            # Without all of its company a segment could come out in another way.
            wanted, late = [], list(batch)
        if late:
            error = DeadlineExceeded("the deadline passed before the release was translated")
            self._drop(late, DropReason.DEADLINE, error)
        return wanted

    def _is_in_time(self, segment: Segment) -> bool:
        deadline = self._calls[segment].ask.deadline
        alone = work_of(len(segment), 1, segment.group.beam_size)
        return deadline is None or time.monotonic() + alone / self._rate.work_per_second < deadline

    def _drop(self, segments: Sequence[Segment], reason: DropReason, error: Exception) -> None:
        self._observer.dropped(reason, len(segments))
        for segment in segments:
            self._fail(segment, error)

    def _fail(self, segment: Segment, error: Exception) -> None:
        if call := self._calls.pop(segment, None):
            call.results.put_nowait(error)

    async def _run(self, batch: Sequence[Segment], ready: float) -> None:
        """Decode a batch, for which a worker has been `ready` and waiting for a place."""
        started = time.monotonic()
        longest, beam_size = max(map(len, batch)), batch[0].group.beam_size
        wait = max(started - segment.queued_at for segment in batch)
        first, tokens = self._first_tokens(batch), sum(map(len, batch))
        self._observer.waited(self._name, wait)
        self._observer.batch_started(self._name, len(batch), longest * len(batch) * beam_size)
        self._idle -= 1
        self._admission.running += tokens
        try:
            hypotheses = await self._decode(batch)
        except Exception as error:  # noqa: BLE001 - the callers see it, and the worker goes on
            self._isolate(batch, error)
            return
        finally:
            self._idle += 1
            self._admission.running -= tokens
            ended = time.monotonic()
            self._observer.batch_finished(self._name, ended - started)
        # What other models take of the CPU makes this one slower for whoever waits.
        self._rate.add(first, work_of(longest, len(batch), beam_size), ended - ready)
        self._observer.tokens(self._name, "source", tokens)
        self._observer.tokens(self._name, "target", sum(h.tokens for h in hypotheses))
        self._deliver(batch, hypotheses, started)

    async def _decode(self, batch: Sequence[Segment]) -> list[Hypothesis]:
        tokens, beam_size = [segment.tokens for segment in batch], batch[0].group.beam_size
        call: Callable[[], list[Hypothesis]] = lambda: self._backend.translate(  # noqa: E731 - typed
            tokens, beam_size=beam_size
        )
        hypotheses = await asyncio.get_running_loop().run_in_executor(self._pool, call)
        if len(hypotheses) != len(batch):
            raise RuntimeError(f"{len(hypotheses)} results for {len(batch)} segments")
        return hypotheses

    def _isolate(self, batch: Sequence[Segment], error: Exception) -> None:
        """Fail the one call of a batch, or try those of a shared one apart: one may be at fault.

        So may be one that has gone meanwhile.
        """
        calls = {self._calls[segment] for segment in batch if segment in self._calls}
        if len(calls) == 1 and all(segment in self._calls for segment in batch):
            for segment in batch:
                self._fail(segment, error)
            return
        for call in calls:
            group = Group(batch[0].group.beam_size, next(self._batches))
            self._backlog.add(
                self._moved(segment, group) for segment in batch if self._calls.get(segment) is call
            )

    def _moved(self, segment: Segment, group: Group) -> Segment:
        """Put a segment of a call into another group; gives what stands for it now."""
        moved = replace(segment, group=group)
        call = self._calls.pop(segment)
        call.pending[moved] = call.pending.pop(segment)
        self._calls[moved] = call
        return moved

    def _first_tokens(self, batch: Sequence[Segment]) -> int:
        """Count the tokens that weren't decoded before; once it runs, callers may go away."""
        return sum(len(segment) for segment in batch if self._calls[segment].ask.since is None)

    def _deliver(
        self, batch: Sequence[Segment], hypotheses: Sequence[Hypothesis], started: float
    ) -> None:
        """Give each call its results, all of a batch at once."""
        results: dict[_Call, list[SegmentResult]] = {}
        for segment, hypothesis in zip(batch, hypotheses, strict=True):
            # A call that has gone meanwhile isn't there any more.
            if call := self._calls.pop(segment, None):
                result = SegmentResult(
                    call.pending.pop(segment), hypothesis, started - segment.queued_at
                )
                results.setdefault(call, []).append(result)
        for call, own in results.items():
            call.results.put_nowait(own)


def _last_first(items: Sequence[_T]) -> list[_T]:
    return [*items[-1:], *items[:-1]]


def _is_late(call: _Call) -> bool:
    """Tell whether a call ended for its deadline; else its caller has gone."""
    deadline = call.ask.deadline
    return call.late or (deadline is not None and time.monotonic() > deadline - _EARLY_SECONDS)


def _shutting_down() -> ShuttingDown:
    return ShuttingDown("the service is shutting down")
