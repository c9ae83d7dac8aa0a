"""A server or a client in a process of its own: killed, stalled, saturated."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import count
from typing import Any

import grpc
import grpc.aio
import pytest
from bench.server_process import ServerProcess, server_process
from grpc_health.v1 import health_pb2

from depesche.client import Client
from depesche.errors import DepescheError, LoadError
from depesche.server.lag import watch
from depesche.types import Release
from depesche.v1 import brief_pb2, types_pb2
from tests.rpc.support import (
    GERMAN,
    ONE_SENTENCE,
    Stubs,
    WatchedBackend,
    page_with,
    queued,
    read_metrics,
    request,
    sample,
    scrape,
    serving,
)
from tests.support import held

_BRIEFS = 'depesche_briefs_total{language="de"}'
_WAITING = 'depesche_queue_segments{model="embedded",priority="interactive"}'
_LAG = "depesche_event_loop_lag_seconds"

_Send = Callable[[Client, Sequence[str], "_Desk"], Coroutine[Any, Any, None]]


# A process takes seconds to start, and many on a busy machine.
pytestmark = pytest.mark.timeout(300)


def _slow_server(*seconds: float, **settings: str) -> AbstractAsyncContextManager[ServerProcess]:
    """Run a server whose batches take so long, one after the other; see `slow_server`."""
    base = {"listen": "127.0.0.1:0", "metrics": "127.0.0.1:0", "workers": "1"}
    program = ("-m", "tests.rpc.slow_server", *map(str, seconds))
    return server_process(program, **(base | {"decode_again": "false"} | settings))


async def _page(server: ServerProcess) -> str:
    return await asyncio.to_thread(read_metrics, server.metrics)


_ANSWERED = 3


class _Desk:
    """Who waits for briefs, through the death of a server.

    Attributes:
        briefed: how many briefs came for each release.
        begun: set when the first releases have their briefs; the others are sent then.
        alive: cleared while there is no server.
        missed: set when the client has given up a call since the service died.
    """

    def __init__(self) -> None:
        self.briefed: Counter[str] = Counter()
        self.begun = asyncio.Event()
        self.missed = asyncio.Event()
        self.alive = asyncio.Event()
        self.alive.set()

    def take(self, id_: str) -> None:
        """Note a brief."""
        self.briefed[id_] += 1
        if len(self.briefed) == _ANSWERED:
            self.begun.set()

    async def give_up(self) -> None:
        """Note that the service is out of reach, and wait until it is back if it has died."""
        if not self.alive.is_set():
            self.missed.set()
        await self.alive.wait()


async def _one_by_one(client: Client, ids: Sequence[str], desk: _Desk) -> None:
    """Ask for each brief in a call of its own, all at once."""

    async def one(place: int, id_: str) -> None:
        if place >= _ANSWERED:
            await desk.begun.wait()
        while id_ not in desk.briefed:
            try:
                desk.take((await client.brief(Release(ONE_SENTENCE), release_id=id_)).id)
            except LoadError:
                await desk.give_up()

    await asyncio.gather(*map(one, count(), ids))


async def _as_feed(client: Client, ids: Sequence[str], desk: _Desk) -> None:
    """Send a feed, and another one of the releases that it didn't answer."""

    async def releases() -> AsyncIterator[tuple[str, Release]]:
        for place, id_ in enumerate(ids):
            if place >= _ANSWERED:
                await desk.begun.wait()
            if id_ not in desk.briefed:
                yield id_, Release(ONE_SENTENCE)

    while len(desk.briefed) < len(ids):
        try:
            async for id_, reply in client.briefs(releases()):
                assert not isinstance(reply, DepescheError)
                desk.take(id_)
        except LoadError:
            await desk.give_up()


@pytest.mark.parametrize("send", [_one_by_one, _as_feed])
async def test_a_server_that_is_killed_loses_no_release(send: _Send) -> None:
    """After `kill -9` amid a batch, a client that tries again has one brief of each release.

    The second server is asked for no more than what the first one hadn't answered.
    """
    ids = [f"r{n}" for n in range(12)]
    desk = _Desk()
    with socket.create_server(("127.0.0.1", 0)) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    batches = [*[0.0] * _ANSWERED, 60.0]
    async with Client(listen) as client:
        async with _slow_server(*batches, listen=listen, batch_tokens="1") as first:
            sending = asyncio.create_task(send(client, ids, desk))
            await desk.begun.wait()
            # While one segment waits, another is in the batch that runs.
            while not sample(await _page(first), _WAITING):
                pass
            desk.alive.clear()
            os.kill(first.pid, signal.SIGKILL)
        # The client's own retries could last until the next server is up, and hide the death.
        await desk.missed.wait()
        async with _slow_server(0.0, listen=listen) as second:
            desk.alive.set()
            await sending
            again = sample(await _page(second), _BRIEFS)

    assert desk.briefed == Counter(ids)
    assert again == len(ids) - _ANSWERED


