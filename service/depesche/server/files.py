"""Files that may change while the server runs: tokens, certificates."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

__all__ = ["WatchedFiles"]

_INTERVAL_SECONDS = 1.0

_State = tuple[int, int, int] | None


class WatchedFiles:
    """Tells whether files have changed, looking no more often than once a second."""

    def __init__(self, paths: Sequence[Path], clock: Callable[[], float] = time.monotonic) -> None:
        """Note the files as they are now; read them after this, so that no change is missed.

        Args:
            paths: the files; a link is followed, so that it may be pointed elsewhere.
            clock: tells the time in seconds.
        """
        self._paths = tuple(paths)
        self._clock = clock
        self._looked = clock()
        self._states = self._look()

    def changed(self) -> bool:
        """Tell whether a file has changed since the last change that was told."""
        now = self._clock()
        if now - self._looked < _INTERVAL_SECONDS:
            return False
        self._looked = now
        before, self._states = self._states, self._look()
        return self._states != before

    def _look(self) -> list[_State]:
        return [_state(path) for path in self._paths]


def _state(path: Path) -> _State:
    """Tell a file from other versions of it; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    # Not the time of modification: it can be set back, and stays when a file is made readable.
    return found.st_ino, found.st_ctime_ns, found.st_size
