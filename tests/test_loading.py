"""Which models the settings load, and which they mustn't."""

import asyncio
import shutil
from pathlib import Path

import pytest

from depesche.config import Settings
from depesche.engine import Engine, ModelState
from depesche.errors import ConfigurationError, ModelError
from depesche.loading import _decoding, load_models
from depesche.models.store import ModelStore
from depesche.types import BriefOptions, Language, Release

_SHIPPED = Path(__file__).parents[1] / "models"
_GERMAN = "Die Stadt Köln hat am Montag eine neue Brücke über den Rhein eröffnet."

_HUB = """
[models.{name}]
task = "{task}"
family = "{family}"
languages = {languages}
target = "en"
source = "made for a test"
licence = "CC-BY-NC-4.0"
commercial = false
max_source_tokens = 100
max_target_tokens = 100
hub = {{ repository = "o/n", revision = "main", files = [{{ name = "config.json" }}] }}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped models, and a manifest that knows some more, which were never pulled."""
    for name in ("embedded", "minilm"):
        shutil.copytree(_SHIPPED / name, tmp_path / name, copy_function=_link)
    manifest = (_SHIPPED / "manifest.toml").read_text("utf-8")
    others = [
        _HUB.format(name="de-only", task="translation", family="marian", languages='["de"]'),
        _HUB.format(name="writer", task="summary", family="bart", languages='["en"]'),
    ]
    (tmp_path / "manifest.toml").write_text(manifest + "".join(others), "utf-8")
    return tmp_path


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def _load(folder: Path, **settings: object) -> None:
    load_models(Settings(models_dir=folder, **settings), ModelStore(folder))


def _state(engine: Engine) -> ModelState:
    return next(model.state for model in engine.models() if model.name == "embedded")


async def _until_idle(engine: Engine) -> None:
    while _state(engine) is not ModelState.IDLE:  # noqa: ASYNC110 - no event tells it
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"routes": "de=huge"}, "routes: the manifest has no model 'huge'"),
        ({"routes": "de=minilm"}, "routes: 'minilm' is a model for summary, not for translation"),
        ({"routes": "ru=de-only"}, "routes: 'de-only' doesn't read 'ru'"),
        ({"translation_model": "writer"}, "is a model for abstractive summary, not for translat"),
        ({"summary_model": "embedded"}, "is a model for translation, not for summary"),
        ({"summary_model": "writer"}, "is a model for abstractive summary, not for summary"),
        ({"abstractive_model": "minilm"}, "for summary, not for abstractive summary"),
        ({"selectable_models": "minilm"}, "not for translation or abstractive summary"),
        (
            {"abstractive_model": "writer", "forbid_noncommercial": True},
            "the licence of 'writer', CC-BY-NC-4.0, forbids commercial use",
        ),
    ],
)
def test_a_model_for_something_else_is_refused(
    folder: Path, settings: dict[str, object], message: str
) -> None:
    """The error names the setting."""
    with pytest.raises(ConfigurationError, match=message):
        _load(folder, **settings)


def test_a_model_that_was_never_pulled_is_missing(folder: Path) -> None:
    """The error says how to get it."""
    with pytest.raises(ModelError, match="isn't here; run: depesche models pull de-only"):
        _load(folder, routes="de=de-only")


def test_models_that_do_not_fit_are_refused(folder: Path) -> None:
    """Before they are loaded."""
    with pytest.raises(ModelError, match=r"^model '\w+' needs about \d+ MiB, and 0 of the 64 MiB"):
        _load(folder, memory_mib=64)


@pytest.mark.model
async def test_a_reload_that_does_not_fit_keeps_the_running_models(folder: Path) -> None:
    """New models need room beside the old ones."""
    settings = Settings(models_dir=folder, workers=1)
    engine = await Engine.load(settings)
    with pytest.raises(ModelError, match="needs about"):
        await engine.reload(settings.model_copy(update={"memory_mib": 100}))
    brief = await engine.brief(Release(_GERMAN), BriefOptions())
    await engine.aclose()

    assert "bridge" in brief.headline.text


@pytest.mark.model
async def test_an_idle_model_leaves_memory_and_comes_back(folder: Path) -> None:
    """The English is the same after it."""
    engine = await Engine.load(Settings(models_dir=folder, workers=1, idle_seconds=0.2))
    options = BriefOptions(reproducible=True)
    release = Release(_GERMAN, language=Language.GERMAN)
    before = await engine.brief(release, options)
    await _until_idle(engine)
    after = await engine.brief(release, options)
    state = _state(engine)
    await engine.aclose()

    assert before.translations == after.translations
    assert state is ModelState.READY


@pytest.mark.model
async def test_an_idle_model_whose_files_changed_stays_away(folder: Path) -> None:
    """What comes back must be what was there; the error names the file."""
    engine = await Engine.load(Settings(models_dir=folder, workers=1, idle_seconds=0.2))
    await _until_idle(engine)
    weights = next((folder / "embedded").rglob("model.bin"))
    weights.unlink()
    weights.write_bytes(b"something else")
    with pytest.raises(ModelError, match=r"model\.bin has 14 bytes"):
        await engine.brief(Release(_GERMAN), BriefOptions())
    await engine.aclose()


def test_signatures_tell_how_a_summary_model_writes() -> None:
    """As the manifest has it; of translators, that they are greedy."""
    store = ModelStore(_SHIPPED)

    assert _decoding(store.spec("distilbart-cnn-12-6")) == "beam4,penalty2,min54,max140,ngram3"
    assert _decoding(store.spec("pegasus-cnn-dailymail")).startswith("beam8,penalty0.8,min31,")
    assert _decoding(store.spec("embedded")).startswith("greedy,")
