import asyncio
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Literal

import pytest

from depesche.errors import DeadlineExceeded, QueueFull, ShuttingDown
from depesche.inference.backend import Hypothesis
from depesche.inference.fake import FakeBackend
from depesche.inference.observer import DropReason
from depesche.inference.queue import Ask, SegmentQueue
from depesche.types import Priority
from tests.support import held, until


class Recorder:
    """An observer that keeps what it was told."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, int]] = []
        self.drops: list[tuple[DropReason, int]] = []
        self.counts = {"source": 0, "target": 0}
        self.finished = 0

    def waited(self, model: str, seconds: float) -> None:
        assert model == "fake"
        assert seconds >= 0

    def batch_started(self, model: str, segments: int, tokens: int) -> None:
        assert model == "fake"
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


OWN = Ask(reproducible=True)


async def collect(queue: SegmentQueue, texts: list[str], ask: Ask | None = None) -> list[str]:
    results = {r.index: r.hypothesis.text async for r in queue.translate(texts, ask)}
    return [results[i] for i in range(len(texts))]


async def test_gives_each_segment_its_own_result() -> None:
    """Results carry the place of their segment, however batches were cut."""
    texts = ["a", "b b b b", "c c", "d d d d d d d d d", "e"]

    async with running(FakeBackend(str.upper)) as queue:
        assert await collect(queue, texts) == [text.upper() for text in texts]


async def test_batches_are_observed() -> None:
    """Size, padded tokens, tokens read and written, and ends of batches are told."""
    backend = FakeBackend()
    recorder = Recorder()

    async with running(backend, observer=recorder) as queue:
        await collect(queue, ["b b b b", "c c c c", "d d d d d d d d d"], OWN)

    assert backend.history == [["b b b b", "c c c c"], ["d d d d d d d d d"]]
    assert recorder.batches == [(2, 8), (1, 9)]
    assert recorder.finished == 2
    assert recorder.counts == {"source": 17, "target": 17}


@pytest.mark.parametrize("reproducible", [False, True])
async def test_a_short_batch_goes_first(reproducible: bool) -> None:
    """A reader has a sentence soon; the others come by their length, so that the last is short."""
    backend = FakeBackend(str.upper)
    texts = ["a " * 8, "b " * 40, "c " * 4, "d " * 20]

    async with running(backend, batch_tokens=1) as queue:
        await collect(queue, texts, Ask(reproducible=reproducible))

    assert [text[0] for (text,) in backend.history] == ["c", "b", "d", "a"]


async def test_calls_share_batches() -> None:
    """Segments of like length that wait together are decoded together, whoever sent them."""
    backend = FakeBackend(str.upper)

    async with running(backend) as queue:
        with held(backend):
            first = asyncio.create_task(collect(queue, ["a"]))
            await until(lambda: backend.begun == 1)
            calls = [asyncio.create_task(collect(queue, [name])) for name in "bcd"]
            await until(lambda: queue.statistics().tokens == 3)
        assert await asyncio.gather(first, *calls) == [["A"], ["B"], ["C"], ["D"]]

    assert backend.history == [["a"], ["b", "c", "d"]]


@pytest.mark.parametrize("beam_size", [1, 4])
async def test_a_reproducible_call_has_batches_of_its_own(beam_size: int) -> None:
    """Its batches are the same whatever else waits."""
    ask = Ask(beam_size=beam_size, reproducible=True)
    texts = ["a", "b b b", "c c c", "d"]
    alone = FakeBackend()
    async with running(alone, batch_tokens=32) as queue:
        await collect(queue, texts, ask)

    backend = FakeBackend()
    async with running(backend, batch_tokens=32) as queue:
        with held(backend):
            others = Ask(beam_size=beam_size)
            calls = [asyncio.create_task(collect(queue, ["o", "o o o"], others)) for _ in range(3)]
            calls.append(asyncio.create_task(collect(queue, texts, ask)))
            await until(lambda: queue.statistics().tokens >= 8)
        await asyncio.gather(*calls)

    assert [batch for batch in backend.history if "o" not in " ".join(batch)] == alone.history


async def test_the_earliest_deadline_is_served_first() -> None:
    """Calls come in the order of their deadlines, those without one at the end."""
    backend = FakeBackend()
    now = time.monotonic()
    deadlines = {"a": None, "b": now + 90, "c": now + 60}

    async with running(backend, batch_tokens=1) as queue:
        with held(backend):
            first = asyncio.create_task(collect(queue, ["x"]))
            await until(lambda: backend.begun == 1)
            calls = [
                asyncio.create_task(collect(queue, [name], Ask(deadline=deadline)))
                for name, deadline in deadlines.items()
            ]
            await until(lambda: queue.statistics().tokens == 3)
        await asyncio.gather(first, *calls)

    assert backend.history == [["x"], ["c"], ["b"], ["a"]]


async def test_a_late_deadline_is_no_worse_than_none() -> None:
    """A caller that allows an hour isn't put behind everybody who names no time."""
    backend = FakeBackend()

    async with running(backend, batch_tokens=1) as queue:
        with held(backend):
            first = asyncio.create_task(collect(queue, ["x"]))
            await until(lambda: backend.begun == 1)
            asks = {"a": Ask(deadline=time.monotonic() + 3_600), "b": Ask()}
            calls = []
            for name, ask in asks.items():
                calls.append(asyncio.create_task(collect(queue, [name], ask)))
                await until(lambda: queue.statistics().tokens == len(calls))
        await asyncio.gather(first, *calls)

    assert backend.history == [["x"], ["a"], ["b"]]


