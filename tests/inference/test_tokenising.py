"""The queue cuts segments into tokens in other threads, for a long release takes some time."""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from depesche.errors import QueueFull, ShuttingDown
from depesche.inference.fake import FakeBackend
from depesche.inference.queue import Ask, SegmentQueue
from depesche.types import Language
from tests.support import held


class _Slow(FakeBackend):
    """A backend that is told when it may cut a segment that begins with `slow`.

    Attributes:
        tokenising: set when it comes to one.
        go: set it to let it go on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tokenising = threading.Event()
        self.go = threading.Event()

    def tokenize(self, text: str, language: Language | None = None) -> list[str]:
        """Cut a segment; see `FakeBackend`."""
        if text.startswith("slow"):
            self.tokenising.set()
            assert self.go.wait(30)
        return super().tokenize(text, language)


def _queue(backend: FakeBackend, capacity: int = 100) -> SegmentQueue:
    return SegmentQueue("fake", backend, workers=1, batch_tokens=8, capacity=capacity)


async def _collect(queue: SegmentQueue, *texts: str, ask: Ask | None = None) -> list[str]:
    return [result.hypothesis.text async for result in queue.translate(texts, ask)]


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - the queue's state has no event, by design
        await asyncio.sleep(0)


async def test_others_are_served_while_a_long_call_is_cut() -> None:
    """The loop isn't held up, and neither are the workers."""
    backend = _Slow()
    queue = _queue(backend)
    slow = asyncio.create_task(_collect(queue, "slow"))
    await asyncio.to_thread(backend.tokenising.wait, 30)

    assert await _collect(queue, "quick") == ["quick"]
    assert not slow.done()
    backend.go.set()
    assert await slow == ["slow"]
    await queue.aclose()


async def test_a_call_that_goes_while_it_is_cut_leaves_nothing() -> None:
    """What its thread still does is thrown away."""
    backend = _Slow()
    queue = _queue(backend)
    gone = asyncio.create_task(_collect(queue, "slow"))
    await asyncio.to_thread(backend.tokenising.wait, 30)
    gone.cancel()
    await _until(gone.done)
    backend.go.set()

    assert await _collect(queue, "next") == ["next"]
    assert queue.statistics().segments == {}
    assert backend.history == [["next"]]
    await queue.aclose()


async def test_a_call_that_is_cut_when_the_queue_closes_is_refused() -> None:
    """It would wait for workers that have ended."""
    backend = _Slow()
    queue = _queue(backend)
    late = asyncio.create_task(_collect(queue, "slow"))
    await asyncio.to_thread(backend.tokenising.wait, 30)
    await queue.aclose()
    backend.go.set()

    with pytest.raises(ShuttingDown):
        await late


async def test_room_that_is_gone_when_a_call_is_cut_is_not_given_twice() -> None:
    """Calls that came meanwhile are weighed, but not against what was let in before."""
    backend = _Slow()
    queue = _queue(backend, capacity=2)
    with held(backend):
        running = asyncio.create_task(_collect(queue, "x"))
        await _until(lambda: backend.begun == 1)
        queue.admit(2, 2, Ask())
        slow = asyncio.create_task(_collect(queue, "slow", "slow"))
        await asyncio.to_thread(backend.tokenising.wait, 30)
        quick = asyncio.create_task(_collect(queue, "a"))
        await _until(lambda: queue.statistics().segments == {"interactive": 1})
        backend.go.set()
        with pytest.raises(QueueFull, match="holds 1 of 2 segments"):
            await slow
        again = asyncio.create_task(_collect(queue, "b", "c", ask=Ask(since=time.monotonic())))
        await _until(lambda: queue.statistics().segments == {"interactive": 3})

    assert await running == ["x"]
    assert await quick == ["a"]
    assert sorted(await again) == ["b", "c"]
    await queue.aclose()
