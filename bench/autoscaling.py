"""Compare autoscalers over a day of a newsroom: night, morning, press conferences, an import.

python bench/replica_profile.py PROFILE           measure a replica first
python bench/autoscaling.py day PROFILE           days of 24 hours, all replicas simulated
python bench/autoscaling.py check PROFILE         the same calls, to a real and a simulated replica
python bench/autoscaling.py replay PROFILE FILE   a short day, one replica of each fleet real

A replay runs two autoscalers at a time, each with a real server of one worker. Its day is short:
quiet hours are left out, and nothing runs faster. FILE is for bench/autoscaling_plot.py.
"""

import argparse
import asyncio
import json
import math
import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from hpa import DEFAULT_UP, Autoscaler, Policy, Rules, Target
from live import Pace, RealReplica
from replica_model import Ended, Fate, Job, SimulatedReplica, Timeline
from replica_profile import Profile
from scraping import SCRAPE_SECONDS, Reading, quantile
from server_process import server_process

from depesche.config import Settings
from depesche.types import Priority
from fleet import Call, Cluster, Day, Fleet, Replica, release

_LEAST, _MOST = 2, 10
_HOUR, _MINUTE = 3600.0, 60.0
_AFTER = 60.0
_SLOW = 30.0
_SATURATED_SECONDS = 1800.0
_SATURATED_CALLS = 64

DAY = Day(
    seconds=24 * _HOUR,
    curve=(
        *((0, 0.1), (5 * _HOUR, 0.1), (7 * _HOUR, 0.5), (9 * _HOUR, 2.5), (10 * _HOUR, 0.45)),
        *((14 * _HOUR, 0.45), (15 * _HOUR, 1.5), (16 * _HOUR, 0.45), (18 * _HOUR, 0.4)),
        *((22 * _HOUR, 0.2), (24 * _HOUR, 0.1)),
    ),
    bursts=(11 * _HOUR, 12.5 * _HOUR, 17 * _HOUR),
    burst_seconds=150,
    burst_factor=20,
    import_at=19 * _HOUR,
    import_releases=2000,
    import_calls=32,
    patience=60,
)
"""The day that the chart's defaults were chosen by."""

SHORT = Day(
    seconds=26 * _MINUTE,
    curve=(
        *((0, 0.45), (14 * _MINUTE, 0.45), (16 * _MINUTE, 2), (17 * _MINUTE, 2)),
        *((17.5 * _MINUTE, 0.3), (26 * _MINUTE, 0.3)),
    ),
    bursts=(4 * _MINUTE,),
    burst_seconds=150,
    burst_factor=20,
    import_at=23 * _MINUTE,
    import_releases=100,
    import_calls=16,
    patience=60,
)
"""The day of the replay: a burst, the way down after it, a rise, an import."""

CHECK = Day(
    seconds=5 * _MINUTE,
    curve=((0, 0.2), (5 * _MINUTE, 1.2)),
    bursts=(),
    burst_seconds=0,
    burst_factor=1,
    import_at=0,
    import_releases=0,
    import_calls=0,
    patience=60,
)
"""From little to too much for one replica."""


_DOWN = Rules(300, (Policy("Percent", 25, 60),))
_CHART_DOWN = Rules(300, (Policy("Percent", 25, 120),))
_AT_ONCE = Rules(0, (Policy("Pods", _MOST, 15),))


@dataclass(frozen=True, slots=True)
class Strategy:
    """An autoscaler to compare.

    Attributes:
        targets: its metrics.
        least: its fewest replicas.
        up: how it scales up.
        down: how it scales down.
    """

    targets: tuple[Target, ...]
    least: int = _LEAST
    up: Rules = DEFAULT_UP
    down: Rules = _DOWN

    def autoscaler(self) -> Autoscaler:
        """Make one without history."""
        return Autoscaler(self.targets, self.least, _MOST, self.up, self.down)


def _queued(seconds: float, *more: Target) -> Strategy:
    return Strategy((Target("queued", seconds, "Pods"), *more))


def _cpu(share: float) -> Target:
    return Target("cpu", share, "Resource")


