"""A model that is pulled anew while a server runs on it."""

import asyncio
import shutil
from pathlib import Path

import grpc
import grpc.aio
import pytest
from bench.server_process import server_process

from depesche.client import Client
from depesche.models.shelf import Wish
from depesche.models.store import ModelStore
from depesche.types import Release
from depesche.v1 import model_pb2, model_pb2_grpc
from tests.hub.server import HubServer
from tests.models.hubbed import FILES, MODEL, REPOSITORY, entry, pull_from

_ROOT = Path(__file__).parents[2]
_NEWER = {**FILES, "decoder.yml": FILES["decoder.yml"] + b"# newer\n"}
_RELEASE = Release("Die Stadt Köln hat am Montag eine neue Brücke über den Rhein eröffnet.")


@pytest.fixture
def store(hub: HubServer, tmp_path: Path) -> ModelStore:
    """Lay out the encoder, and the small model as the hub has it first."""
    folder = tmp_path / "models"
    shutil.copytree(_ROOT / "models/minilm", folder / "minilm")
    manifest = (_ROOT / "models/manifest.toml").read_text("utf-8")
    (folder / "manifest.toml").write_text(manifest + entry(), "utf-8")
    hub.add(REPOSITORY, FILES)
    store = ModelStore(folder)
    pull_from(hub, store)
    return store


async def _revision(client: Client) -> str:
    return str((await client.brief(_RELEASE)).signature.models[0].revision)


@pytest.mark.timeout(120)
async def test_an_update_under_load(hub: HubServer, store: ModelStore) -> None:
    """Briefs go on by the model before, and by the new one once it is reloaded; none fails.

    A model that is spoilt then is refused by the next reload, which changes nothing.
    """
    before = store.verify(MODEL)
    settings = {"models_dir": str(store.pulled_dir.parent), "translation_model": MODEL}
    seen: set[str] = set()
    both = asyncio.Event()

    async def brief_on(client: Client) -> None:
        while True:
            seen.add(await _revision(client))
            if len(seen) > 1:
                both.set()

    async with server_process(**settings) as server, Client(server.listen) as client:
        assert await _revision(client) == before.revision
        callers = [asyncio.create_task(brief_on(client)) for _ in range(3)]
        hub.add(REPOSITORY, _NEWER)
        wish = Wish(update=True)
        after = await asyncio.to_thread(pull_from, hub, store, wish=wish)
        assert await _revision(client) == before.revision
        async with grpc.aio.insecure_channel(server.listen) as channel:
            models = model_pb2_grpc.ModelServiceStub(channel)  # type: ignore[no-untyped-call]
            await models.ReloadModels(model_pb2.ReloadModelsRequest())
            assert await _revision(client) == after.revision
            await both.wait()
            for caller in callers:
                assert not caller.done(), "a call failed"
                caller.cancel()
            await asyncio.gather(*callers, return_exceptions=True)
            assert seen == {before.revision, after.revision}

            (after.path / "model.bin").write_bytes(b"spoilt")
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await models.ReloadModels(model_pb2.ReloadModelsRequest())
        assert failure.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert "model.bin has 6 bytes, the lock says" in (failure.value.details() or "")
        assert await _revision(client) == after.revision
