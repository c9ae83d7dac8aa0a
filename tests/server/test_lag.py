import asyncio
import time

from depesche.server.lag import watch
from tests.rpc.support import sample, scrape, serving

_BLOCKED = 0.4
_INTERVAL = 0.05


async def _lags(block: float) -> list[float]:
    """Watch a loop that blocks once, directly after its first moment; gives what came then."""
    lags: list[float] = []
    enough = asyncio.Event()

    def observe(seconds: float) -> None:
        lags.append(seconds)
        if len(lags) == 1:
            asyncio.get_running_loop().call_soon(time.sleep, block)
        if len(lags) == 12:
            enough.set()

    watching = asyncio.create_task(watch(observe, interval=_INTERVAL))
    await enough.wait()
    watching.cancel()
    return lags[1:]


async def test_a_blocking_callback_shows() -> None:
    """Each moment that it covers is late by what was left of it."""
    left = [_BLOCKED - _INTERVAL * n for n in range(1, 8)]
    late = await _lags(_BLOCKED)

    assert all(lag > least - 0.005 for lag, least in zip(late, left, strict=False))


async def test_a_free_loop_is_not_late() -> None:
    """The interval itself is no part of what is told."""
    assert 0 <= min(await _lags(0)) < _INTERVAL / 2


async def test_a_server_exposes_its_lag() -> None:
    """Whatever blocks its loop is to be seen in its metrics."""
    async with serving() as (server, _):
        before = _count_over(await asyncio.to_thread(scrape, server))
        time.sleep(_BLOCKED)  # noqa: ASYNC251 - it's what must show
        while _count_over(await asyncio.to_thread(scrape, server)) == before:
            pass


def _count_over(page: str) -> int:
    """Count the moments for which the server was over a quarter of a second late."""
    name = "depesche_event_loop_lag_seconds"
    return int(sample(page, f"{name}_count") - sample(page, f'{name}_bucket{{le="0.25"}}'))
