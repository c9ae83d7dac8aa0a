"""The queue in front of a model: first in, first out, bounded, off the event loop.

A batch holds segments of one call only, so what a release becomes can't depend on the load:
int8 results can change with the segments that share a batch (CTranslate2 issue 693).
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from depesche.errors import DeadlineExceeded, QueueFull, ShuttingDown
from depesche.inference.backend import Hypothesis, TranslationBackend
from depesche.inference.observer import NULL_OBSERVER, DropReason, Observer, QueueStatistics
from depesche.types import Priority

__all__ = ["SegmentQueue", "SegmentResult", "cut_batches"]

# Source tokens a second that one worker is taken to handle until the queue has measured its own.
_FIRST_RATE = 50.0
# Weight of the newest batch in the running mean of the rate.
_RATE_WEIGHT = 0.1


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


@dataclass(slots=True)
class _Batch:
    indices: list[int]
    tokens: list[list[str]]
    beam_size: int
    priority: Priority
    deadline: float | None
    queued_at: float = field(default_factory=time.monotonic)
    done: asyncio.Future[list[SegmentResult]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def abandon(self) -> None:
        """Say that nobody waits any more; an error that the batch already holds counts as seen."""
        if not self.done.cancel() and not self.done.cancelled():
            self.done.exception()

    @property
    def source_tokens(self) -> int:
        return sum(len(tokens) for tokens in self.tokens)

    @property
    def padded_tokens(self) -> int:
        return len(self.tokens) * max(len(tokens) for tokens in self.tokens)


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
        observer: Observer = NULL_OBSERVER,
    ) -> None:
        """Start the workers; needs a running event loop.

        Args:
            name: the model's name, for the observer.
            backend: the model.
            workers: batches that run at once.
            batch_tokens: most padded source tokens of a batch; a longer segment runs alone.
            capacity: most segments that may wait when a new call is admitted.
            observer: told of batches, tokens and drops.
        """
        self._name = name
        self._backend = backend
        self._batch_tokens = batch_tokens
        self._capacity = capacity
        self._observer = observer
        self._waiting: deque[_Batch] = deque()
        self._ready = asyncio.Condition()
        self._closed = False
        self._rate = _FIRST_RATE * workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=f"model-{name}")
        self._workers = [asyncio.create_task(self._work()) for _ in range(workers)]

    @property
    def batch_tokens(self) -> int:
        """Most padded source tokens of a batch."""
        return self._batch_tokens

    def admit(self, segments: int) -> None:
        """Let a call of so many segments in, or refuse it before any work.

        Raises:
            QueueFull: there is no room; says when to come again.
            ShuttingDown: the queue is closed.
        """
        if self._closed:
            raise ShuttingDown("the service is shutting down")
        statistics = self.statistics()
        waiting = sum(statistics.segments.values())
        # A call that finds the queue empty is let in whatever its size, or it never could be.
        if waiting and waiting + segments > self._capacity:
            seconds = max(1.0, statistics.tokens / self._rate)
            raise QueueFull(
                f"the queue holds {waiting} of {self._capacity} segments; "
                f"come again in {seconds:.0f} s",
                retry_after=seconds,
            )

    async def translate(
        self,
        texts: Sequence[str],
        *,
        beam_size: int = 1,
        priority: Priority = Priority.INTERACTIVE,
        deadline: float | None = None,
    ) -> AsyncGenerator[SegmentResult, None]:
        """Translate segments; gives each result as its batch ends.

        Leaving the iteration early drops the batches that haven't started.

        Args:
            texts: the segments.
            beam_size: 1 for greedy search, in batches; else each segment is decoded alone.
            priority: whether a person waits.
            deadline: `time.monotonic()` value after which nobody wants the result.

        Raises:
            DeadlineExceeded: a batch couldn't start before the deadline.
            ShuttingDown: the queue was closed before a batch could start.
        """
        batches = self._cut(texts, beam_size, priority, deadline)
        try:
            async with self._ready:
                self._waiting.extend(batches)
                self._ready.notify(len(batches))
            for finished in asyncio.as_completed([batch.done for batch in batches]):
                for result in await finished:
                    yield result
        finally:
            self._abandon(batches)

    def statistics(self) -> QueueStatistics:
        """Tell what waits now."""
        segments: Counter[str] = Counter()
        for batch in self._waiting:
            segments[batch.priority] += len(batch.tokens)
        oldest = time.monotonic() - self._waiting[0].queued_at if self._waiting else 0.0
        tokens = sum(batch.source_tokens for batch in self._waiting)
        return QueueStatistics(dict(segments), tokens, oldest)

    async def aclose(self) -> None:
        """Refuse what waits, let running batches end, stop the workers."""
        self._closed = True
        async with self._ready:
            while self._waiting:
                batch = self._waiting.popleft()
                self._drop(batch, DropReason.SHUTDOWN, ShuttingDown("the service is shutting down"))
            self._ready.notify_all()
        await asyncio.gather(*self._workers)
        self._pool.shutdown()

    def _cut(
        self, texts: Sequence[str], beam_size: int, priority: Priority, deadline: float | None
    ) -> list[_Batch]:
        if self._closed:
            raise ShuttingDown("the service is shutting down")
        tokens = [self._backend.tokenize(text) for text in texts]
        budget = self._batch_tokens if beam_size == 1 else 0
        return [
            _Batch(indices, [tokens[i] for i in indices], beam_size, priority, deadline)
            for indices in cut_batches([len(t) for t in tokens], budget)
        ]

    async def _work(self) -> None:
        while (batch := await self._next()) is not None:
            await self._run(batch)

    async def _next(self) -> _Batch | None:
        """Take the next batch that somebody still wants, or None when the queue is closed."""
        async with self._ready:
            while True:
                await self._ready.wait_for(lambda: self._waiting or self._closed)
                if not self._waiting:
                    return None
                batch = self._waiting.popleft()
                if self._is_wanted(batch):
                    return batch

    def _abandon(self, batches: Sequence[_Batch]) -> None:
        """Take the batches of a call that has ended or gone out of the queue."""
        for batch in batches:
            batch.abandon()
        gone = [batch for batch in self._waiting if batch.done.cancelled()]
        if gone:
            self._waiting = deque(b for b in self._waiting if not b.done.cancelled())
            self._observer.dropped(DropReason.CANCELLED, sum(len(b.tokens) for b in gone))

    def _is_wanted(self, batch: _Batch) -> bool:
        if batch.deadline is not None and time.monotonic() >= batch.deadline:
            error = DeadlineExceeded("the deadline passed before the release was translated")
            self._drop(batch, DropReason.DEADLINE, error)
            return False
        return True

    def _drop(self, batch: _Batch, reason: DropReason, error: Exception) -> None:
        self._observer.dropped(reason, len(batch.tokens))
        if not batch.done.done():
            batch.done.set_exception(error)

    async def _run(self, batch: _Batch) -> None:
        started = time.monotonic()
        wait = started - batch.queued_at
        self._observer.batch_started(self._name, len(batch.tokens), batch.padded_tokens, wait)
        call: Callable[[], list[Hypothesis]] = lambda: self._backend.translate(  # noqa: E731 - typed
            batch.tokens, beam_size=batch.beam_size
        )
        try:
            hypotheses = await asyncio.get_running_loop().run_in_executor(self._pool, call)
            pairs = list(zip(batch.indices, hypotheses, strict=True))
        except Exception as error:  # noqa: BLE001 - the caller sees it, and the worker goes on
            if not batch.done.done():
                batch.done.set_exception(error)
            return
        finally:
            seconds = time.monotonic() - started
            self._observer.batch_finished(self._name, seconds)
        self._measure(batch, hypotheses, seconds)
        if not batch.done.done():
            batch.done.set_result([SegmentResult(i, h, wait) for i, h in pairs])

    def _measure(self, batch: _Batch, hypotheses: Sequence[Hypothesis], seconds: float) -> None:
        self._observer.tokens(self._name, "source", batch.source_tokens)
        self._observer.tokens(self._name, "target", sum(h.tokens for h in hypotheses))
        rate = len(self._workers) * batch.source_tokens / max(seconds, 1e-3)
        self._rate += _RATE_WEIGHT * (rate - self._rate)


def cut_batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Cut segments into batches of like length.

    Args:
        lengths: tokens of each segment.
        budget: most padded tokens (longest times count) of a batch; a longer segment is alone.

    Returns:
        Batches of indices into `lengths`, the longest segments first so that the last batch to
        run is a short one.
    """
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        longest = lengths[batches[-1][0]] if batches else 0
        if batches and longest * (len(batches[-1]) + 1) <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches
