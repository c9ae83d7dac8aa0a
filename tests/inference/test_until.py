import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from depesche.inference.until import before, finished_before


async def test_items_are_given_until_the_moment() -> None:
    """What has come is given; then the source is closed, and what it waits for is left."""
    closed = asyncio.Event()

    async def items() -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
            await asyncio.Event().wait()
        finally:
            closed.set()

    assert [item async for item in before(items(), time.monotonic() + 0.05)] == [1, 2]
    assert closed.is_set()


async def test_a_timeout_of_the_source_is_its_error() -> None:
    """A source that fails by a timeout of its own isn't taken for one that was cut."""

    async def items() -> AsyncGenerator[int, None]:
        yield 1
        raise TimeoutError

    with pytest.raises(TimeoutError):
        _ = [item async for item in before(items(), time.monotonic() + 60)]


async def test_without_a_moment_all_is_given() -> None:
    """No moment means to the end."""

    async def items() -> AsyncGenerator[int, None]:
        for number in range(3):
            yield number

    assert [item async for item in before(items(), None)] == [0, 1, 2]


async def test_the_readers_time_is_not_cut() -> None:
    """A reader that takes long over an item isn't disturbed by the moment."""

    async def items() -> AsyncGenerator[int, None]:
        yield 1

    async with aclosing(before(items(), time.monotonic() + 0.01)) as given:
        async for _ in given:
            await asyncio.sleep(0.03)


async def test_unfinished_tasks_are_stood_in_for() -> None:
    """Results come as they finish; after the moment, what stands for the others."""

    async def done(value: str) -> str:
        return value

    async def never() -> str:
        await asyncio.Event().wait()
        return "never"

    tasks = {asyncio.create_task(done("a")): "b", asyncio.create_task(never()): "instead"}
    try:
        given = [item async for item in finished_before(tasks, time.monotonic() + 0.05)]
    finally:
        for task in tasks:
            task.cancel()
    assert given == ["a", "instead"]


async def test_all_tasks_are_waited_for_without_a_moment() -> None:
    """No moment means every result."""

    async def later(value: int) -> int:
        await asyncio.sleep(0)
        return value

    tasks = {asyncio.create_task(later(n)): -1 for n in range(3)}
    assert sorted([item async for item in finished_before(tasks, None)]) == [0, 1, 2]
