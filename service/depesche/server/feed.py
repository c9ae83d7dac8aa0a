"""Work on a stream of items, a bounded number at once, in the order in which they finish."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

__all__ = ["as_finished", "until"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


async def as_finished(
    items: AsyncIterator[_Item],
    work: Callable[[_Item], Coroutine[Any, Any, _Result]],
    limit: int,
) -> AsyncGenerator[_Result, None]:
    """Give the result of `work` on each item as soon as it is there.

    At most `limit` items are at work or wait to be given, and one more has been read: a slow reader
    slows the source down and makes nothing pile up. Leaving the iteration early cancels what is at
    work, at once if the iterator is closed by `contextlib.aclosing`.

    Args:
        items: the source.
        work: what is done with each item; an error of it ends the iteration.
        limit: most items at once; 1 or more.
    """
    slots = asyncio.Semaphore(limit)
    finished: asyncio.Queue[asyncio.Task[_Result] | None] = asyncio.Queue()

    async def take() -> None:
        try:
            async with asyncio.TaskGroup() as group:
                async for item in items:
                    await slots.acquire()
                    group.create_task(work(item)).add_done_callback(finished.put_nowait)
        finally:
            finished.put_nowait(None)

    taker = asyncio.create_task(take())
    try:
        while (task := await finished.get()) is not None:
            yield task.result()
            slots.release()
        await taker
    finally:
        taker.cancel()
        await asyncio.gather(taker, return_exceptions=True)


async def until(items: AsyncIterator[_Item], closed: asyncio.Event) -> AsyncGenerator[_Item, None]:
    """Give the items that come before `closed` is set."""
    closing = asyncio.ensure_future(closed.wait())
    taking: asyncio.Future[_Item] | None = None
    try:
        while not closed.is_set():
            taking = asyncio.ensure_future(anext(items))
            await asyncio.wait({taking, closing}, return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                return
            try:
                item = taking.result()
            except StopAsyncIteration:
                return
            yield item
    finally:
        for waiting in (closing, taking):
            if waiting is not None:
                waiting.cancel()