STRATEGIES: dict[str, Strategy | int] = {
    "2 replicas": 2,
    "10 replicas": 10,
    "CPU 70 %": Strategy((_cpu(0.7),)),
    "CPU 50 %": Strategy((_cpu(0.5),)),
    "wait p95 2 s, CPU 95 %": Strategy((Target("wait", 2, "Pods"), _cpu(0.95))),
    "wait p95 10 s, CPU 95 %": Strategy((Target("wait", 10, "Pods"), _cpu(0.95))),
    "queued 8 s": _queued(8),
    "queued 8 s, CPU 80 %": _queued(8, _cpu(0.8)),
    "queued 4 s, CPU 95 %": _queued(4, _cpu(0.95)),
    "queued 8 s, CPU 95 %": _queued(8, _cpu(0.95)),
    "queued 16 s, CPU 95 %": _queued(16, _cpu(0.95)),
    "KEDA queued 8 s, CPU 95 %": Strategy((Target("queued", 8, "External"), _cpu(0.95))),
    "and bulk 8 s, CPU 95 %": Strategy((Target("queued_all", 8, "Pods"), _cpu(0.95))),
    "the chart": Strategy((Target("queued", 8, "Pods"), _cpu(0.95)), down=_CHART_DOWN),
    "the chart, at least 4": Strategy(
        (Target("queued", 8, "Pods"), _cpu(0.95)), least=4, down=_CHART_DOWN
    ),
    "the chart, up at once": Strategy(
        (Target("queued", 8, "Pods"), _cpu(0.95)), up=_AT_ONCE, down=_CHART_DOWN
    ),
}
"""What is compared: fixed numbers, CPU, the queue wait, queued seconds of interactive work.

The chart's defaults are those of helm/depesche/values.yaml.
"""


@lru_cache
def capacity(profile: Profile, workers: int) -> float:
    """Tell how many releases a second one replica does that never lacks work."""
    timeline, done = Timeline(), 0
    replica = SimulatedReplica(timeline, profile, Settings(), workers, seed=0)
    chance = random.Random(0)  # noqa: S311 - reproducible, not secret

    def send() -> None:
        now = timeline.now
        replica.submit(release(profile, chance, now, Priority.INTERACTIVE, math.inf), again)

    def again(_: Ended) -> None:
        nonlocal done
        done += 1
        timeline.at(timeline.now, send)

    for _ in range(_SATURATED_CALLS):
        send()
    timeline.run(_SATURATED_SECONDS)
    return done / _SATURATED_SECONDS


def _fleet(
    strategy: Strategy | int,
    day: Day,
    profile: Profile,
    cluster: Cluster,
    seed: int,
    timeline: Timeline,
    real: RealReplica | None = None,
) -> Fleet:
    """Make a fleet at the beginning of a day, with a real replica as its first if there is one."""
    settings = Settings()

    def make(number: int) -> Replica:
        if number == 0 and real is not None:
            return real
        return SimulatedReplica(timeline, profile, settings, cluster.workers, seed=number)

    return Fleet(
        timeline,
        day,
        profile,
        cluster,
        strategy.autoscaler() if isinstance(strategy, Strategy) else None,
        make,
        replicas=strategy.least if isinstance(strategy, Strategy) else strategy,
        capacity=capacity(profile, cluster.workers),
        seed=seed,
    )


def simulate(
    strategy: Strategy | int, day: Day, profile: Profile, cluster: Cluster, seed: int
) -> Fleet:
    """Run a day with simulated replicas, until the last call is over."""
    timeline = Timeline()
    fleet = _fleet(strategy, day, profile, cluster, seed, timeline)
    timeline.run(day.seconds + day.patience)
    fleet.close()
    return fleet


async def replay(
    strategies: Sequence[Strategy | int], day: Day, profile: Profile, seed: int
) -> list[Fleet]:
    """Run a day by the clock, in several fleets at once that get the same releases."""
    fleets: list[Fleet] = []
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(server_process(workers="1")) for _ in strategies]
        paces, reals = [], []
        for strategy, server in zip(strategies, servers, strict=True):
            pace = Pace(Timeline())
            real = RealReplica(server, pace, day.patience)
            timeline = pace.timeline
            fleets.append(_fleet(strategy, day, profile, Cluster(), seed, timeline, real))
            paces.append(pace)
            reals.append(real)
        await asyncio.gather(*(pace.run(day.seconds + day.patience) for pace in paces))
        for fleet, real in zip(fleets, reals, strict=True):
            fleet.close()
            await real.aclose()
    return fleets


