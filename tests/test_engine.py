import asyncio
import time
from dataclasses import replace

import pytest

from depesche.config import Settings
from depesche.engine import Engine, ModelState
from depesche.errors import (
    ConfigurationError,
    InvalidRequest,
    LanguageUncertain,
    ModelError,
    NotReady,
    QueueFull,
    ShuttingDown,
)
from depesche.inference.cpu import available_cpus
from depesche.inference.fake import FakeBackend
from depesche.inference.fake_encoder import FakeEncoder
from depesche.loading import LoadedModels, worker_count
from depesche.models.store import ModelStore
from depesche.types import BriefOptions, Language, Release
from tests.support import fake_loader, held, slow_down

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
    slow_down(engine)
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
    begun = old.begun
    old.gate.clear()
    running = asyncio.create_task(engine.translate(Release(TEXT)))
    while old.begun == begun:  # noqa: ASYNC110 - it is in another thread
        await asyncio.sleep(0)
    await engine.reload()
    after = await engine.translate(Release(TEXT))

    assert not running.done()
    with pytest.raises(NotReady, match="the models before"):
        await engine.reload()
    old.gate.set()
    before = await running
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
    (index,) = sentence.sources
    source = summary.text[index]
    assert text[source.span.start : source.span.end] == source.source == sentence.text


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


async def test_a_model_that_cannot_do_what_it_is_said_to_is_named() -> None:
    """Such as read so long a text; CTranslate2's errors are of this kind."""

    def short(_: str) -> str:
        raise RuntimeError("No position encodings are defined for positions >= 128")

    with pytest.raises(
        ModelError, match="model 'embedded' can't run a full batch: No position enc"
    ):
        await Engine.load(Settings(), loader=fake_loader(FakeBackend(short)))


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
    assert engine._current.models.writers["embedded"].backend is backends[0]


async def test_a_refused_release_is_told_nothing_before() -> None:
    """No event comes before the refusal, or the caller's gRPC couldn't try again."""
    backend = FakeBackend()
    settings = Settings(workers=1, queue_segments=1)
    engine = await Engine.load(settings, loader=fake_loader(backend))
    with held(backend):
        begun = backend.begun
        running = asyncio.create_task(engine.translate(Release(TEXT)))
        while backend.begun == begun:  # noqa: ASYNC110 - it is in another thread
            await asyncio.sleep(0)
        waiting = asyncio.create_task(engine.translate(Release(TEXT)))
        while engine.statistics()["embedded"].tokens == 0:  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0)
        events: list[object] = []
        with pytest.raises(QueueFull):
            events += [event async for event in engine.stream(Release(TEXT), BriefOptions())]
        assert events == []
    await asyncio.gather(running, waiting)
    await engine.aclose()


async def test_a_long_summary_gives_way_to_others() -> None:
    """Its sentences are encoded some at a time, each time in turn with whoever waits."""
    encoder = FakeEncoder()

    def loader(settings: Settings, store: ModelStore) -> LoadedModels:
        return replace(fake_loader(FakeBackend())(settings, store), encoder=encoder)

    engine = await Engine.load(Settings(workers=1), loader=loader)
    encoder.history.clear()
    text = " ".join(f"The city opened bridge number {number} this year." for number in range(70))
    summary = await engine.summarise(Release(text), BriefOptions(sentence_count=3))
    await engine.aclose()

    assert len(summary.sentences) == 3
    assert [len(part) for part in encoder.history] == [32, 32, 6]
