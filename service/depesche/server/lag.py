"""How late the event loop is: whatever blocks it makes every call and every probe wait."""

import asyncio
from collections.abc import Callable
from typing import NoReturn

__all__ = ["watch"]

_INTERVAL = 0.1


async def watch(observe: Callable[[float], None], *, interval: float = _INTERVAL) -> NoReturn:
    """Tell again and again how late the loop wakes a task, until this one is cancelled.

    The moments are fixed beforehand. A loop that is blocked misses several and each of them counts,
    so that the share of late ones is the share of time in which a call would have waited.

    Args:
        observe: told the seconds between each moment and when the loop came to it.
        interval: seconds between the moments.
    """
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        due += interval
        await asyncio.sleep(due - loop.time())
        # A loop's timers may be early by the resolution of its clock.
        observe(max(0.0, loop.time() - due))
