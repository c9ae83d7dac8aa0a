"""The share-out of the CPU among models: so many calls at once, of whichever model."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

__all__ = ["Slots"]


class Slots:
    """A number of places in which model calls run, each on its own CPU threads.

    Short calls go before long ones, so that a summary of some milliseconds doesn't wait behind
    every batch that is queued; but of two that follow each other one is long if any waits, so that
    neither kind starves.
    """

    def __init__(self, count: int) -> None:
        """Make `count` free places; 1 or more."""
        self._free = count
        self._waiting: dict[bool, deque[asyncio.Future[None]]] = {True: deque(), False: deque()}
        self._last_was_short = False

    @asynccontextmanager
    async def use(
        self, *, short: bool = False, patience: float | None = None
    ) -> AsyncIterator[None]:
        """Wait for a place and hold it.

        Args:
            short: whether it is held for milliseconds only.
            patience: seconds, from 0, after which to go on without a place; None waits for one.
        """
        held = False
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._acquire(short)
                held = True
        try:
            yield
        finally:
            if held:
                self._release()

    async def _acquire(self, short: bool) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[short].append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the place was given in the same moment
                self._release()
            raise

    def _release(self) -> None:
        for short in (not self._last_was_short, self._last_was_short):
            while self._waiting[short]:
                turn = self._waiting[short].popleft()
                if not turn.done():
                    self._last_was_short = short
                    turn.set_result(None)
                    return
        self._free += 1
