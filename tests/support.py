"""What several test modules share."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from depesche.config import Settings
from depesche.engine import Engine
from depesche.inference.backend import Hypothesis, TranslationBackend
from depesche.inference.fake import FakeBackend
from depesche.inference.fake_encoder import FakeEncoder
from depesche.loading import LoadedModels, Loader
from depesche.models.store import ModelStore
from depesche.types import ModelIdentity

TRANSLATION = ModelIdentity("translation", "embedded", "1", "a" * 64, "none", "Apache-2.0")
SUMMARY = ModelIdentity("summary", "minilm", "1", "b" * 64, "none", "Apache-2.0")


def fake_loader(backend: TranslationBackend) -> Loader:
    """Make a loader that gives `backend` and a fake encoder in place of the models."""

    def load(_settings: Settings, _store: ModelStore) -> LoadedModels:
        return LoadedModels.of(backend, FakeEncoder(), TRANSLATION, SUMMARY)

    return load


@contextmanager
def held(backend: FakeBackend) -> Iterator[None]:
    """Hold the backend's batches within the block."""
    backend.gate.clear()
    try:
        yield
    finally:
        backend.gate.set()


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until `condition` holds; the test's timeout bounds it."""
    while not condition():  # noqa: ASYNC110 - the queue's state has no event, by design
        await asyncio.sleep(0)


def slow_down(engine: Engine) -> None:
    """Make the translation model look as slow as one that decodes 50 tokens a second."""
    engine._current._queues["embedded"]._rate.add(first=3_000, work=12_000, seconds=60)


def dictionary(entries: dict[str, str]) -> Callable[[str], str | Hypothesis]:
    """Make a handler that translates whole segments by a dictionary, others by themselves."""
    return lambda text: entries.get(text, text)
