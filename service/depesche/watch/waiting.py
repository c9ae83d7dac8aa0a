"""When to try again: time that can be replaced, and waits that grow."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Protocol

__all__ = ["Backoff", "Clock", "SystemClock", "retry_after"]

# Whoever asks for more is asked again after this.
_LONGEST = 86_400.0


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> float:
        """Seconds since 1970."""
        ...

    async def wait(self, event: asyncio.Event, seconds: float | None) -> None:
        """Wait until the event is set, or so many seconds have passed; None for no end."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    async def wait(self, event: asyncio.Event, seconds: float | None) -> None:
        """Wait until the event is set, or so many seconds have passed."""
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double with each failure, by chance shorter, so that not all come at once.

    Attributes:
        base: the longest first wait, in seconds.
        cap: the longest wait at all.
        chance: gives a number from 0 to 1.
    """

    base: float
    cap: float
    chance: Callable[[], float] = field(default=random.random)

    def wait(self, failures: int, asked: float | None = None) -> float:
        """Give the seconds to wait after so many failures, 1 or more.

        Args:
            failures: how many there were in a row.
            asked: the least that the other side asks for, in seconds.
        """
        longest = min(self.cap, self.base * 2.0 ** min(failures - 1, 30))
        return max(longest * (0.5 + 0.5 * self.chance()), min(asked or 0.0, _LONGEST))


def retry_after(value: str | None, now: float) -> float | None:
    """Read the header Retry-After: seconds, or a date (RFC 9110, section 10.2.3).

    Returns:
        Seconds from `now`, 0 or more; None where there is no header or it can't be read.
    """
    value = (value or "").strip()
    if value.isascii() and value.isdigit():
        return float(value) if len(value) < len("1000000000") else _LONGEST
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    # A date without a zone, as -0000 gives it, is in UTC.
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
