"""A server of a fake model that takes its time, for tests that need a process of its own.

    python -m tests.rpc.slow_server SECONDS...

Once the model is warm, each batch takes the next number of seconds, and those after the last number
as long as it did. Settings come from the environment, as those of `depesche serve` do.
"""

import asyncio
import sys
import time
from collections.abc import Iterable, Sequence
from itertools import chain, repeat

from depesche.config import load_settings
from depesche.inference.backend import Hypothesis
from depesche.inference.fake import FakeBackend
from depesche.server.app import serve
from tests.support import fake_loader


class _Slow(FakeBackend):
    """Sleeps while it translates, and keeps nothing of it."""

    def __init__(self, seconds: Iterable[float]) -> None:
        super().__init__()
        self._seconds = iter(seconds)
        self._warm_up = ""

    def translate(self, batch: Sequence[Sequence[str]], *, beam_size: int) -> list[Hypothesis]:
        """Translate a batch; see `FakeBackend`."""
        del beam_size
        texts = [" ".join(tokens) for tokens in batch]
        self._warm_up = self._warm_up or texts[0]  # nobody's release comes before it
        if texts[0] != self._warm_up:
            time.sleep(next(self._seconds))
        return [Hypothesis(text, -0.1, 1, truncated=False) for text in texts]


if __name__ == "__main__":
    times = [float(argument) for argument in sys.argv[1:]]
    backend = _Slow(chain(times, repeat(times[-1])))
    asyncio.run(serve(load_settings(), loader=fake_loader(backend)))
