"""Closed-loop load: each client sends its next lines when it has the English of the last."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence

__all__ = ["line_rate"]


async def line_rate(
    send: Callable[[Sequence[str]], Awaitable[object]],
    lines: Sequence[str],
    size: int,
    clients: int,
    seconds: float,
) -> float:
    """Return lines a second for clients that send releases one after another.

    Args:
        send: sends the lines of one release and returns when they are translated.
        lines: the source, taken from the start again where it ends.
        size: lines of a release.
        clients: how many send at once.
        seconds: after which no release is sent; what is under way is waited for and counts.
    """
    # The last lines that fill no release are left out.
    chunks = itertools.cycle(lines[i : i + size] for i in range(0, len(lines) - size + 1, size))
    done = 0
    started = time.monotonic()

    async def work() -> None:
        nonlocal done
        while time.monotonic() - started < seconds:
            await send(next(chunks))
            done += size

    await asyncio.gather(*(work() for _ in range(clients)))
    return done / (time.monotonic() - started)