_COLUMNS = (
    *("replica-h", "most", "changes", "p50 s", "p95 s", "burst p50", "burst p95", "wait p95"),
    *("refused %", "slow %", "late", "import min", "its most"),
)


def numbers(fleet: Fleet, day: Day) -> list[float]:
    """Tell what became of a day, a number a column."""
    calls = [call for call in fleet.calls if call.job.priority is Priority.INTERACTIVE]
    bursts = [call for call in calls if day.in_burst(call.job.due, _AFTER)]
    refused = sum(call.fate is Fate.REFUSED for call in bursts)
    slow = sum(call.fate is not Fate.DONE or call.seconds > _SLOW for call in bursts)
    importing = [
        m.replicas for m in fleet.moments if day.import_at < m.at < fleet.imported_at + _AFTER
    ]
    return [
        fleet.replica_seconds / _HOUR,
        max(m.replicas for m in fleet.moments),
        fleet.changes.total(),
        _latency(calls, 0.5),
        _latency(calls, 0.95),
        _latency(bursts, 0.5),
        _latency(bursts, 0.95),
        quantile(0.95, fleet.burst_waits) or math.nan,
        100 * refused / len(bursts) if bursts else math.nan,
        100 * slow / len(bursts) if bursts else math.nan,
        sum(call.fate not in (Fate.DONE, Fate.REFUSED) for call in calls),
        (fleet.imported_at - day.import_at) / _MINUTE,
        max(importing, default=math.nan),
    ]


def _latency(calls: Iterable[Call], share: float) -> float:
    """Give a quantile of the seconds of the calls that were let in; late ones have no end."""
    seconds = [
        call.seconds if call.fate is Fate.DONE else math.inf
        for call in calls
        if call.fate is not Fate.REFUSED
    ]
    return float(np.quantile(seconds, share, method="higher")) if seconds else math.nan


def _print_head() -> None:
    print(f"| {'':<26} | " + " | ".join(_COLUMNS) + " |")
    print(f"| {'-' * 26} |" + " ---: |" * len(_COLUMNS))


def _print_row(name: str, values: Sequence[float]) -> None:
    cells = (f"{value:>{len(column)}.1f}" for value, column in zip(values, _COLUMNS, strict=True))
    print(f"| {name:<26} | " + " | ".join(cells) + " |", flush=True)


def days(
    names: Iterable[str], profile: Profile, cluster: Cluster, day: Day, seeds: Sequence[int]
) -> None:
    """Print what becomes of simulated days, each number the mean over the seeds."""
    print(f"capacity of a replica: {capacity(profile, cluster.workers):.3f} releases a second")
    _print_head()
    for name in names:
        fleets = (simulate(STRATEGIES[name], day, profile, cluster, seed) for seed in seeds)
        rows = [numbers(fleet, day) for fleet in fleets]
        _print_row(name, [float(value) for value in np.mean(rows, axis=0)])


def _print_seen(names: Sequence[str], calls: Sequence[Sequence[Call]]) -> None:
    """Print what callers saw of replicas."""
    columns = ("calls", "p50 s", "p95 s", "wait p50", "wait p95", "refused")
    print(f"| {'':<12} | " + " | ".join(columns) + " |")
    print(f"| {'-' * 12} |" + " ---: |" * len(columns))
    for name, held in zip(names, calls, strict=True):
        mine = [call for call in held if call.job.priority is Priority.INTERACTIVE]
        waits = [call.wait for call in mine if call.fate is Fate.DONE] or [math.nan]
        cells = (
            *(f"{len(mine):>5}", f"{_latency(mine, 0.5):>5.1f}", f"{_latency(mine, 0.95):>5.1f}"),
            *(f"{np.quantile(waits, share):>8.1f}" for share in (0.5, 0.95)),
            f"{sum(call.fate is Fate.REFUSED for call in mine):>7}",
        )
        print(f"| {name:<12} | " + " | ".join(cells) + " |")


