"""A replica more: it gets its share of the calls."""

from pathlib import Path

import pytest

from tests.fleet.front import WAYS, front
from tests.fleet.load import load, tell
from tests.fleet.replicas import fleet, slow, until_true

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(60)]

_AGE = 2
# Clients look for addresses when a connection ends, and then once in five seconds; Envoy every two.
# Connections live a tenth longer or shorter than they should.
_WITHIN = {"client": 1.1 * _AGE + 5.0, "envoy": 2.0 + 1.0}
_SLACK = 2.0
_CALLS = 150


@pytest.mark.parametrize("way", WAYS)
async def test_it_gets_its_share(way: str, tmp_path: Path) -> None:
    """Within the age of connections and a look at the names; and no call fails as they end."""
    async with (
        fleet(*[slow(0.01)] * 3, started=2, connection_age_seconds=str(_AGE)) as replicas,
        front(way, tmp_path, replicas[:2]) as before,
        load(before.client, 6, pause=0.02) as outcome,
    ):
        await outcome.more(30)
        await replicas[2].start()
        before.names.set(replicas)

        async def called() -> bool:
            return replicas[2].ended("CreateBrief") > 0

        seconds = await until_true(called)
        earlier = [replica.ended("CreateBrief") for replica in replicas]
        await outcome.more(_CALLS)
        later = [replica.ended("CreateBrief") for replica in replicas]

    shares = [(b - a) / _CALLS for a, b in zip(earlier, later, strict=True)]
    tell(f"{way}: first call after {seconds:.1f} s, then shares {[round(s, 2) for s in shares]}")
    assert outcome.errors == []
    assert seconds < _WITHIN[way] + _SLACK
    assert all(0.2 < share < 0.47 for share in shares)