async def test_interactive_work_waits_for_one_bulk_batch_at_most() -> None:
    """What a person waits for is next after the batch that runs, however much bulk waits."""
    backend = FakeBackend()

    async with running(backend, batch_tokens=1) as queue:
        with held(backend):
            feed = collect(queue, ["f"] * 20, Ask(priority=Priority.BULK))
            bulk = asyncio.create_task(feed)
            await until(lambda: backend.begun == 1)
            person = asyncio.create_task(collect(queue, ["p"]))
            await until(lambda: queue.statistics().tokens == 20)
        await asyncio.gather(bulk, person)

    assert backend.history[:2] == [["f"], ["p"]]


async def test_a_full_queue_refuses_with_a_hint() -> None:
    """Over capacity a call is refused before any work, and told when to come again."""
    backend = FakeBackend()
    backend.gate.clear()

    async with running(backend, capacity=2) as queue:
        first = asyncio.create_task(collect(queue, ["a"]))
        await until(lambda: backend.begun == 1)
        queue.admit(3, 3, Ask())  # nothing waits, so even a call over the capacity is let in
        second = asyncio.create_task(collect(queue, ["b", "c"]))
        await until(lambda: queue.statistics().segments == {"interactive": 2})

        with pytest.raises(QueueFull, match="holds 2 of 2 segments") as refused:
            queue.admit(1, 1, Ask())

        assert refused.value.retry_after >= 1
        backend.gate.set()
        assert await first == ["a"]
        assert await second == ["b", "c"]
        queue.admit(1, 1, Ask())


async def test_statistics_tell_what_waits() -> None:
    """Segments by priority, tokens and the age of the oldest are there to see."""
    backend = FakeBackend()
    backend.gate.clear()

    async with running(backend) as queue:
        first = asyncio.create_task(collect(queue, ["a"]))
        await until(lambda: backend.begun == 1)
        bulk = queue.translate(["b b", "c"], Ask(priority=Priority.BULK))
        waiting = asyncio.ensure_future(anext(bulk))
        await until(lambda: queue.statistics().tokens == 3)

        statistics = queue.statistics()
        assert statistics.segments == {"bulk": 2}
        assert statistics.seconds["interactive"] == 0
        assert 0 < statistics.seconds["bulk"] < 3 / 49  # the first guess is 50 tokens a second
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
        with held(backend):
            first = asyncio.create_task(collect(queue, ["x"]))
            await until(lambda: backend.begun == 1)
            deadline = time.monotonic() + 0.5
            late = asyncio.create_task(collect(queue, ["a", "b"], Ask(deadline=deadline)))
            await until(lambda: time.monotonic() > deadline)
        assert await first == ["x"]
        with pytest.raises(DeadlineExceeded):
            await late
        assert await collect(queue, ["c"], Ask(deadline=time.monotonic() + 60)) == ["c"]

    assert backend.history == [["x"], ["c"]]
    assert recorder.drops == [(DropReason.DEADLINE, 2)]


async def test_a_cancelled_call_leaves_the_queue() -> None:
    """What a gone caller had waiting is never run; others are served."""
    backend = FakeBackend()
    backend.gate.clear()
    recorder = Recorder()

    async with running(backend, observer=recorder) as queue:
        first = asyncio.create_task(collect(queue, ["a"]))
        await until(lambda: backend.begun == 1)
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


