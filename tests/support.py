"""What several test modules share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from depesche.config import Settings
from depesche.engine import Engine, LoadedModels, Loader
from depesche.inference.backend import Hypothesis, TranslationBackend
from depesche.inference.fake import FakeBackend
from depesche.inference.fake_encoder import FakeEncoder
from depesche.models.store import ModelStore
from depesche.types import ModelIdentity

TRANSLATION = ModelIdentity("translation", "embedded", "1", "a" * 64, "none", "Apache-2.0")
SUMMARY = ModelIdentity("summary", "minilm", "1", "b" * 64, "none", "Apache-2.0")


def fake_loader(backend: TranslationBackend) -> Loader:
    """Make a loader that gives `backend` and a fake encoder in place of the models."""

    def load(_settings: Settings, _store: ModelStore) -> LoadedModels:
        return LoadedModels(backend, FakeEncoder(), TRANSLATION, SUMMARY)

    return load


@contextmanager
def held(backend: FakeBackend) -> Iterator[None]:
    """Hold the backend's batches within the block."""
    backend.gate.clear()
    try:
        yield
    finally:
        backend.gate.set()


def slow_down(engine: Engine) -> None:
    """Make the translation model look as slow as one that decodes 50 tokens a second."""
    engine._current.queue._rate.add(first=3_000, padded=3_000, seconds=60)


def dictionary(entries: dict[str, str]) -> Callable[[str], str | Hypothesis]:
    """Make a handler that translates whole segments by a dictionary, others by themselves."""
    return lambda text: entries.get(text, text)
