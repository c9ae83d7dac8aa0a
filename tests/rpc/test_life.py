"""The life of a server: starting, ready, draining, stopped."""

import asyncio
import io
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2

from depesche.config import Settings
from depesche.errors import ConfigurationError, ModelError
from depesche.inference.fake import FakeBackend
from depesche.loading import LoadedModels
from depesche.models.store import ModelStore
from depesche.server.app import Server, running, serve
from depesche.server.interceptors import CallInterceptor
from depesche.v1 import brief_pb2, model_pb2, types_pb2
from tests.rpc.support import (
    GERMAN,
    ONE_SENTENCE,
    Stubs,
    WatchedBackend,
    failure,
    local_settings,
    queued,
    request,
    serving,
    stubs,
)
from tests.server.logs import captured_logs
from tests.support import fake_loader, held

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@asynccontextmanager
async def _started(backend: FakeBackend, **changes: Any) -> AsyncIterator[tuple[Server, Stubs]]:
    """Give a server that is ready, to be stopped by the test."""
    server = Server(local_settings(**changes), loader=fake_loader(backend))
    await server.start()
    async with stubs(server) as found:
        await server.load()
        yield server, found


async def test_health_follows_the_models() -> None:
    """Alive at once, ready when the models are warm; until then calls are turned away."""
    server = Server(local_settings(), loader=fake_loader(FakeBackend()))
    await server.start()
    async with stubs(server) as found:
        names = ["", "readiness", "depesche.v1.BriefService", "depesche.v1.ModelService"]
        before = [await found.is_serving(name) for name in names]
        alive = await found.is_serving("liveness")
        early = await failure(found.briefs.CreateBrief(request()))
        feed = found.briefs.BriefReleases(iter([brief_pb2.BriefReleasesRequest()]))
        early_feed = await failure(feed.read())
        await server.load()
        after = [await found.is_serving(name) for name in names]
        unknown = await failure(found.health.Check(health_pb2.HealthCheckRequest(service="x")))
        listed = await found.health.List(health_pb2.HealthListRequest())
        await server.stop()

    assert (before, alive, after) == ([False] * 4, True, [True] * 4)
    assert early.code is StatusCode.UNAVAILABLE
    assert early.message == "the service is starting and takes no work yet"
    assert (early_feed.code, early_feed.message) == (early.code, early.message)
    assert unknown.code is StatusCode.NOT_FOUND
    assert set(names) < set(listed.statuses)


async def test_a_watch_sees_the_drain_and_does_not_hold_it_up() -> None:
    """Who watches is told each change, the last one too, and the server ends without waiting."""
    server = Server(local_settings(), loader=fake_loader(FakeBackend()))
    await server.start()
    async with stubs(server) as found:
        watch = found.health.Watch(health_pb2.HealthCheckRequest(service="readiness"))
        seen = [(await watch.read()).status]
        await server.load()
        seen.append((await watch.read()).status)
        await asyncio.wait_for(server.stop(), timeout=5)
        seen.append((await watch.read()).status)
        last = await watch.read()

    assert seen == [_NOT_SERVING, _SERVING, _NOT_SERVING]
    assert last is grpc.aio.EOF


async def test_a_drain_gives_notice_before_connections_end() -> None:
    """Health tells at once, and goes on telling; who calls is refused until the notice is over.

    Then connections end though a call is under way, so that who has one alone gets another one.
    """
    backend = WatchedBackend()
    async with _started(backend) as (server, found), stubs(server) as others:
        await backend.batches(1)
        watch = found.health.Watch(health_pb2.HealthCheckRequest(service="readiness"))
        assert (await watch.read()).status == _SERVING
        with held(backend):
            call = found.briefs.CreateBrief(request())
            await backend.batches(1)
            stopping = asyncio.ensure_future(server.stop(notice=1.0))
            told = [(await watch.read()).status]
            late = others.health.Watch(health_pb2.HealthCheckRequest(service="readiness"))
            told.append((await late.read()).status)
            refused = await failure(others.briefs.CreateBrief(request()))
            done, pending = await asyncio.wait({asyncio.ensure_future(late.read())}, timeout=0.2)
            assert not done
            ended = [await watch.read(), *await asyncio.gather(*pending)]
            async with stubs(server) as newcomer:
                turned_away = await failure(newcomer.briefs.CreateBrief(request()))
            assert not stopping.done()
        await call
        await stopping

    assert told == [_NOT_SERVING] * 2
    assert refused.message == "the service is draining and takes no new work"
    assert ended == [grpc.aio.EOF] * 2
    assert turned_away.code is StatusCode.UNAVAILABLE
    assert turned_away.reason == ""


