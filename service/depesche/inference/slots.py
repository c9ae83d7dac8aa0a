"""The share-out of the CPU among models: so many calls at once, of whichever model."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from depesche.errors import QueueFull

__all__ = ["Slots"]

_MOST_SHORT = 64
"""Short calls that may wait before a new one; of at most 80 ms each, so some seconds on one CPU."""


class Slots:
    """A number of places in which model calls run, each on its own CPU threads.

    Short calls go before long ones, so that some sentences of a summary don't wait behind every
    batch that is queued; but of two that follow each other one is long if any waits, so that
    neither kind starves.

    Attributes:
        count: the places there are.
    """

    def __init__(self, count: int) -> None:
        """Make `count` free places; 1 or more."""
        self.count = self._free = count
        self._waiting: dict[bool, deque[asyncio.Future[None]]] = {True: deque(), False: deque()}
        self._last_was_short = False

    def admit_short(self) -> None:
        """Refuse a call that needs nothing but short ones while too many of these wait.

        Raises:
            QueueFull: they do.
        """
        waiting = sum(not turn.done() for turn in self._waiting[True])
        if waiting >= _MOST_SHORT:
            raise QueueFull(f"{waiting} summaries wait; come again in 1 s", retry_after=1.0)

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
