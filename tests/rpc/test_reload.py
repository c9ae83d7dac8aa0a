"""Models loaded anew while the service runs, by a call and by a signal."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from bench.server_process import server_process
from grpc import StatusCode

from depesche.config import Settings, load_settings
from depesche.errors import ModelError
from depesche.inference.fake import FakeBackend
from depesche.inference.fake_encoder import FakeEncoder
from depesche.loading import LoadedModel, LoadedModels
from depesche.models.store import ModelStore
from depesche.types import SOURCES, ModelIdentity
from depesche.v1 import model_pb2
from tests.rpc.support import (
    ONE_SENTENCE,
    Stubs,
    failure,
    page_with,
    read_metrics,
    request,
    sample,
    scrape,
    serving,
)
from tests.server.logs import captured_logs
from tests.support import SUMMARY, fake_loader

_RELOAD = model_pb2.ReloadModelsRequest()
_DONE = 'depesche_reloads_total{result="done"}'
_FAILED = 'depesche_reloads_total{result="failed"}'


def _says(name: str) -> LoadedModel:
    backend = FakeBackend(lambda _: f"This is what {name} makes of it.")
    what = ModelIdentity("translation", name, "1", "a" * 64, "none", "Apache-2.0")
    return LoadedModel(backend, what, frozenset(SOURCES))


def _load(settings: Settings, _store: ModelStore) -> LoadedModels:
    """Load fakes by the settings' routes."""
    routes = dict.fromkeys(SOURCES, settings.translation_model) | dict(settings.routes)
    names = {*routes.values(), *settings.selectable_models}
    return LoadedModels(FakeEncoder(), SUMMARY, {name: _says(name) for name in names}, routes)


async def _german(stubs: Stubs) -> str:
    """Brief a German release; gives the name of the model that translated it."""
    brief = (await stubs.briefs.CreateBrief(request(ONE_SENTENCE))).brief
    return str(brief.signature.models[0].name)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of settings, as Kubernetes mounts one, which stand for the environment's."""
    monkeypatch.setenv("DEPESCHE_SECRETS_DIR", str(tmp_path))
    for name in ("DEPESCHE_ROUTES", "DEPESCHE_TRANSLATION_MODEL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


async def test_a_reload_follows_the_routes(folder: Path) -> None:
    """Changing a route needs no restart; other settings stay as they were."""
    async with serving(loader=_load, read=load_settings) as (server, found):
        before = await _german(found)
        (folder / "depesche_routes").write_text("de=large")
        (folder / "depesche_max_sentences").write_text("1")
        models = (await found.models.ReloadModels(_RELOAD)).models
        after = await _german(found)
        many = (await found.briefs.CreateBrief(request())).brief
        page = await asyncio.to_thread(scrape, server)

    assert (before, after) == ("embedded", "large")
    assert len(many.translation) > 1
    assert next(list(m.routes) for m in models if m.name == "embedded") == ["km", "ru"]
    assert 'depesche_model_workers{model="large"} 1.0' in page
    assert sample(page, _DONE) == 1


async def test_a_setting_that_is_wrong_keeps_the_running_models(folder: Path) -> None:
    """The caller learns that the service's settings are at fault, and the metrics count it."""
    async with serving(loader=_load, read=load_settings) as (server, found):
        (folder / "depesche_routes").write_text("fr=large")
        failed = await failure(found.models.ReloadModels(_RELOAD))
        after = await _german(found)
        page = await asyncio.to_thread(scrape, server)

    assert failed.code is StatusCode.FAILED_PRECONDITION
    assert "routes: must be LANGUAGE=NAME" in failed.message
    assert after == "embedded"
    assert (sample(page, _FAILED), sample(page, _DONE)) == (1, 0)


async def test_a_request_names_its_model() -> None:
    """In a brief and in a translation; the field is named where there is no such model."""
    async with serving(loader=_load, selectable_models=("large",)) as (_, found):
        brief_request = request(ONE_SENTENCE)
        brief_request.options.translation_model = "large"
        brief = (await found.briefs.CreateBrief(brief_request)).brief
        brief_request.options.translation_model = "huge"
        failed = await failure(found.briefs.CreateBrief(brief_request))

    assert brief.signature.models[0].name == "large"
    assert list(failed.violations) == ["options.translation_model"]


@pytest.mark.timeout(300)
async def test_a_signal_reloads() -> None:
    """SIGHUP does what ReloadModels does, and the process stays."""
    program = ("-m", "tests.rpc.slow_server", "0")
    settings = {"listen": "127.0.0.1:0", "metrics": "127.0.0.1:0", "workers": "1"}
    async with server_process(program, **settings) as server:
        os.kill(server.pid, signal.SIGHUP)
        while sample(await asyncio.to_thread(read_metrics, server.metrics), _DONE) < 1:
            pass


async def test_a_signal_for_models_that_cannot_be_loaded_changes_nothing() -> None:
    """The log says why."""
    loads = iter([fake_loader(FakeBackend(str.upper))])

    def load(settings: Settings, store: ModelStore) -> LoadedModels:
        for loader in loads:
            return loader(settings, store)
        raise ModelError("model 'embedded': model.bin is missing")

    with captured_logs() as logs:
        async with serving(loader=load) as (server, found):
            server.reload()
            await page_with(server, f"{_FAILED} 1.0")
            brief = (await found.briefs.CreateBrief(request())).brief
        events = {line["event"]: line for line in logs()}

    assert brief.headline.text == "NEUE BRÜCKE IN KÖLN"
    assert events["reload failed"]["error"] == "model 'embedded': model.bin is missing"


async def test_a_signal_while_the_service_drains_is_told() -> None:
    """It neither loads anything nor ends the process sooner."""
    with captured_logs() as logs:
        async with serving() as (server, _):
            server._door.close()
            server.reload()
            while not any(line["event"] == "not reloaded" for line in logs()):  # noqa: ASYNC110
                await asyncio.sleep(0)
        lines = logs()

    assert not [line for line in lines if line["event"] in {"reloaded", "reload failed"}]