async def test_calls_under_way_end_well_and_new_ones_are_refused() -> None:
    """The drain loses nothing: what runs is answered, what comes is sent elsewhere."""
    backend = WatchedBackend()
    async with _started(backend) as (server, found):
        await backend.batches(1)
        with held(backend):
            calls = [found.briefs.CreateBrief(request(ONE_SENTENCE, id_="0"))]
            await backend.batches(1)
            calls += [found.briefs.CreateBrief(request(id_=str(n))) for n in range(1, 5)]
            await queued(server, 16)
            stopping = asyncio.ensure_future(server.stop(notice=2.0))
            refused = await failure(found.briefs.CreateBrief(request()))
            assert not stopping.done()
        replies = await asyncio.gather(*calls)
        await stopping

    assert [reply.brief.id for reply in replies] == ["0", "1", "2", "3", "4"]
    assert refused.code is StatusCode.UNAVAILABLE


async def test_a_drain_under_load_loses_nothing() -> None:
    """While callers keep coming, what came before the drain is briefed, and the rest refused."""
    backend = WatchedBackend()
    draining = False
    codes: dict[bool, set[StatusCode]] = {False: set(), True: set()}

    async def caller(found: Stubs) -> None:
        while StatusCode.UNAVAILABLE not in codes[True]:
            late = draining
            try:
                await found.briefs.CreateBrief(request(ONE_SENTENCE))
            except grpc.aio.AioRpcError as error:
                codes[late].add(error.code())
            else:
                codes[late].add(StatusCode.OK)

    async with _started(backend, batch_tokens=1) as (server, found):
        await backend.batches(1)
        with held(backend):
            callers = asyncio.gather(*(caller(found) for _ in range(4)))
            await queued(server, 3)
            draining = True
            stopping = asyncio.ensure_future(server.stop())
        await stopping
        await callers

    assert codes[False] == {StatusCode.OK}
    # gRPC itself answers a call that arrives just as the listener closes by CANCELLED.
    assert StatusCode.OK not in codes[True]
    assert codes[True] <= {StatusCode.UNAVAILABLE, StatusCode.CANCELLED}


async def test_a_feed_ends_with_the_drain() -> None:
    """Releases at work are answered; then the feed ends, so that its caller goes elsewhere."""
    backend = WatchedBackend()
    async with _started(backend) as (server, found):
        await backend.batches(1)
        call = found.briefs.BriefReleases()
        with held(backend):
            release = types_pb2.Release(id="last", text=GERMAN)
            await call.write(brief_pb2.BriefReleasesRequest(release=release))
            await backend.batches(1)
            stopping = asyncio.ensure_future(server.stop())
        reply = await call.read()
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await call.read()
        await stopping

    assert reply.brief.id == "last"
    assert ended.value.code() is StatusCode.UNAVAILABLE


async def test_the_drain_has_an_end() -> None:
    """A call that takes longer than the drain may is cut off."""
    backend = WatchedBackend()
    async with _started(backend, drain_seconds=0.2) as (server, found):
        await backend.batches(1)
        with held(backend):
            call = found.briefs.CreateBrief(request())
            await backend.batches(1)
            stopping = asyncio.ensure_future(server.stop())
            failed = await failure(call)
        await stopping

    assert failed.code is StatusCode.UNAVAILABLE


async def test_a_call_that_heeds_nothing_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server ends even if a call under way can't be cut off."""
    monkeypatch.setattr(CallInterceptor, "cut_off", lambda _: None)
    backend = WatchedBackend()
    async with _started(backend, drain_seconds=0.1) as (server, found):
        await backend.batches(1)
        backend.gate.clear()
        call = found.briefs.CreateBrief(request())
        await backend.batches(1)
        stopping = asyncio.ensure_future(server.stop())
        failed = await failure(call)
        backend.gate.set()
        await asyncio.wait_for(stopping, timeout=10)

    assert failed.code is not StatusCode.OK


async def test_a_second_interrupt_ends_the_drain() -> None:
    """Who asks twice doesn't want to wait."""
    backend = WatchedBackend()
    async with _started(backend, drain_seconds=600) as (server, found):
        await backend.batches(1)
        with held(backend):
            call = found.briefs.CreateBrief(request())
            await backend.batches(1)
            server.interrupt()
            stopping = asyncio.ensure_future(server.stop())
            await asyncio.sleep(0)
            server.interrupt()
            failed = await failure(call)
        await stopping

    assert failed.code is StatusCode.UNAVAILABLE