async def test_a_client_that_is_killed_leaves_nothing_behind() -> None:
    """What waits for it goes at once, though it said no goodbye and a batch of others runs."""
    command = (sys.executable, "-m", "depesche", "brief", "--server")
    backend = WatchedBackend()
    async with serving(backend) as (server, stubs):
        await backend.batches(1)
        with held(backend):
            other = stubs.briefs.CreateBrief(request(ONE_SENTENCE))
            await backend.batches(1)
            client = await asyncio.create_subprocess_exec(
                *command, server.address, stdin=asyncio.subprocess.PIPE
            )
            assert client.stdin is not None
            client.stdin.write(f"Fort. {GERMAN}".encode())
            client.stdin.close()
            await queued(server, 5)
            client.kill()
            await client.wait()
            await queued(server, 0)
            page = await page_with(server, "depesche_requests_in_flight 1.0\n")
        await other
        await stubs.briefs.CreateBrief(request())
        rest = await asyncio.to_thread(scrape, server)

    assert sample(page, 'depesche_queue_tokens{model="embedded"}') == 0
    assert sample(page, 'depesche_dropped_segments_total{reason="cancelled"}') == 5
    assert sample(rest, "depesche_requests_in_flight") == 0
    assert not any("Fort." in text for batch in backend.history for text in batch)


# Some 14 KB a release and 40 KB a brief: gRPC's buffers hold few of these, and many of those.
_LONG = " ".join([ONE_SENTENCE] * 200)
_FEW = 60
_MANY = 2_000
_MEBIBYTES = 96


async def test_a_reader_that_stalls_stalls_its_own_feed_alone() -> None:
    """It has a few releases at work and no more, the memory stays, and others are served."""
    async with (
        _slow_server(0.0) as server,
        grpc.aio.insecure_channel(server.listen) as channel,
        grpc.aio.insecure_channel(
            server.listen, [("grpc.use_local_subchannel_pool", 1)]
        ) as another,
    ):
        stalled, others = Stubs(channel).briefs.BriefReleases(), Stubs(another)
        await others.briefs.CreateBrief(request(_LONG))
        resident = server.resident()
        writing = asyncio.create_task(_write(stalled, _MANY))
        briefs = await _settled(server, others)
        grown = server.resident() - resident
        assert not writing.done()
        stalled.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        while sample(await _page(server), "depesche_requests_in_flight"):
            pass
        await others.briefs.CreateBrief(request())
        page = await _page(server)

    assert 4 <= briefs <= _FEW
    assert grown < _MEBIBYTES
    assert sample(page, _WAITING) == sample(page, "depesche_requests_in_flight") == 0


async def _write(call: Any, count: int) -> None:
    for number in range(count):
        release = types_pb2.Release(id=str(number), text=_LONG, language="de")
        await call.write(brief_pb2.BriefReleasesRequest(release=release))


async def _settled(server: ServerProcess, others: Stubs) -> int:
    """Wait until the feed gets no further while another caller is served; gives its briefs."""
    own = 1
    while True:
        before = sample(await _page(server), _BRIEFS) - own
        for _ in range(10):
            await others.briefs.CreateBrief(request())
            own += 1
        after = sample(await _page(server), _BRIEFS) - own
        if after == before > 0:
            return int(after)


_CALLERS = 24
_PROBES = 200


async def test_a_saturated_server_is_never_late() -> None:
    """While callers outnumber the worker and work waits, health answers and the loop is free.

    The bounds leave room for a busy machine; `bench/load.py overload` measures without it.
    """
    async with (
        _slow_server(0.1) as server,
        grpc.aio.insecure_channel(server.listen) as channel,
        grpc.aio.insecure_channel(server.listen, [("grpc.use_local_subchannel_pool", 1)]) as probe,
    ):
        callers = [asyncio.create_task(_brief_forever(Stubs(channel))) for _ in range(_CALLERS)]
        while not sample(before := await _page(server), _WAITING):
            assert not any(caller.done() for caller in callers)
        lags: list[float] = []
        watching = asyncio.create_task(watch(lags.append))
        times, waiting = await _probe(server, Stubs(probe))
        watching.cancel()
        after = await _page(server)
        for caller in callers:
            caller.cancel()
        await asyncio.gather(*callers, return_exceptions=True)

    if _quantile(lags, 0.99) > 0.025:
        pytest.skip("other work holds the CPUs: this process, which has nothing to do, is late")
    moments, within_50_ms, within_250_ms = (
        sample(after, _LAG + series) - sample(before, _LAG + series)
        for series in ("_count", '_bucket{le="0.05"}', '_bucket{le="0.25"}')
    )
    assert min(waiting) > 0
    assert _quantile(times, 0.99) < 0.25
    assert moments > 30
    assert within_50_ms >= 0.95 * moments
    assert within_250_ms >= 0.99 * moments - 1


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[int(share * len(values))]


async def _brief_forever(stubs: Stubs) -> None:
    while True:
        await stubs.briefs.CreateBrief(request(" ".join([GERMAN] * 5)))


async def _probe(server: ServerProcess, stubs: Stubs) -> tuple[list[float], list[float]]:
    """Ask for the server's health; gives how long it took, and how much waited meanwhile."""
    times, waiting = [], []
    for number in range(_PROBES):
        started = time.monotonic()
        await stubs.health.Check(health_pb2.HealthCheckRequest(service="readiness"))
        times.append(time.monotonic() - started)
        await asyncio.sleep(0.02)  # the probes themselves must not be the load
        if number % 20 == 0:
            waiting.append(sample(await _page(server), _WAITING))
    return times, waiting
