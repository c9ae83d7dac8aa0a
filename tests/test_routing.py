"""Which model a release goes to."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from depesche.config import Settings
from depesche.engine import Engine, ModelState
from depesche.errors import FeatureUnavailable, LanguageUnsupported, QueueFull
from depesche.inference.fake import FakeBackend
from depesche.inference.fake_encoder import FakeEncoder
from depesche.loading import LoadedModel, LoadedModels
from depesche.models.store import ModelStore
from depesche.types import BriefOptions, Language, ModelIdentity, Release
from tests.support import SUMMARY, held, until

GERMAN = (
    "Die Stadt Köln hat am Montag nach langer Bauzeit eine neue Brücke über den Rhein eröffnet."
)
RUSSIAN = (
    "Городская администрация сообщила в понедельник, что новый мост через реку откроют весной."
)
KHMER = "រដ្ឋបាលក្រុងបានប្រកាសកាលពីថ្ងៃចន្ទថា ស្ពានថ្មីនឹងបើកឱ្យប្រើប្រាស់នៅឆ្នាំក្រោយ។"


def identity(name: str) -> ModelIdentity:
    return ModelIdentity("translation", name, "1", "a" * 64, "none", "Apache-2.0")


def says(name: str) -> FakeBackend:
    """A backend whose English tells which model it was."""
    return FakeBackend(lambda _: f"This is what {name} makes of it.")


def loaded(backend: FakeBackend, name: str, *languages: Language) -> LoadedModel:
    return LoadedModel(backend, identity(name), frozenset(languages))


@asynccontextmanager
async def routed(
    models: Mapping[str, LoadedModel], routes: Mapping[Language, str], **settings: int
) -> AsyncIterator[Engine]:
    """Run an engine of these translators."""

    def load(_settings: Settings, _store: ModelStore) -> LoadedModels:
        return LoadedModels(FakeEncoder(), SUMMARY, models, routes)

    engine = await Engine.load(Settings(workers=1, **settings), loader=load)
    try:
        yield engine
    finally:
        await engine.aclose()


@asynccontextmanager
async def three() -> AsyncIterator[Engine]:
    """Run one translator for German, one for German and Russian, and none for Khmer."""
    models = {
        "small": loaded(says("small"), "small", Language.GERMAN),
        "large": loaded(says("large"), "large", Language.GERMAN, Language.RUSSIAN),
    }
    routes = {Language.GERMAN: "small", Language.RUSSIAN: "large"}
    async with routed(models, routes) as engine:
        yield engine


@pytest.mark.parametrize(("text", "name"), [(GERMAN, "small"), (RUSSIAN, "large")])
async def test_each_language_goes_to_its_model(text: str, name: str) -> None:
    """The signature says which it was."""
    async with three() as engine:
        brief = await engine.brief(Release(text), BriefOptions())
        translated = await engine.translate(Release(text))

    assert brief.translations[0].text == f"This is what {name} makes of it."
    assert [model.name for model in brief.signature.models] == [name, "minilm"]
    assert [model.name for model in translated.signature.models] == [name]


async def test_a_request_may_name_another_model_that_is_loaded() -> None:
    """For itself alone."""
    async with three() as engine:
        named = await engine.brief(Release(GERMAN), BriefOptions(translation_model="large"))
        usual = await engine.brief(Release(GERMAN), BriefOptions())

    assert [named.signature.models[0].name, usual.signature.models[0].name] == ["large", "small"]


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (GERMAN, "huge", "must be one of the loaded large, small, or empty"),
        (RUSSIAN, "small", "small reads de, and not 'ru'"),
    ],
)
async def test_a_model_that_cannot_do_it_is_refused(text: str, name: str, message: str) -> None:
    """The error names the field, and what there is."""
    async with three() as engine:
        with pytest.raises(FeatureUnavailable, match=f"options.translation_model: {message}"):
            await engine.brief(Release(text), BriefOptions(translation_model=name))


async def test_a_language_without_a_model_is_not_supported() -> None:
    """Whether it is told or detected."""
    async with three() as engine:
        for release in (Release(KHMER), Release(KHMER, language=Language.KHMER)):
            with pytest.raises(LanguageUnsupported, match="supported are de, en, ru"):
                await engine.brief(release, BriefOptions())


async def test_a_full_queue_of_one_model_refuses_nothing_of_another() -> None:
    """Whichever language the text is found to be in."""
    german, russian = says("small"), says("large")
    models = {
        "small": loaded(german, "small", Language.GERMAN),
        "large": loaded(russian, "large", Language.RUSSIAN),
    }
    routes = {Language.GERMAN: "small", Language.RUSSIAN: "large"}
    async with routed(models, routes, queue_segments=1) as engine:
        with held(german):
            begun = german.begun
            running = asyncio.create_task(engine.translate(Release(GERMAN)))
            await until(lambda: german.begun > begun)
            waiting = asyncio.create_task(engine.translate(Release(GERMAN)))
            await until(lambda: engine.statistics()["small"].tokens > 0)
            with pytest.raises(QueueFull):
                await engine.translate(Release(GERMAN))
            # It gets in, and waits for the one place on the CPU.
            other = asyncio.create_task(engine.translate(Release(RUSSIAN)))
            await until(lambda: engine.statistics()["large"].tokens > 0)
        results = await asyncio.gather(running, waiting, other)

    assert [r.signature.models[0].name for r in results] == ["small", "small", "large"]


async def test_models_tell_what_goes_to_them() -> None:
    """An operator sees the routes as they are."""
    models = {"embedded": loaded(says("embedded"), "embedded", Language.GERMAN)}
    async with routed(models, {Language.GERMAN: "embedded"}) as engine:
        status = {model.name: model for model in engine.models()}

    assert status["embedded"].routes == ("de",)
    assert status["embedded"].state is ModelState.READY
    assert status["minilm"].routes == ()
