"""Models that are in memory while they are used, and out of it after a while."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from depesche.inference.backend import Hypothesis, TranslationBackend
from depesche.types import Language

__all__ = ["ReloadableBackend", "Resident"]


class ReloadableBackend(TranslationBackend, Protocol):
    """A backend whose weights can leave memory and come back."""

    def unload(self) -> None:
        """Free the weights' memory; what counts tokens stays."""
        ...

    def reload(self) -> None:
        """Read the weights again.

        Raises:
            ModelError: they can't be read.
        """
        ...


class Resident:
    """A backend that unloads when nobody has used it for some time, and loads when somebody does.

    Attributes:
        loaded: whether the weights are in memory.
    """

    def __init__(self, backend: ReloadableBackend, before_reload: Callable[[], None]) -> None:
        """Take a loaded backend.

        Args:
            backend: the model, for which nobody else may call `unload` or `reload`.
            before_reload: called before the weights are read again; raises ModelError where they
                aren't what they were any more, or don't fit.
        """
        self.loaded = True
        self._backend = backend
        self._before_reload = before_reload
        self._users = 0
        self._used = time.monotonic()
        self._lock = threading.Lock()

    @property
    def max_source_tokens(self) -> int:
        """The longest segment that the model translates well, in source tokens."""
        return self._backend.max_source_tokens

    @property
    def quantisation(self) -> str:
        """The compute type in use."""
        return self._backend.quantisation

    def tokenize(self, text: str, language: Language | None = None) -> list[str]:
        """Cut a segment; needs no weights. See `TranslationBackend`."""
        return self._backend.tokenize(text, language)

    def translate(self, batch: Sequence[Sequence[str]], *, beam_size: int) -> list[Hypothesis]:
        """Translate a batch, once the weights are there; see `TranslationBackend`.

        Raises:
            ModelError: the weights can't be read again, or don't fit.
        """
        with self._use():
            return self._backend.translate(batch, beam_size=beam_size)

    def unload_if_idle(self, seconds: float) -> bool:
        """Unload if nobody has used the model for so many seconds; blocks while it unloads.

        Returns:
            Whether it was unloaded now.
        """
        with self._lock:
            idle = not self._users and time.monotonic() - self._used >= seconds
            if not (idle and self.loaded):
                return False
            self._backend.unload()
            self.loaded = False
            return True

    def close(self) -> None:
        """Free the model's memory. Calls after this one are errors."""
        self._backend.close()

    @contextmanager
    def _use(self) -> Iterator[None]:
        with self._lock:  # one loads, the others wait for it
            if not self.loaded:
                self._before_reload()
                self._backend.reload()
                self.loaded = True
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                self._used = time.monotonic()
