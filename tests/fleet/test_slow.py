"""A replica that is slower than the others, or doesn't answer at all."""

import asyncio
import time
from pathlib import Path

import pytest

from depesche.errors import DepescheError
from tests.fleet.front import WAYS, front
from tests.fleet.load import load, tell, text, unary
from tests.fleet.replicas import fleet, slow, until_true

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(90)]

_FAST, _SLOW = slow(0.03), slow(0.3)
_CALLERS = 8
_CALLS = 160
_FAIR = 1 / 3


async def _slow_one(
    way: str, folder: Path, deadline: float
) -> tuple[float, int, list[DepescheError]]:
    """Let callers come while one of three replicas is slow.

    Gives its share of the answers, how many calls it refused, and those that failed.
    """
    async with (
        fleet(_SLOW, _FAST, _FAST, batch_tokens="1") as replicas,
        front(way, folder, replicas, seconds=deadline, comes_again=True) as before,
        load(before.client, _CALLERS) as outcome,
    ):
        started = time.monotonic()
        await outcome.more(_CALLS)
        rate = _CALLS / (time.monotonic() - started)
    calls = [replica.ended("CreateBrief") for replica in replicas]
    errors = outcome.errors
    refused = replicas[0].ended("CreateBrief", "RESOURCE_EXHAUSTED")
    seconds = sorted(outcome.seconds)
    half, most = seconds[len(seconds) // 2], seconds[int(0.95 * len(seconds))]
    tell(
        f"{way}, deadline {deadline:.0f} s: answers {calls}, {refused} refused, {len(errors)} late"
    )
    tell(f"{rate:.0f} a second, p50 {half:.2f} s, p95 {most:.2f} s")
    return calls[0] / sum(calls), refused, errors


async def test_envoy_relieves_a_slow_one(tmp_path: Path) -> None:
    """Ten times slower, it gets less than half its share, since its open calls count."""
    share, _, errors = await _slow_one("envoy", tmp_path, 60.0)

    assert errors == []
    assert share < _FAIR / 2


async def test_round_robin_leaves_a_slow_one_its_share(tmp_path: Path) -> None:
    """Without tight deadlines, all callers come to wait for it: what docs/fleet.md warns of."""
    share, refused, errors = await _slow_one("client", tmp_path, 60.0)

    assert errors == []
    assert 0.8 * _FAIR < share < 1.2 * _FAIR
    assert refused == 0


async def test_deadlines_relieve_a_slow_one(tmp_path: Path) -> None:
    """It refuses what it can't do in time, and the client's retries are answered elsewhere.

    Its guess isn't always right, so a few calls are late.
    """
    share, refused, errors = await _slow_one("client", tmp_path, 2.0)

    assert len(errors) <= 0.05 * _CALLS
    assert share < 0.8 * _FAIR
    assert refused > 0


@pytest.mark.parametrize("way", WAYS)
async def test_a_frozen_one_loses_its_calls_to_the_others(way: str, tmp_path: Path) -> None:
    """Those under way are made again once pings go unanswered; new ones don't wait for that."""
    async with (
        fleet(*[slow(0.5)] * 3) as replicas,
        front(way, tmp_path, replicas) as before,
    ):
        await asyncio.gather(*(unary(before.client, "first", text(0)) for _ in range(6)))
        calls = [asyncio.create_task(unary(before.client, f"r{n}", text(n))) for n in range(9)]

        async def there() -> bool:
            return await replicas[0].in_flight() > 0

        await until_true(there)
        started = time.monotonic()
        replicas[0].freeze()
        briefs = await asyncio.gather(*calls)
        seconds = time.monotonic() - started
        again = time.monotonic()
        await asyncio.gather(*(unary(before.client, "later", text(n)) for n in range(6)))
        later = time.monotonic() - again

    tell(f"{way}: answered after {seconds:.1f} s; later ones after {later:.1f} s")
    assert [brief.id for brief in briefs] == [f"r{n}" for n in range(9)]
    assert 5 < seconds < 35
    assert later < 5
