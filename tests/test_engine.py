import asyncio
import time

import pytest

from depesche.config import Settings
from depesche.engine import Engine, LoadedModels, ModelState, worker_count
from depesche.errors import (
    ConfigurationError,
    InvalidRequest,
    LanguageUncertain,
    ModelError,
    QueueFull,
    ShuttingDown,
)
from depesche.inference.cpu import available_cpus
from depesche.inference.fake import FakeBackend
from depesche.models.store import ModelStore
from depesche.types import BriefOptions, Language, Release
from tests.support import fake_loader, held

TEXT = "Die Stadt Köln hat am Montag nach langer Bauzeit eine neue Brücke über den Rhein eröffnet."


async def test_a_failed_reload_keeps_the_running_models() -> None:
    """When the new models can't be loaded, the old ones go on serving."""
    backends = iter([FakeBackend(str.upper)])

    def loader(settings: Settings, store: ModelStore) -> LoadedModels:
        try:
            return fake_loader(next(backends))(settings, store)
        except StopIteration:
            raise ModelError("model 'embedded': model.bin is missing") from None

    engine = await Engine.load(Settings(), loader=loader)
    with pytest.raises(ModelError):
        await engine.reload()
    result = await engine.translate(Release(TEXT))
    await engine.aclose()

    assert result.translations[0].text.startswith("DIE STADT")


async def test_english_is_not_refused_for_the_queue_of_a_model() -> None:
    """A release in English needs no translation, however much waits for one."""
    backend = FakeBackend()
    engine = await Engine.load(Settings(workers=1), loader=fake_loader(backend))
    deadline = time.monotonic() + 60
    with held(backend):
        waiting = asyncio.create_task(engine.translate(Release("\n\n".join([TEXT] * 500))))
        while engine.statistics()["embedded"].tokens < 5_000:  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0)
        with pytest.raises(QueueFull):
            await engine.translate(Release(TEXT), deadline=deadline)
        english = Release("The city opened a bridge.", language=Language.ENGLISH)
        result = await engine.translate(english, deadline=deadline)
    waiting.cancel()
    await engine.aclose()

    assert [t.text for t in result.translations] == ["The city opened a bridge."]


async def test_a_reload_lets_running_calls_end_on_the_old_models() -> None:
    """A call under way keeps its models; the next one has the new ones; nothing is lost."""
    old, new = FakeBackend(lambda _: "Old."), FakeBackend(lambda _: "New.")
    backends = iter([old, new])

    def loader(settings: Settings, store: ModelStore) -> LoadedModels:
        return fake_loader(next(backends))(settings, store)

    engine = await Engine.load(Settings(decode_again=False), loader=loader)
    old.gate.clear()
    running = asyncio.create_task(engine.translate(Release(TEXT)))
    reload = asyncio.create_task(engine.reload())
    while engine._current.models.backend is old:  # noqa: ASYNC110 - the swap has no event
        await asyncio.sleep(0)
    after = await engine.translate(Release(TEXT))

    assert not running.done()
    assert not reload.done()
    old.gate.set()
    before = await running
    await reload
    await engine.aclose()
    assert [t.text for t in before.translations] == ["Old."]
    assert [t.text for t in after.translations] == ["New."]


async def test_models_tell_their_state() -> None:
    """Loaded models are ready, in the manifest's order."""
    engine = await Engine.load(Settings(), loader=fake_loader(FakeBackend()))

    states = {status.name: status.state for status in engine.models()}
    await engine.aclose()

    assert states["embedded"] is ModelState.READY
    assert states["minilm"] is ModelState.READY


async def test_detects_a_language_or_refuses() -> None:
    """Text that tells its language is detected; text too short for it is refused."""
    engine = await Engine.load(Settings(), loader=fake_loader(FakeBackend()))

    assert engine.detect(TEXT).language is Language.GERMAN
    with pytest.raises(LanguageUncertain):
        engine.detect("Ja")
    with pytest.raises(InvalidRequest):
        engine.detect(" ")
    await engine.aclose()


async def test_summarises_english() -> None:
    """Key sentences of an English text come with their places in it."""
    engine = await Engine.load(Settings(), loader=fake_loader(FakeBackend()))
    text = (
        "The bridge opened on Monday. It cost 12 million euros. It took three long years to build."
    )

    summary = await engine.summarise(Release(text), BriefOptions(sentence_count=1))
    await engine.aclose()

    (sentence,) = summary.sentences
    assert text[sentence.span.start : sentence.span.end] == sentence.source == sentence.text


def test_more_threads_than_cpus_are_refused() -> None:
    """Oversubscription is a mistake of configuration, not something to try."""
    cpus = available_cpus()

    assert worker_count(Settings()) == cpus
    assert worker_count(Settings(workers=1)) == 1
    with pytest.raises(ConfigurationError, match="workers: "):
        worker_count(Settings(workers=cpus + 1))
    with pytest.raises(ConfigurationError, match="workers: "):
        worker_count(Settings(threads_per_worker=cpus + 1))


async def test_a_model_that_fails_when_warming_is_freed() -> None:
    """Models that load and then fail leave no worker behind, and the error tells."""

    def broken(_: str) -> str:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await Engine.load(Settings(), loader=fake_loader(FakeBackend(broken)))

    names = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}  # type: ignore[union-attr]
    assert not any("SegmentQueue" in name for name in names)


async def test_a_reload_after_closing_changes_nothing() -> None:
    """A reload that comes too late frees what it loaded."""
    backends = [FakeBackend(), FakeBackend()]
    unused = iter(backends)

    def loader(settings: Settings, store: ModelStore) -> LoadedModels:
        return fake_loader(next(unused))(settings, store)

    engine = await Engine.load(Settings(), loader=loader)
    await engine.aclose()

    with pytest.raises(ShuttingDown):
        await engine.reload()
    assert engine._current.models.backend is backends[0]
