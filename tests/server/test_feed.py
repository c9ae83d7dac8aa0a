import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from depesche.server.feed import as_finished, until


async def _numbers(count: int, taken: list[int] | None = None) -> AsyncIterator[int]:
    for number in range(count):
        if taken is not None:
            taken.append(number)
        yield number


async def _double(number: int) -> int:
    return 2 * number


async def test_every_item_is_worked_on() -> None:
    """All results come, whatever the limit."""
    for limit in (1, 3, 100):
        results = [r async for r in as_finished(_numbers(10), _double, limit)]
        assert sorted(results) == [2 * n for n in range(10)]


async def test_results_come_as_they_finish() -> None:
    """A slow item doesn't hold up the next one."""
    slow = asyncio.Event()

    async def work(number: int) -> int:
        if number == 0:
            await slow.wait()
        return number

    async with aclosing(as_finished(_numbers(2), work, 2)) as results:
        assert await anext(results) == 1
        slow.set()
        assert await anext(results) == 0


async def test_no_more_than_the_limit_are_at_work() -> None:
    """While none is finished, `limit` items are at work and one more has been read."""
    taken: list[int] = []
    started: list[int] = []
    hold = asyncio.Event()
    full = asyncio.Event()

    async def work(number: int) -> int:
        started.append(number)
        if len(started) == 3:
            full.set()
        await hold.wait()
        return number

    async with aclosing(as_finished(_numbers(10, taken), work, 3)) as results:
        first = asyncio.ensure_future(anext(results))
        await full.wait()
        assert started == [0, 1, 2]
        assert taken == [0, 1, 2, 3]
        hold.set()
        assert await first == 0


async def test_a_slow_reader_slows_the_source() -> None:
    """Results that nobody takes count as at work."""
    taken: list[int] = []
    async with aclosing(as_finished(_numbers(100, taken), _double, 2)) as results:
        await anext(results)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(taken) <= 4


async def test_leaving_early_cancels_the_work() -> None:
    """When the reader goes, what is at work is cancelled before the iterator is closed."""
    cancelled: list[int] = []

    async def work(number: int) -> int:
        if number == 0:
            return number
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(number)
            raise
        return number

    async with aclosing(as_finished(_numbers(3), work, 3)) as results:
        assert await anext(results) == 0

    assert sorted(cancelled) == [1, 2]


async def test_an_error_of_the_work_ends_the_iteration() -> None:
    """The reader sees the error itself."""

    async def work(number: int) -> int:
        raise LookupError(str(number))

    with pytest.raises(LookupError, match="0"):
        async for _ in as_finished(_numbers(3), work, 1):
            pass


async def test_until_gives_all_items_of_a_source_that_ends() -> None:
    """Without the event, nothing is lost."""
    assert [n async for n in until(_numbers(3), asyncio.Event())] == [0, 1, 2]


async def test_until_ends_while_the_source_waits() -> None:
    """The event ends the iteration even if the source never gives anything again."""
    closed = asyncio.Event()

    async def source() -> AsyncIterator[int]:
        yield 1
        await asyncio.Event().wait()

    async with aclosing(until(source(), closed)) as items:
        assert await anext(items) == 1
        waiting = asyncio.ensure_future(anext(items, None))
        await asyncio.sleep(0)
        closed.set()
        assert await waiting is None
