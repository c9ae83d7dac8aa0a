"""How many requests each client may make: token buckets by the names in the file of tokens."""

import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import partial

from depesche.errors import QuotaExceeded
from depesche.server.auth import CALLER, Caller
from depesche.server.interceptors import Context, Handler, OwnMethods, run_within

__all__ = ["Bucket", "QuotaInterceptor", "Quotas", "charge"]

_SECONDS = 60.0
# The part of a minute's requests that may come at once: those of ten seconds.
_BURST_PART = 6

_CHARGE: ContextVar[Callable[[], None] | None] = ContextVar("_CHARGE", default=None)


def charge() -> None:
    """Charge the client of the call under way for one request more, if it has a quota.

    The interceptor has charged for the call itself; a call that holds many requests, as a feed of
    releases does, charges for each.

    Raises:
        QuotaExceeded: the quota is used up.
    """
    take = _CHARGE.get()
    if take is not None:
        take()


class Bucket:
    """A token bucket: holds the requests of ten seconds, at least one, and fills up evenly.

    Attributes:
        per_minute: requests per minute.
        burst: requests that may come at once.
    """

    per_minute: int
    burst: int

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin full.

        Args:
            per_minute: requests per minute; 1 or more.
            clock: tells the time in seconds.
        """
        self._clock = clock
        self._filled = clock()
        self._level = math.inf
        self.resize(per_minute)

    def resize(self, per_minute: int) -> None:
        """Change the requests per minute; what is in the bucket stays, as far as it fits."""
        self.per_minute = per_minute
        self.burst = max(1, per_minute // _BURST_PART)
        self._level = min(self._level, self.burst)

    def take(self) -> float:
        """Take one request out.

        Returns:
            0 if there was one; else the seconds until there is, in whole milliseconds, and nothing
            is taken.
        """
        now = self._clock()
        rate = self.per_minute / _SECONDS
        self._level = min(self.burst, self._level + (now - self._filled) * rate)
        self._filled = now
        if self._level >= 1:
            self._level -= 1
            return 0.0
        return math.ceil((1 - self._level) / rate * 1000) / 1000


class Quotas:
    """The buckets of all clients."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def charge(self, caller: Caller) -> None:
        """Charge a client for one request.

        Raises:
            QuotaExceeded: its quota is used up; says when to come again.
        """
        if caller.requests_per_minute is None:
            return
        bucket = self._bucket(caller.name, caller.requests_per_minute)
        if wait := bucket.take():
            raise QuotaExceeded(
                f"the quota of {bucket.per_minute} requests per minute, {bucket.burst} at once,"
                " is used up",
                wait,
                caller.name,
            )

    def _bucket(self, name: str, per_minute: int) -> Bucket:
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = Bucket(per_minute, self._clock)
        elif bucket.per_minute != per_minute:
            # Never a new one: an open feed and a new call may differ in what they know of the file.
            bucket.resize(per_minute)
        return bucket


class QuotaInterceptor(OwnMethods):
    """Charges a client for each call; stands behind `AuthenticationInterceptor`."""

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas

    def wrap(self, handler: Handler, method: str) -> Handler:
        """Wrap a handler."""
        del method
        return run_within(handler, self._charged)

    @asynccontextmanager
    async def _charged(self, context: Context) -> AsyncIterator[None]:
        del context
        _CHARGE.set(partial(self._quotas.charge, CALLER.get()))
        charge()
        yield