async def test_a_failing_segment_fails_its_call_alone() -> None:
    """What the model raises reaches the caller at fault; those that shared its batch go on."""

    def handler(text: str) -> str:
        if text == "bad":
            raise ValueError("broken")
        return text

    backend = FakeBackend(handler)
    async with running(backend) as queue:
        with held(backend):
            first = asyncio.create_task(collect(queue, ["x"]))
            await until(lambda: backend.begun == 1)
            calls = [collect(queue, ["bad"]), collect(queue, ["good"]), collect(queue, ["fine"])]
            tasks = list(map(asyncio.create_task, calls))
            await until(lambda: queue.statistics().tokens == 3)
        bad, good, fine = await asyncio.gather(*tasks, return_exceptions=True)
        assert await first == ["x"]
        assert await collect(queue, ["next"]) == ["next"]

    assert isinstance(bad, ValueError)
    assert (good, fine) == (["good"], ["fine"])


async def test_a_call_is_not_failed_for_one_that_has_gone() -> None:
    """Who shared a batch with the call at fault goes on, even if that one has gone meanwhile."""
    crash = threading.Event()

    def handler(text: str) -> str:
        if text == "bad":
            crash.wait()
            raise ValueError("broken")
        return text

    backend = FakeBackend(handler)
    async with running(backend) as queue:
        with held(backend):
            first = asyncio.create_task(collect(queue, ["x"]))
            await until(lambda: backend.begun == 1)
            bad, good = (asyncio.create_task(collect(queue, [t])) for t in ("bad", "good"))
            await until(lambda: queue.statistics().tokens == 2)
        await until(lambda: backend.begun == 2)
        bad.cancel()
        await until(bad.done)
        crash.set()
        assert await good == ["good"]
        assert await first == ["x"]


async def test_a_partial_call_leaves_out_what_cannot_be_done_in_time() -> None:
    """A segment that is too long for its deadline is left out, and the others come."""
    backend = FakeBackend()
    recorder = Recorder()

    async with running(backend, observer=recorder) as queue:
        ask = Ask(deadline=time.monotonic() + 60, partial=True)
        results = [r.index async for r in queue.translate(["w " * 5_000, "a"], ask)]

    assert results == [1]
    assert backend.history == [["a"]]
    assert recorder.drops == [(DropReason.DEADLINE, 1)]


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
        with pytest.raises(RuntimeError, match="1 results for 2"):
            await collect(queue, ["a", "b"])
        assert await collect(queue, ["c"]) == ["c"]


async def test_closing_refuses_what_waits_and_ends_what_runs() -> None:
    """A running batch ends with its result; waiting ones and new calls are told to go elsewhere."""
    backend = FakeBackend()
    backend.gate.clear()
    recorder = Recorder()

    async with running(backend, observer=recorder) as queue:
        first = asyncio.create_task(collect(queue, ["a"]))
        await until(lambda: backend.begun == 1)
        second = asyncio.create_task(collect(queue, ["b"]))
        await until(lambda: queue.statistics().tokens == 1)
        closing = asyncio.create_task(queue.aclose())
        with pytest.raises(ShuttingDown):
            await second
        with pytest.raises(ShuttingDown):
            queue.admit(1, 1, Ask())
        with pytest.raises(ShuttingDown):
            await collect(queue, ["c"])
        backend.gate.set()
        assert await first == ["a"]
        await closing

    assert recorder.drops == [(DropReason.SHUTDOWN, 1)]


async def test_a_call_that_cannot_be_served_in_time_is_refused_at_the_door() -> None:
    """Where the work before it would take longer than its deadline allows, it isn't let in."""
    backend = FakeBackend()

    async with running(backend) as queue:
        with held(backend):
            first = asyncio.create_task(collect(queue, ["x"]))
            await until(lambda: backend.begun == 1)
            waiting = asyncio.create_task(collect(queue, ["w " * 5_000]))
            await until(lambda: queue.statistics().tokens > 5_000)
            soon = Ask(deadline=time.monotonic() + 1)
            with pytest.raises(QueueFull, match="the deadline is in") as refused:
                queue.admit(1, 1, soon)
            with pytest.raises(QueueFull), queue.reserve(10, soon):
                pass
            queue.admit(1, 1, Ask(deadline=time.monotonic() + 10_000))
            queue.admit(1, 1, Ask())
        assert refused.value.retry_after > 1
        await asyncio.gather(first, waiting)


