import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depesche.errors import DeadlineExceeded, QueueFull, ShuttingDown
from depesche.inference.backend import Hypothesis
from depesche.inference.fake import FakeBackend
from depesche.inference.observer import DropReason
from depesche.inference.queue import SegmentQueue, cut_batches
from depesche.types import Priority


class Recorder:
    """An observer that keeps what it was told."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, int]] = []
        self.drops: list[tuple[DropReason, int]] = []
        self.counts = {"source": 0, "target": 0}
        self.finished = 0

    def batch_started(self, model: str, segments: int, tokens: int, wait: float) -> None:
        assert model == "fake"
        assert wait >= 0
        self.batches.append((segments, tokens))

    def batch_finished(self, model: str, seconds: float) -> None:
        assert model == "fake"
        assert seconds >= 0
        self.finished += 1

    def tokens(self, model: str, direction: Literal["source", "target"], count: int) -> None:
        assert model == "fake"
        self.counts[direction] += count

    def dropped(self, reason: DropReason, segments: int) -> None:
        self.drops.append((reason, segments))


@asynccontextmanager
async def running(
    backend: FakeBackend,
    *,
    capacity: int = 100,
    batch_tokens: int = 8,
    observer: Recorder | None = None,
) -> AsyncIterator[SegmentQueue]:
    queue = SegmentQueue(
        "fake",
        backend,
        workers=1,
        batch_tokens=batch_tokens,
        capacity=capacity,
        observer=observer or Recorder(),
    )
    try:
        yield queue
    finally:
        backend.gate.set()
        await queue.aclose()


async def collect(
    queue: SegmentQueue, texts: list[str], beam_size: int = 1, deadline: float | None = None
) -> list[str]:
    stream = queue.translate(texts, beam_size=beam_size, deadline=deadline)
    results = {r.index: r.hypothesis.text async for r in stream}
    return [results[i] for i in range(len(texts))]


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until `condition` holds; the test's timeout bounds it."""
    while not condition():  # noqa: ASYNC110 - the queue's state has no event, by design
        await asyncio.sleep(0)


async def test_gives_each_segment_its_own_result() -> None:
    """Results carry the place of their segment, however batches were cut."""
    texts = ["a", "b b b b", "c c", "d d d d d d d d d", "e"]

    async with running(FakeBackend(str.upper)) as queue:
        assert await collect(queue, texts) == [text.upper() for text in texts]


async def test_batches_hold_like_lengths_within_the_budget() -> None:
    """Greedy batches are cut to padded tokens, longest first; a long segment runs alone."""
    backend = FakeBackend()
    recorder = Recorder()

    async with running(backend, observer=recorder) as queue:
        await collect(queue, ["a", "b b b b", "c c", "d d d d d d d d d", "e e e e"])

    assert backend.history == [["d d d d d d d d d"], ["b b b b", "e e e e"], ["c c", "a"]]
    assert recorder.batches == [(1, 9), (2, 8), (2, 4)]
    assert recorder.finished == 3
    assert recorder.counts == {"source": 20, "target": 20}


async def test_a_beam_decodes_each_segment_alone() -> None:
    """A wider beam never shares a batch."""
    backend = FakeBackend()

    async with running(backend) as queue:
        await collect(queue, ["a", "b"], beam_size=4)

    assert backend.history == [["a"], ["b"]]
    assert backend.beams == [4, 4]


async def test_batches_never_mix_calls() -> None:
    """Two calls at once give batches of their own, so load can't change a result."""
    backend = FakeBackend()

    async with running(backend) as queue:
        await asyncio.gather(collect(queue, ["a", "b"]), collect(queue, ["c", "d"]))

    assert sorted(map(sorted, backend.history)) == [["a", "b"], ["c", "d"]]


async def test_first_in_first_out() -> None:
    """Calls are served in the order in which they came."""
    backend = FakeBackend()
    backend.gate.clear()

    async with running(backend) as queue:
        calls = [asyncio.create_task(collect(queue, [name])) for name in "abcd"]
        await until(lambda: queue.statistics().tokens == 3)
        backend.gate.set()
        await asyncio.gather(*calls)

    assert backend.history == [["a"], ["b"], ["c"], ["d"]]


async def test_a_full_queue_refuses_with_a_hint() -> None:
    """Over capacity a call is refused before any work, and told when to come again."""
    backend = FakeBackend()
    backend.gate.clear()

    async with running(backend, capacity=2) as queue:
        first = asyncio.create_task(collect(queue, ["a"]))
        await until(lambda: not queue.statistics().segments and not first.done())
        queue.admit(3)  # nothing waits, so even a call over the capacity is let in
        second = asyncio.create_task(collect(queue, ["b", "c"]))
        await until(lambda: queue.statistics().segments == {"interactive": 2})

        with pytest.raises(QueueFull, match="holds 2 of 2 segments") as refused:
            queue.admit(1)

        assert refused.value.retry_after >= 1
        backend.gate.set()
        assert await first == ["a"]
        assert await second == ["b", "c"]
        queue.admit(1)