class _Output(io.StringIO):
    """Standard output that tells when a line of an event is there."""

    def __init__(self) -> None:
        super().__init__()
        self.ready = asyncio.Event()

    def write(self, text: str) -> int:
        """Write, and look for the event."""
        if '"event": "ready"' in text:
            self.ready.set()
        return super().write(text)

    def lines(self) -> list[dict[str, Any]]:
        """Give the lines so far."""
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_serve_ends_on_a_signal(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process tells where it listens when it is ready, and answers what runs when it ends."""
    output = _Output()
    monkeypatch.setattr(sys, "stdout", output)
    backend = WatchedBackend()
    with captured_logs():
        served = asyncio.ensure_future(serve(local_settings(), loader=fake_loader(backend)))
        await output.ready.wait()
        ready = next(line for line in output.lines() if line["event"] == "ready")
        async with grpc.aio.insecure_channel(ready["listen"]) as channel:
            await backend.batches(1)
            with held(backend):
                call = Stubs(channel).briefs.CreateBrief(request(id_="kept"))
                await backend.batches(1)
                os.kill(os.getpid(), number)
            reply = await call
        await served

    assert reply.brief.id == "kept"
    assert ready["metrics"].startswith("127.0.0.1:")
    assert [line["event"] for line in output.lines()] == ["ready", "draining", "call", "stopped"]


async def test_a_signal_during_the_start_ends_it() -> None:
    """A process that is told to end before it is ready ends."""
    loading, release = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def load(settings: Settings, store: ModelStore) -> LoadedModels:
        loop.call_soon_threadsafe(loading.set)
        release.wait(30)
        return fake_loader(FakeBackend())(settings, store)

    with captured_logs():
        served = asyncio.ensure_future(serve(local_settings(), loader=load))
        await loading.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(served, timeout=10)
        release.set()


async def test_models_that_cannot_be_loaded_end_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The reason is one line of the log, and the error is the command's to report."""

    def load(settings: Settings, store: ModelStore) -> LoadedModels:
        del settings, store
        raise ModelError("model 'embedded': model.bin is missing")

    output = _Output()
    monkeypatch.setattr(sys, "stdout", output)
    with captured_logs(), pytest.raises(ModelError):
        await serve(local_settings(), loader=load)

    (failed,) = output.lines()
    assert failed["event"] == "failed"
    assert failed["error"] == "model 'embedded': model.bin is missing"


@pytest.mark.parametrize("setting", ["listen", "metrics"])
async def test_a_port_in_use_names_the_setting(setting: str) -> None:
    """Two servers on one port is a fault of the configuration."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConfigurationError, match=f"^{setting}: can't listen on {address}"):
            async with running(
                local_settings(**{setting: address}), loader=fake_loader(FakeBackend())
            ):
                pass


@pytest.mark.parametrize("address", ["", "50051", "localhost", "localhost:http", "h:70000"])
async def test_an_address_is_host_and_port(address: str) -> None:
    """Anything else is a fault of the configuration."""
    with pytest.raises(ConfigurationError, match=r"^listen: must be HOST:PORT"):
        async with running(local_settings(listen=address), loader=fake_loader(FakeBackend())):
            pass


async def test_a_reload_swaps_models_under_load() -> None:
    """Callers notice nothing but the new English."""
    old, new = WatchedBackend(lambda _: "Old words."), WatchedBackend(lambda _: "New words.")
    backends = iter([old, new])

    def load(settings: Settings, store: ModelStore) -> LoadedModels:
        return fake_loader(next(backends))(settings, store)

    async with serving(loader=load) as (server, found):
        await old.batches(1)
        with held(old):
            running = found.briefs.CreateBrief(request(ONE_SENTENCE))
            await old.batches(1)
            waiting = found.briefs.CreateBrief(request())
            await queued(server, 4)
            reload = found.models.ReloadModels(model_pb2.ReloadModelsRequest())
            # Nothing waits before the new models.
            await queued(server, 0)
            after = await found.briefs.CreateBrief(request())
            models = (await reload).models
        before = await asyncio.gather(running, waiting)

    assert {t.text for reply in before for t in reply.brief.translation} == {"Old words."}
    assert {t.text for t in after.brief.translation} == {"New words."}
    assert [m.name for m in models][:2] == ["embedded", "minilm"]


async def test_a_failed_reload_keeps_the_running_models() -> None:
    """The call fails, and the service goes on as it was."""
    loads = iter([fake_loader(FakeBackend(str.upper))])

    def load(settings: Settings, store: ModelStore) -> LoadedModels:
        loader = next(loads, None)
        if loader is None:
            raise ModelError("model 'embedded': model.bin is missing")
        return loader(settings, store)

    async with serving(loader=load) as (_, found):
        failed = await failure(found.models.ReloadModels(model_pb2.ReloadModelsRequest()))
        brief = (await found.briefs.CreateBrief(request())).brief
        ready = await found.is_serving("readiness")

    assert failed.code is StatusCode.FAILED_PRECONDITION
    assert failed.message == "model 'embedded': model.bin is missing"
    assert brief.headline.text == "NEUE BRÜCKE IN KÖLN"
    assert ready
