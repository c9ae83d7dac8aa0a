import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Callable
from pathlib import Path

import pytest

from depesche import batch
from depesche.batch import Outcome, brief_all
from depesche.errors import (
    DepescheError,
    InvalidRequest,
    LoadError,
    QueueFull,
    ShuttingDown,
    Unauthenticated,
)
from depesche.sources import Source
from depesche.types import BriefOptions, Release
from depesche.v1 import types_pb2

_Answer = Callable[[str, Release], Outcome]


class _Server:
    """Answers feeds; each is told by how many releases it answers before it breaks off."""

    def __init__(self, answer: _Answer, *ends: tuple[int, DepescheError]) -> None:
        self.feeds: list[list[str]] = []
        self.most = 0
        self._answer = answer
        self._ends = list(ends)

    async def briefs(
        self, releases: AsyncIterable[tuple[str, Release]], _options: BriefOptions
    ) -> AsyncGenerator[tuple[str, Outcome], None]:
        feed: list[str] = []
        self.feeds.append(feed)
        left, error = self._ends.pop(0) if self._ends else (1000, None)
        async for release_id, release in releases:
            feed.append(release_id)
            if error and not left:
                raise error
            left -= 1
            yield release_id, self._answer(release_id, release)


def _brief(release_id: str, release: Release) -> types_pb2.Brief:
    headline = types_pb2.BriefSentence(text=release.text)
    return types_pb2.Brief(id=release_id, headline=headline)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait a second until the next try."""
    monkeypatch.setattr(batch, "_PAUSE_SECONDS", 0.0)


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Source]:
    """Write twenty files, of which one is missing and one no text."""
    found = {}
    for number in range(20):
        path = tmp_path / f"{number}.txt"
        if number != 3:
            path.write_bytes(b"\xff" if number == 5 else b"Text %d" % number)
        found[str(number)] = Source(str(path))
    return found


async def _outcomes(server: _Server, sources: dict[str, Source]) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    async with asyncio.timeout(30):
        async for id_, outcome in brief_all(server, sources, BriefOptions()):
            assert id_ not in found
            found[id_] = outcome
    return found


async def test_each_file_has_an_outcome(sources: dict[str, Source]) -> None:
    """What can't be read fails alone, and the ids of the feed aren't the briefs'."""
    server = _Server(_brief)

    found = await _outcomes(server, sources)

    assert found.keys() == sources.keys()
    assert {id_ for id_, outcome in found.items() if isinstance(outcome, DepescheError)} == {
        "3",
        "5",
    }
    assert found["7"] == types_pb2.Brief(headline=types_pb2.BriefSentence(text="Text 7"))
    assert len(server.feeds) == 1


async def test_a_feed_that_breaks_off_goes_on(sources: dict[str, Source]) -> None:
    """What had no answer goes to another feed, as often as answers come at all."""
    gone = ShuttingDown("the service is draining")
    server = _Server(_brief, (4, gone), (0, gone), (4, gone), (0, gone), (4, gone))

    found = await _outcomes(server, sources)

    assert sum(isinstance(outcome, types_pb2.Brief) for outcome in found.values()) == 18
    assert len(server.feeds) == 6


async def test_a_server_that_stays_away(sources: dict[str, Source]) -> None:
    """After three tries without any answer all that is left fails by that."""
    gone = LoadError("the service can't be reached")
    server = _Server(_brief, (4, gone), *[(0, gone)] * 5)

    found = await _outcomes(server, sources)

    assert found.keys() == sources.keys()
    assert sum(outcome is gone for outcome in found.values()) == 14
    assert len(server.feeds) == 4


async def test_a_release_that_a_full_server_refused(sources: dict[str, Source]) -> None:
    """What a full server refused is sent again, when it said so."""
    refused: list[str] = []

    def answer(release_id: str, release: Release) -> Outcome:
        if release_id == "9" and len(refused) < 2:
            refused.append(release_id)
            return QueueFull("the queue is full", retry_after=0.0)
        return _brief(release_id, release)

    server = _Server(answer)
    found = await _outcomes(server, sources)

    assert isinstance(found["9"], types_pb2.Brief)
    assert server.feeds[1:] == [["9"], ["9"]]


async def test_a_release_that_is_at_fault(sources: dict[str, Source]) -> None:
    """A release that is refused for what it is isn't sent again."""
    server = _Server(lambda *_: InvalidRequest([]))

    found = await _outcomes(server, sources)

    assert all(isinstance(outcome, InvalidRequest) for outcome in found.values())
    assert len(server.feeds) == 1


async def test_a_server_that_refuses_all(sources: dict[str, Source]) -> None:
    """An error that no release is at fault for ends it all."""
    with pytest.raises(Unauthenticated):
        await _outcomes(_Server(_brief, (2, Unauthenticated("token: is wrong"))), sources)


async def test_a_bounded_number_without_an_answer(sources: dict[str, Source]) -> None:
    """No more releases are read than the server answers, but for a few."""
    read: list[str] = []
    full = asyncio.Event()

    class Silent(_Server):
        async def briefs(
            self, releases: AsyncIterable[tuple[str, Release]], _options: BriefOptions
        ) -> AsyncGenerator[tuple[str, Outcome], None]:
            async for release_id, _ in releases:
                read.append(release_id)
                if len(read) == batch._IN_FLIGHT:
                    full.set()
            yield "", InvalidRequest([])

    working = asyncio.create_task(_outcomes(Silent(_brief), sources))
    await full.wait()
    for _ in range(10):
        await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working

    assert len(read) == batch._IN_FLIGHT < len(sources)