async def test_statistics_tell_what_waits() -> None:
    """Segments by priority, tokens and the age of the oldest are there to see."""
    backend = FakeBackend()
    backend.gate.clear()

    async with running(backend) as queue:
        first = asyncio.create_task(collect(queue, ["a"]))
        await until(lambda: not queue.statistics().segments and not first.done())
        bulk = queue.translate(["b b", "c"], priority=Priority.BULK)
        waiting = asyncio.ensure_future(anext(bulk))
        await until(lambda: queue.statistics().tokens == 3)

        statistics = queue.statistics()
        assert statistics.segments == {"bulk": 2}
        await until(lambda: queue.statistics().oldest_seconds > statistics.oldest_seconds)
        backend.gate.set()
        await waiting
        await bulk.aclose()
        assert await first == ["a"]


async def test_a_passed_deadline_computes_nothing() -> None:
    """A batch whose deadline has passed when its turn comes is dropped and counted."""
    backend = FakeBackend()
    recorder = Recorder()

    async with running(backend, observer=recorder) as queue:
        with pytest.raises(DeadlineExceeded):
            await collect(queue, ["a", "b"], deadline=time.monotonic() - 1)
        assert await collect(queue, ["c"], deadline=time.monotonic() + 60) == ["c"]

    assert backend.history == [["c"]]
    assert recorder.drops == [(DropReason.DEADLINE, 2)]


async def test_a_cancelled_call_leaves_the_queue() -> None:
    """What a gone caller had waiting is never run; others are served."""
    backend = FakeBackend()
    backend.gate.clear()
    recorder = Recorder()

    async with running(backend, observer=recorder) as queue:
        first = asyncio.create_task(collect(queue, ["a"]))
        gone = asyncio.create_task(collect(queue, ["b"]))
        last = asyncio.create_task(collect(queue, ["c"]))
        await until(lambda: queue.statistics().tokens == 2)
        gone.cancel()
        await until(gone.done)
        assert queue.statistics().segments == {"interactive": 1}
        backend.gate.set()
        assert await first == ["a"]
        assert await last == ["c"]

    assert backend.history == [["a"], ["c"]]
    assert recorder.drops == [(DropReason.CANCELLED, 1)]


async def test_leaving_early_drops_the_rest() -> None:
    """Closing the iteration drops the batches that haven't started."""
    backend = FakeBackend()

    async with running(backend, batch_tokens=1) as queue:
        async with aclosing(queue.translate(list("abcdefgh"))) as results:
            await anext(results)
        assert await collect(queue, ["z"]) == ["z"]

    assert len(backend.history) < 9


async def test_a_failing_batch_fails_its_call_alone() -> None:
    """What the model raises reaches the caller, and the worker goes on."""

    def handler(text: str) -> str:
        if text == "bad":
            raise ValueError("broken")
        return text

    async with running(FakeBackend(handler)) as queue:
        bad, good = await asyncio.gather(
            collect(queue, ["bad"]), collect(queue, ["good"]), return_exceptions=True
        )

    assert isinstance(bad, ValueError)
    assert good == ["good"]


async def test_several_failing_batches_raise_one_error() -> None:
    """Errors of batches nobody waits for any more are not left to complain later."""

    def handler(text: str) -> str:
        raise ValueError(text)

    async with running(FakeBackend(handler), batch_tokens=1) as queue:
        with pytest.raises(ValueError, match=r"^[abc]$"):
            await collect(queue, ["a", "b", "c"])


async def test_a_result_that_does_not_fit_fails_its_call_alone() -> None:
    """A model that leaves a segment out fails that call, and the worker goes on."""

    class Forgetful(FakeBackend):
        def translate(self, batch: Sequence[Sequence[str]], *, beam_size: int) -> list[Hypothesis]:
            return super().translate(batch[:1], beam_size=beam_size)

    async with running(Forgetful()) as queue:
        with pytest.raises(ValueError, match="zip"):
            await collect(queue, ["a", "b"])
        assert await collect(queue, ["c"]) == ["c"]


async def test_closing_refuses_what_waits_and_ends_what_runs() -> None:
    """A running batch ends with its result; waiting ones and new calls are told to go elsewhere."""
    backend = FakeBackend()
    backend.gate.clear()
    recorder = Recorder()

    async with running(backend, observer=recorder) as queue:
        first = asyncio.create_task(collect(queue, ["a"]))
        second = asyncio.create_task(collect(queue, ["b"]))
        await until(lambda: queue.statistics().tokens == 1)
        closing = asyncio.create_task(queue.aclose())
        with pytest.raises(ShuttingDown):
            await second
        with pytest.raises(ShuttingDown):
            queue.admit(1)
        with pytest.raises(ShuttingDown):
            await collect(queue, ["c"])
        backend.gate.set()
        assert await first == ["a"]
        await closing

    assert recorder.drops == [(DropReason.SHUTDOWN, 1)]


@given(st.lists(st.integers(1, 300), max_size=60), st.integers(0, 300))
def test_batches_hold_each_segment_once_within_the_budget(lengths: list[int], budget: int) -> None:
    """Every segment is in one batch, and only a lone segment is over the budget."""
    batches = cut_batches(lengths, budget)

    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or max(lengths[i] for i in batch) * len(batch) <= budget