async def check(profile: Profile, seed: int) -> None:
    """Send the same calls at the same moments to a real replica and to a simulated one."""
    calls: tuple[list[Call], list[Call]] = ([], [])
    readings: tuple[list[Reading], list[Reading]] = ([], [])
    async with server_process(workers="1") as server:
        timeline = Timeline()
        pace = Pace(timeline)
        real = RealReplica(server, pace, CHECK.patience)
        twins: tuple[Replica, Replica] = (
            real,
            SimulatedReplica(timeline, profile, Settings(), 1, seed=seed),
        )

        def send(job: Job) -> None:
            for number, (replica, held) in enumerate(zip(twins, calls, strict=True)):
                replica.submit(job, _teller(timeline, job, number, held))

        def read() -> None:
            for replica, held in zip(twins, readings, strict=True):
                replica.read(held.append)

        for job in CHECK.arrivals(profile, capacity(profile, 1), seed):
            timeline.at(job.due, partial(send, job))
        for number in range(1, int(CHECK.seconds / SCRAPE_SECONDS) + 1):
            timeline.at(number * SCRAPE_SECONDS, read)
        await pace.run(CHECK.seconds + CHECK.patience)
        await real.aclose()
    _print_seen(("real", "simulated"), calls)
    print("seconds of work that wait, at each scrape:")
    for name, held in zip(("real", "simulated"), readings, strict=True):
        print(f"{name:<12}" + " ".join(f"{reading.interactive:>5.1f}" for reading in held))
    for name, held in zip(("real", "simulated"), readings, strict=True):
        print(f"{name:<12} busy {held[-1].busy:.0f} s, CPU {held[-1].cpu - held[0].cpu:.0f} s")


def _teller(timeline: Timeline, job: Job, member: int, held: list[Call]) -> Callable[[Ended], None]:
    def tell(end: Ended) -> None:
        held.append(Call(job, end.fate, timeline.now - job.due, end.wait, member))

    return tell


def save(names: Sequence[str], fleets: Sequence[Fleet], file: Path) -> None:
    """Write the moments and the calls of fleets for the plot."""
    data = {
        name: {
            "moments": [moment._asdict() for moment in fleet.moments],
            "calls": [
                {
                    "due": call.job.due,
                    "priority": call.job.priority,
                    "fate": call.fate,
                    "seconds": call.seconds,
                    "wait": call.wait,
                    "member": call.member,
                }
                for call in fleet.calls
            ],
        }
        for name, fleet in zip(names, fleets, strict=True)
    }
    file.write_text(json.dumps(data) + "\n", "utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True, dest="command")
    command = commands.add_parser("day", help="days of 24 hours, all replicas simulated")
    command.add_argument("profile", type=Path, help="written by bench/replica_profile.py")
    command.add_argument("--only", nargs="*", default=list(STRATEGIES), help="autoscalers")
    command.add_argument("--workers", type=int, default=1, help="of each replica")
    command.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3], help="of the arrivals")
    command.add_argument(
        "--connection-age", type=float, default=0.0, help="seconds; 0 for a proxy before the fleet"
    )
    command = commands.add_parser(
        "check", help="the same calls to a real replica and a simulated one"
    )
    command.add_argument("profile", type=Path, help="written by bench/replica_profile.py")
    command = commands.add_parser("replay", help="a short day, one replica of each fleet real")
    command.add_argument("profile", type=Path, help="written by bench/replica_profile.py")
    command.add_argument("file", type=Path, help="where the moments and calls go, as JSON")
    command.add_argument(
        "--only", nargs=2, default=["CPU 70 %", "queued 8 s, CPU 95 %"], help="two autoscalers"
    )
    return parser


def main() -> None:
    """Run what is asked for and print the table."""
    arguments = _parser().parse_args()
    profile = Profile.load(arguments.profile)
    if arguments.command == "day":
        cluster = Cluster(arguments.workers, connection_age=arguments.connection_age)
        days(arguments.only, profile, cluster, DAY, arguments.seeds)
    elif arguments.command == "check":
        asyncio.run(check(profile, seed=1))
    else:
        names = arguments.only
        fleets = asyncio.run(replay([STRATEGIES[n] for n in names], SHORT, profile, seed=1))
        save(names, fleets, arguments.file)
        _print_head()
        for name, fleet in zip(names, fleets, strict=True):
            _print_row(name, numbers(fleet, SHORT))
        # The second replica has seen the same bursts and is simulated.
        seen = [[call for f in fleets for call in f.calls if call.member == n] for n in (0, 1)]
        _print_seen(("real", "simulated"), seen)
        print("the same day with simulated replicas alone:")
        days(names, profile, Cluster(), SHORT, [1])


if __name__ == "__main__":
    main()
