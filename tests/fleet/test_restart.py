"""A rolling restart: each replica is stopped, and started again at its address, under load."""

import asyncio
import itertools
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from depesche.client import Client, SyncClient
from depesche.errors import DepescheError, LoadError
from depesche.types import BriefOptions, Priority, Release
from tests.client.support import KINDS, opened
from tests.fleet.front import WAYS, front
from tests.fleet.load import Call, load, streamed, text, unary
from tests.fleet.names import names
from tests.fleet.proxy import envoy
from tests.fleet.replicas import SERVE, Replica, fleet, slow

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(120)]

_METHODS = {unary: "CreateBrief", streamed: "StreamBrief"}
_SENTENCES = 200
_AHEAD = 20


async def _roll(replicas: Sequence[Replica]) -> list[int]:
    """Restart one after the other, the next as soon as the last is ready; gives exit statuses.

    Nobody waits for the callers to find the new process.
    """
    return [await replica.restart() for replica in replicas]


async def _long(client: Client) -> int:
    """Ask for a brief that takes seconds and holds nobody up; gives the number of sentences."""
    release = Release(" ".join(text(n) for n in range(_SENTENCES)))
    brief = await client.brief(release, BriefOptions(priority=Priority.BULK))
    return len(brief.translation)


@pytest.mark.parametrize("call", [unary, streamed])
@pytest.mark.parametrize("way", WAYS)
async def test_no_call_fails(way: str, call: Call, tmp_path: Path) -> None:
    """Short calls and one that takes seconds are answered once each, and no work is done twice."""
    async with (
        fleet(*[slow(0.01)] * 3, batch_tokens="1") as replicas,
        front(way, tmp_path, replicas) as before,
        load(before.client, 6, call, pause=0.02) as outcome,
    ):
        await outcome.more(30)
        long = asyncio.create_task(_long(before.client))
        statuses = await _roll(replicas)
        sentences = await long
        await outcome.more(30)

    answers = sum(replica.ended(_METHODS[call]) for replica in replicas)
    assert statuses == [0, 0, 0]
    assert sentences == _SENTENCES
    assert outcome.errors == []
    assert outcome.differing == []
    assert answers == len(outcome.seconds) + (call is unary)
    assert all(replica.ended(_METHODS[call]) for replica in replicas)


async def test_no_call_fails_with_the_models(tmp_path: Path) -> None:
    """The service itself: the same brief comes from every replica, before and after."""
    async with (
        fleet(*[SERVE] * 3) as replicas,
        front("envoy", tmp_path, replicas) as before,
        load(before.client, 3) as outcome,
    ):
        await outcome.more(6)
        statuses = await _roll(replicas)
        await outcome.more(6)

    assert statuses == [0, 0, 0]
    assert outcome.errors == []
    assert outcome.differing == []
    assert sum(replica.ended("CreateBrief") for replica in replicas) == len(outcome.seconds)


async def test_a_client_with_one_connection_changes_replicas(tmp_path: Path) -> None:
    """Behind what balances connections alone, its calls don't wait for the last one's end."""
    async with fleet(*[slow(0.02)] * 2, batch_tokens="1") as replicas:
        with names(replicas) as known:
            async with (
                envoy(tmp_path, replicas, known.port, balances_calls=False) as proxy,
                Client(proxy.address) as client,
            ):
                await proxy.until_healthy(replicas)
                long = asyncio.create_task(_long(client))
                async with load(client, 3, pause=0.02) as outcome:
                    await outcome.more(10)
                    (busy,) = [each for each in replicas if await each.in_flight()]
                    (other,) = [each for each in replicas if each is not busy]
                    stopping = asyncio.create_task(busy.stop())
                    await outcome.more(30)
                    in_time = not stopping.done()
                sentences = await long
                status = await stopping

    assert in_time
    assert other.ended("CreateBrief")
    assert outcome.errors == []
    assert (sentences, status) == (_SENTENCES, 0)


