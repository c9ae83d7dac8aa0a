"""A replica that dies amid calls, without a goodbye."""

import asyncio
from pathlib import Path

import pytest

from depesche.errors import LoadError
from depesche.types import Release
from tests.fleet.front import WAYS, front
from tests.fleet.load import streamed, text, unary
from tests.fleet.replicas import fleet, slow, until_true

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(60)]

_CALLS = 30


@pytest.mark.parametrize("way", WAYS)
async def test_its_calls_and_no_others_are_made_again(way: str, tmp_path: Path) -> None:
    """All calls are answered; the survivors answer what they had and what the dead one had."""
    async with (
        fleet(*[slow(0.3)] * 3) as replicas,
        front(way, tmp_path, replicas) as before,
    ):
        await asyncio.gather(*(unary(before.client, "first", text(0)) for _ in range(3)))
        answered = sum(replica.ended("CreateBrief") for replica in replicas)
        calls = [asyncio.create_task(unary(before.client, f"r{n}", text(n))) for n in range(_CALLS)]

        async def all_there() -> bool:
            return sum([await replica.in_flight() for replica in replicas]) == _CALLS

        await until_true(all_there)
        dead, *survivors = replicas
        lost = await dead.in_flight()
        await dead.kill()
        briefs = await asyncio.gather(*calls)
        retries = await before.envoy.count("upstream_rq_retry") if before.envoy else lost
        overflow = await before.envoy.count("upstream_rq_retry_overflow") if before.envoy else 0

    done = sum(replica.ended("CreateBrief") for replica in survivors)
    assert [brief.id for brief in briefs] == [f"r{n}" for n in range(_CALLS)]
    assert 0 < lost < _CALLS
    assert done + dead.ended("CreateBrief") == answered + _CALLS
    assert (retries, overflow) == (lost, 0)


@pytest.mark.parametrize("way", WAYS)
async def test_a_stream_that_has_begun_tells_its_caller(way: str, tmp_path: Path) -> None:
    """Nobody can take back what was told, so the caller begins again; that then works."""
    release = Release(" ".join(text(n) for n in range(40)))
    async with (
        fleet(*[slow(0.2)] * 3, batch_tokens="1") as replicas,
        front(way, tmp_path, replicas) as before,
    ):
        events = before.client.stream(release)
        await anext(events)
        (replica,) = [each for each in replicas if await each.in_flight()]
        await replica.kill()
        with pytest.raises(LoadError):
            async for _ in events:
                pass
        brief = await streamed(before.client, "again", text(0))

    assert brief.id == "again"
