"""Load a server of its own, open loop: calls are sent when they are due, whatever became of others.

    python bench/load.py steps [--seconds S]      from a quarter of capacity to twice it
    python bench/load.py overload [--seconds S]   three times capacity, with deadlines
    python bench/load.py lanes [--seconds S]      interactive calls without and with a bulk feed

Capacity is measured first, by calls that wait for each other. Arrivals are a Poisson process.
Quantiles are of the calls that were let in, and one that came late counts as without end.
Latency counts from the moment at which a call was due, so that a server that falls behind can't
hide it ("coordinated omission"). The releases are the paragraphs of the bundled examples.
"""

import argparse
import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import grpc.aio
import numpy as np
from grpc_health.v1 import health_pb2, health_pb2_grpc
from server_process import server_process

from depesche.client import Client
from depesche.errors import DeadlineExceeded, DepescheError, QueueFull
from depesche.types import BriefOptions, Language, Priority, Release

_EXAMPLES = Path(__file__).parents[1] / "examples"
_FEWEST_WORDS = 5
_CLIENTS = 32
_PROBE_SECONDS = 0.1
_BULK_CALLS = 64
_DEADLINE = 10.0
_PATIENT = 300.0


@dataclass(slots=True)
class Outcome:
    """What became of the calls of one measurement.

    Attributes:
        seconds: from the first call to the last reply.
        done: seconds from when each call was due to its reply.
        refused: seconds from when each refused call was due to its refusal.
        late: calls whose deadline passed.
        failed: calls that failed otherwise.
    """

    seconds: float
    done: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    late: int = 0
    failed: int = 0

    def row(self, name: str, offered: float) -> str:
        """Write it as a row of the table."""
        # Whoever was let in and not served in time waited without end.
        accepted = [*self.done, *[math.inf] * self.late]
        quantiles = " ".join(f"{_quantile(accepted, q):>7.2f}" for q in (0.5, 0.95, 0.99))
        refusal = f"{_quantile(self.refused, 0.99) * 1000:>8.0f}" if self.refused else " " * 8
        goodput = len(self.done) / self.seconds
        return (
            f"{name:<22} {offered:>8.2f} {goodput:>8.2f} {quantiles} "
            f"{len(self.refused):>8} {refusal} {self.late:>5} {self.failed:>6}"
        )


_HEAD = (
    f"{'':<22} {'sent/s':>8} {'done/s':>8} {'p50 s':>7} {'p95 s':>7} {'p99 s':>7} "
    f"{'refused':>8} {'p99 ms':>8} {'late':>5} {'failed':>6}"
)


def _quantile(values: Sequence[float], quantile: float) -> float:
    return float(np.quantile(values, quantile, method="higher")) if values else math.nan


def _releases() -> Iterator[Release]:
    """Give paragraphs of the examples, without end, the same in each run."""
    paragraphs = [
        Release(paragraph, language=language)
        for language in (Language.GERMAN, Language.RUSSIAN)
        for paragraph in (_EXAMPLES / f"release.{language}.txt").read_text("utf-8").split("\n\n")
        if len(paragraph.split()) > _FEWEST_WORDS
    ]
    chance = random.Random(1)  # noqa: S311 - reproducible, not secret
    while True:
        yield chance.choice(paragraphs)


async def _call(client: Client, release: Release, due: float, outcome: Outcome) -> None:
    try:
        await client.brief(release, BriefOptions())
        outcome.done.append(time.monotonic() - due)
    except QueueFull:
        outcome.refused.append(time.monotonic() - due)
    except DeadlineExceeded:
        outcome.late += 1
    except DepescheError:
        outcome.failed += 1


async def capacity(address: str, seconds: float) -> float:
    """Measure how many releases a second are briefed for clients that wait for each reply."""
    releases, outcome = _releases(), Outcome(seconds)
    async with Client(address, timeout=_PATIENT) as client:
        end = time.monotonic() + seconds

        async def work() -> None:
            while time.monotonic() < end:
                await _call(client, next(releases), time.monotonic(), outcome)

        started = time.monotonic()
        await asyncio.gather(*(work() for _ in range(_CLIENTS)))
        return len(outcome.done) / (time.monotonic() - started)