async def test_bulk_work_does_not_keep_interactive_calls_out() -> None:
    """A person's call waits for other people's calls, so only those count at the door."""
    backend = FakeBackend()

    async with running(backend) as queue:
        with held(backend):
            first = asyncio.create_task(collect(queue, ["x"]))
            await until(lambda: backend.begun == 1)
            bulk = asyncio.create_task(collect(queue, ["w " * 5_000], Ask(priority=Priority.BULK)))
            await until(lambda: queue.statistics().tokens > 5_000)
            deadline = time.monotonic() + 1
            queue.admit(1, 1, Ask(deadline=deadline))
            with pytest.raises(QueueFull):
                queue.admit(1, 1, Ask(deadline=deadline, priority=Priority.BULK))
        await asyncio.gather(first, bulk)


async def test_callers_that_go_away_do_not_make_the_model_look_slow() -> None:
    """What was decoded for one that has gone counts for the rate: others aren't refused for it."""
    backend = FakeBackend()

    async with running(backend) as queue:
        with held(backend):
            gone = asyncio.create_task(collect(queue, ["w " * 50_000]))
            await until(lambda: backend.begun == 1)
            gone.cancel()
            await until(gone.done)
        assert await collect(queue, ["x"]) == ["x"]
        with held(backend):
            first = asyncio.create_task(collect(queue, ["x"]))
            await until(lambda: backend.begun == 3)
            waiting = asyncio.create_task(collect(queue, ["w " * 5_000]))
            await until(lambda: queue.statistics().tokens > 5_000)
            queue.admit(1, 1, Ask(deadline=time.monotonic() + 30))
        await asyncio.gather(first, waiting)


async def test_a_segment_that_cannot_be_done_in_time_is_not_begun() -> None:
    """By the rate it would end some time after its deadline, so it is dropped in its turn."""
    backend = FakeBackend()
    recorder = Recorder()

    async with running(backend, observer=recorder) as queue:
        with pytest.raises(DeadlineExceeded):
            await collect(queue, ["w " * 75], Ask(deadline=time.monotonic() + 1))

    assert backend.history == []
    assert recorder.drops == [(DropReason.DEADLINE, 1)]


async def test_a_batch_of_a_calls_own_is_decoded_whole_or_not_at_all() -> None:
    """A segment that fails its deadline isn't left out: the others could come out otherwise."""
    backend = FakeBackend()
    recorder = Recorder()

    async with running(backend, batch_tokens=200, observer=recorder) as queue:
        # By the first guess, the longer takes 1.2 seconds and the shorter 0.9.
        texts = [" ".join("w" * 60), " ".join("w" * 45)]
        ask = Ask(deadline=time.monotonic() + 1, reproducible=True, partial=True)
        assert [r async for r in queue.translate(texts, ask)] == []

    assert backend.history == []
    assert recorder.drops == [(DropReason.DEADLINE, 2)]


@pytest.mark.parametrize(
    ("before", "reason"), [(0.0, DropReason.DEADLINE), (60.0, DropReason.CANCELLED)]
)
async def test_a_call_that_is_cancelled_at_its_deadline_is_counted_as_late(
    before: float, reason: DropReason
) -> None:
    """The deadline's timer ends a call before its turn comes, and that isn't a caller's leaving."""
    backend = FakeBackend()
    cancelled = time.monotonic() + 2
    recorder = Recorder()

    async with running(backend, observer=recorder) as queue:
        with held(backend):
            first = asyncio.create_task(collect(queue, ["a"]))
            await until(lambda: backend.begun == 1)
            call = collect(queue, ["b"], Ask(deadline=cancelled + before))
            gone = asyncio.create_task(call)
            await until(lambda: queue.statistics().tokens == 1)
            await asyncio.sleep(cancelled - time.monotonic())
            gone.cancel()
            await until(gone.done)
        await first

    assert recorder.drops == [(reason, 1)]


async def test_what_waits_of_a_late_call_is_late() -> None:
    """A call that fails for its deadline takes its other segments along, and for that reason."""
    recorder = Recorder()

    async with running(FakeBackend(), batch_tokens=1, observer=recorder) as queue:
        texts = ["w " * 5_000, *"abcd"]
        with pytest.raises(DeadlineExceeded):
            await collect(queue, texts, Ask(deadline=time.monotonic() + 60))

    assert {reason for reason, _ in recorder.drops} == {DropReason.DEADLINE}
    assert sum(segments for _, segments in recorder.drops) > 1


async def test_results_that_come_together_are_all_given() -> None:
    """A reader slower than the workers misses nothing."""
    async with running(FakeBackend(str.upper), batch_tokens=1) as queue:
        given = []
        async for result in queue.translate(list("abcdef")):
            await until(lambda: not queue.statistics().segments)
            given.append(result.hypothesis.text)

    assert sorted(given) == list("ABCDEF")
