"""What is done before a moment; the rest is left."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TypeVar

__all__ = ["before", "finished_before"]

_T = TypeVar("_T")


async def before(items: AsyncGenerator[_T, None], moment: float | None) -> AsyncGenerator[_T, None]:
    """Give the items that come before a moment; the source is closed then.

    Args:
        items: the source.
        moment: a `time.monotonic()` value, or None to take all.
    """
    async with aclosing(items):
        while True:
            try:
                async with asyncio.timeout(_left(moment)) as limit:
                    item = await anext(items)
            except StopAsyncIteration:
                return
            except TimeoutError:
                if limit.expired():
                    return
                raise  # the source's own
            yield item


async def finished_before(
    tasks: Mapping[asyncio.Task[_T], _T], moment: float | None
) -> AsyncGenerator[_T, None]:
    """Give the tasks' results as they finish, and after a moment what stands for the others.

    Args:
        tasks: the tasks, each with what stands for its result; those that aren't done then go on.
        moment: a `time.monotonic()` value, or None to wait for all.
    """
    pending = set(tasks)
    while pending:
        done, pending = await asyncio.wait(
            pending, timeout=_left(moment), return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            yield task.result()
        if not done:
            break
    for task in pending:
        yield tasks[task]


def _left(moment: float | None) -> float | None:
    return None if moment is None else max(0.0, moment - time.monotonic())