async def open_loop(address: str, rate: float, seconds: float, deadline: float) -> Outcome:
    """Send calls at random moments, `rate` a second on average, and wait for all."""
    releases, outcome = _releases(), Outcome(seconds)
    chance = random.Random(2)  # noqa: S311 - reproducible, not secret
    async with Client(address, timeout=deadline, retries=False) as client:
        tasks = []
        due = started = time.monotonic()
        while (due := due + chance.expovariate(rate)) < started + seconds:
            await asyncio.sleep(due - time.monotonic())
            tasks.append(asyncio.create_task(_call(client, next(releases), due, outcome)))
        await asyncio.gather(*tasks)
        outcome.seconds = time.monotonic() - started
    return outcome


async def steps(address: str, seconds: float) -> None:
    """From a quarter of capacity past the knee."""
    most = await capacity(address, seconds)
    print(f"capacity: {most:.2f} releases a second\n{_HEAD}")
    for share in (0.25, 0.5, 0.75, 0.9, 1.1, 1.5, 2.0):
        outcome = await open_loop(address, share * most, seconds, _DEADLINE)
        print(outcome.row(f"{share:.0%} of capacity", share * most))


async def overload(address: str, seconds: float) -> None:
    """Three times capacity: what is accepted must be in time, and refusals quick."""
    most = await capacity(address, seconds)
    probes = asyncio.create_task(_probe(address, seconds))
    outcome = await open_loop(address, 3 * most, seconds, _DEADLINE)
    print(f"capacity: {most:.2f} releases a second\n{_HEAD}")
    print(outcome.row("300% of capacity", 3 * most))
    print(f"health check, p99: {_quantile(await probes, 0.99) * 1000:.0f} ms")
    print(f"goodput over capacity: {len(outcome.done) / outcome.seconds / most:.2f}")


async def _probe(address: str, seconds: float) -> list[float]:
    """Ask for the server's health ten times a second; returns how long each answer took."""
    times = []
    async with grpc.aio.insecure_channel(address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        end = time.monotonic() + seconds
        while (started := time.monotonic()) < end:
            await health.Check(health_pb2.HealthCheckRequest())
            times.append(time.monotonic() - started)
            await asyncio.sleep(_PROBE_SECONDS)
    return times


async def lanes(address: str, seconds: float) -> None:
    """Interactive calls alone, and beside a bulk feed that takes all it can get."""
    most = await capacity(address, seconds)
    rate = 0.3 * most
    print(f"capacity: {most:.2f} releases a second\n{_HEAD}")
    alone = await open_loop(address, rate, seconds, _PATIENT)
    print(alone.row("interactive alone", rate))
    async with Client(address, timeout=_PATIENT) as client:
        feed = [asyncio.create_task(_feed(client)) for _ in range(_BULK_CALLS)]
        beside = await open_loop(address, rate, seconds, _PATIENT)
        for task in feed:
            task.cancel()
        await asyncio.gather(*feed, return_exceptions=True)
    print(beside.row("beside a bulk feed", rate))
    print(f"p95 over p95: {_quantile(beside.done, 0.95) / _quantile(alone.done, 0.95):.2f}")


async def _feed(client: Client) -> None:
    options = BriefOptions(priority=Priority.BULK)
    for release in _releases():
        with suppress(DepescheError):
            await client.brief(release, options)


_SCENARIOS: dict[str, Callable[[str, float], Awaitable[None]]] = {
    "steps": steps,
    "overload": overload,
    "lanes": lanes,
}


async def _measure(scenario: str, seconds: float) -> None:
    async with server_process() as server:
        await _SCENARIOS[scenario](server.listen, seconds)
        print(f"resident at the end: {server.resident():.0f} MiB")


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenario", choices=_SCENARIOS)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each measurement")
    arguments = parser.parse_args()
    asyncio.run(_measure(arguments.scenario, arguments.seconds))


if __name__ == "__main__":
    main()