class _Feed:
    """A caller that feeds releases, and feeds those anew that a feed ended without.

    Attributes:
        briefed: how many briefs came for each release.
        sent: the releases there are so far.
        feeds: how many feeds it took.
    """

    def __init__(self, client: Client) -> None:
        self.briefed: Counter[str] = Counter()
        self.sent = 0
        self.feeds = 0
        self._client = client
        self._last = asyncio.Event()

    def finish(self) -> None:
        """Let no more releases come."""
        self._last.set()

    async def run(self) -> None:
        """Feed until all releases that have come are briefed."""
        while not self._last.is_set() or len(self.briefed) < self.sent:
            self.feeds += 1
            try:
                async for id_, reply in self._client.briefs(self._releases()):
                    assert not isinstance(reply, DepescheError), (id_, repr(reply))
                    self.briefed[id_] += 1
            except LoadError:
                continue

    async def _releases(self) -> AsyncIterator[tuple[str, Release]]:
        for number in range(self.sent):
            if f"r{number}" not in self.briefed:
                yield f"r{number}", Release(text(number))
        while not self._last.is_set():
            number, self.sent = self.sent, self.sent + 1
            yield f"r{number}", Release(text(number))
            while self.sent - len(self.briefed) > _AHEAD and not self._last.is_set():  # noqa: ASYNC110 - a count
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("how", ["restart", "kill"])
@pytest.mark.parametrize("way", WAYS)
async def test_a_feed_is_briefed_once(way: str, how: str, tmp_path: Path) -> None:
    """Though the replica that it goes to ends three times, every release has one brief."""
    async with (
        fleet(*[slow(0.02)] * 3) as replicas,
        front(way, tmp_path, replicas) as before,
    ):
        feed = _Feed(before.client)
        running = asyncio.create_task(feed.run())
        for _ in replicas:
            replica = await _fed(replicas)
            if how == "restart":
                assert await replica.stop() == 0
            else:
                await replica.kill()
            await replica.start()
        feed.finish()
        await running

    assert feed.briefed == Counter(f"r{n}" for n in range(feed.sent))
    assert feed.feeds > len(replicas)


@pytest.mark.parametrize("how", ["restart", "kill"])
@pytest.mark.parametrize("kind", KINDS)
async def test_a_feed_is_resumed(kind: type[Client | SyncClient], how: str) -> None:
    """One loop over one feed gets the same, where the client resumes it."""
    briefed: Counter[str] = Counter()
    last = threading.Event()
    async with fleet(*[slow(0.02)] * 3) as replicas:
        target = "ipv4:" + ",".join(replica.address for replica in replicas)
        async with opened(kind, target) as call:

            async def feed() -> None:
                source = call.source(_paced(briefed, last))
                async for id_, reply in call.replies("briefs", source, resume=True):
                    assert not isinstance(reply, DepescheError), (id_, repr(reply))
                    briefed[id_] += 1

            running = asyncio.create_task(feed())
            for _ in replicas:
                replica = await _fed(replicas)
                if how == "restart":
                    assert await replica.stop() == 0
                else:
                    await replica.kill()
                await replica.start()
            last.set()
            await running

    assert briefed == Counter(f"r{number}" for number in range(len(briefed)))
    assert len(briefed) > len(replicas)


def _paced(briefed: Counter[str], last: threading.Event) -> Iterator[tuple[str, Release]]:
    """Give releases until the last one, some ahead of their briefs; waits in a thread."""
    for number in itertools.count():
        while number - len(briefed) > _AHEAD and not last.is_set():
            time.sleep(0.01)
        if last.is_set():
            return
        yield f"r{number}", Release(text(number))


async def _fed(replicas: Sequence[Replica]) -> Replica:
    """Wait until a replica briefs the feed's releases, and give it."""
    while True:
        for replica in replicas:
            if await replica.in_flight() and await replica.briefed():
                return replica
