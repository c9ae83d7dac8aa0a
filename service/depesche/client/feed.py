"""The releases of a feed that are on their way, so that those without a reply can be sent again."""

import threading
import time
from collections import deque

from depesche.errors import DeadlineExceeded, LoadError, QueueFull, QuotaExceeded
from depesche.types import Release

__all__ = ["Backlog", "Item"]

_RESUMES = 5
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0

Item = tuple[str, Release]
"""A release with its caller's id."""


class Backlog:
    """What a feed has sent, over all the calls that it takes, one after the other.

    gRPC reads the releases in a thread or task of its own, which may still wait for the next one
    when its call is over. What it gets then goes to the next call.
    """

    def __init__(self, timeout: float | None) -> None:
        """Begin with nothing sent; the feed may take `timeout` seconds, or any time if None."""
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._lock = threading.Lock()
        self.call = 0
        self._sent = 0
        self._unanswered: dict[int, Item] = {}
        self._again: deque[Item] = deque()
        self._failures = 0

    @property
    def remaining(self) -> float | None:
        """Seconds that are left, or None for any time."""
        return None if self._deadline is None else self._deadline - time.monotonic()

    def begin(self) -> int:
        """Begin a call, and give its number; what had no reply is to be sent again, in order."""
        with self._lock:
            self.call += 1
            self._again.extendleft(reversed(self._unanswered.values()))
            self._unanswered.clear()
            self._sent = 0
            return self.call

    def again(self, call: int) -> Item | None:
        """Give the next release that a call must send again, if there is one."""
        with self._lock:
            if call != self.call or not self._again:
                return None
            return self._send(self._again.popleft())

    def take(self, call: int, item: Item) -> Item | None:
        """Note a new release as sent; None if the call is over, and the next one sends it."""
        with self._lock:
            if call == self.call:
                return self._send(item)
            self._again.append(item)
            return None

    def answered(self, index: int) -> str:
        """Note the reply to the release of a place in the call, and give the release's id."""
        with self._lock:
            self._failures = 0
            release_id, _ = self._unanswered.pop(index)
            return release_id

    def pause(self, error: LoadError) -> float:
        """Give the seconds after which another call may go on where one ended by an error.

        Raises:
            LoadError: the error itself, where there is no time, or too many calls in a row ended
                without any reply.
        """
        self._failures += 1
        seconds: float = min(_FIRST_PAUSE * 2 ** (self._failures - 1), _LONGEST_PAUSE)
        if isinstance(error, QueueFull | QuotaExceeded):
            seconds = max(seconds, error.retry_after)
        late = self.remaining is not None and self.remaining < seconds
        if isinstance(error, DeadlineExceeded) or late or self._failures > _RESUMES:
            raise error
        return seconds

    def _send(self, item: Item) -> Item:
        self._unanswered[self._sent] = item
        self._sent += 1
        return item
