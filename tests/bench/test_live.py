"""A server as a replica of a fleet, and a timeline that keeps to the clock."""

import asyncio
import math
import time
from dataclasses import replace

from live import Pace, RealReplica
from replica_model import Ended, Fate, Job, Timeline
from scraping import Reading
from server_process import ServerProcess

from depesche.inference.fake import FakeBackend
from depesche.types import Priority
from tests.rpc.support import serving
from tests.support import held

JOB = Job(0.0, 0, range(1), Priority.INTERACTIVE, math.inf)


async def test_a_timeline_keeps_to_the_clock() -> None:
    """What is planned happens when it is due, and what comes from outside at its own moment."""
    timeline = Timeline()
    pace = Pace(timeline)
    seen: list[float] = []
    timeline.at(0.2, lambda: seen.append(timeline.now))
    asyncio.get_running_loop().call_later(
        0.1, lambda: pace.tell(lambda: timeline.at(0.15, lambda: seen.append(timeline.now)))
    )
    started = time.monotonic()
    await pace.run(0.3)

    assert seen == [0.15, 0.2]
    assert time.monotonic() - started >= 0.3


async def test_a_real_replica_briefs_and_is_read() -> None:
    """A job becomes a call, and its metrics a reading."""
    backend = FakeBackend(str.upper)
    ends: asyncio.Queue[Ended] = asyncio.Queue()
    readings: asyncio.Queue[Reading] = asyncio.Queue()
    async with serving(backend) as (server, _):
        process = ServerProcess(0, server.address, server.metrics_address)
        replica = RealReplica(process, Pace(Timeline()), patience=0.5)
        replica.submit(JOB, ends.put_nowait)
        done = await ends.get()
        with held(backend):
            replica.submit(replace(JOB, patience=0.5), ends.put_nowait)
            late = await ends.get()
        replica.read(readings.put_nowait)
        read = await readings.get()
        await replica.aclose()

    assert (done.fate, late.fate) == (Fate.DONE, Fate.LATE)
    assert read.busy > 0
    assert read.waits[-1] >= 1
    assert not replica.calls


async def test_a_server_that_is_gone_fails_calls() -> None:
    """And doesn't end the replay."""
    ends: asyncio.Queue[Ended] = asyncio.Queue()
    async with serving() as (server, _):
        process = ServerProcess(0, server.address, server.metrics_address)
    replica = RealReplica(process, Pace(Timeline()), patience=5.0)
    replica.submit(JOB, ends.put_nowait)

    assert (await ends.get()).fate is Fate.FAILED
    await replica.aclose()
