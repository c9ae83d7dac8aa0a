"""A fleet of replicas behind an autoscaler, and the day's work that it gets.

Replicas are simulated or real: a fleet only sends them calls and reads their metrics. What this
takes for granted:

- There is room on the nodes. A new replica is ready after `Cluster.pod_seconds` and what the server
  itself takes; until then it costs and serves nothing.
- Calls go to ready replicas at random, so that each replica's arrivals are a Poisson process too.
  Behind a proxy a new replica gets its share as soon as it is ready. Clients that balance
  themselves look for new ones when the server renews one of their connections.
- What waits on a replica stays there: new replicas get new calls only.
- The newest replica goes first. It gets no more calls, has `Settings.drain_seconds` to finish, and
  is cut off then.
- Refused calls aren't sent again, but for those of the import, which come again after a while.
"""

import math
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import NamedTuple, Protocol

import numpy as np
from hpa import SYNC_SECONDS, Autoscaler, Pod, Value
from replica_model import Ended, Fate, Job, Timeline
from replica_profile import Profile
from scraping import BUCKETS, SCRAPE_SECONDS, SIGNALS, Reading

from depesche.types import Priority

__all__ = ["Call", "Cluster", "Day", "Fleet", "Moment", "Replica"]

_KEPT = 8  # readings; more than a minute of them
_SYNC_PHASE = 7.0  # seconds between a scrape and the sync after it
_PRESTOP_SECONDS = 5.0  # the chart's preStopSeconds
_RESOLVE_SECONDS = 30.0  # gRPC resolves no name more often by default
_COME_AGAIN = 10.0
_SLICE_SECONDS = 10.0
_KINDS = ((0.4, 1, 1), (0.3, 2, 3), (0.3, 7, 99))
_LONGEST = 9


class Replica(Protocol):
    """What a fleet needs of a replica."""

    @property
    def calls(self) -> int:
        """The calls under way."""
        ...

    def submit(self, job: Job, tell: Callable[[Ended], None]) -> None:
        """Take a call, and tell of its end."""
        ...

    def read(self, tell: Callable[[Reading], None]) -> None:
        """Read its metrics, and tell of them."""
        ...

    def close(self) -> None:
        """End it; what is under way is cut off."""
        ...


@dataclass(frozen=True, slots=True)
class Day:
    """What arrives in a day, however long that day is.

    Attributes:
        seconds: how long it is.
        curve: seconds and the interactive load there, in replicas that it would keep busy; straight
            lines lie between.
        bursts: when press conferences begin.
        burst_seconds: how long one is.
        burst_factor: how many times as much arrives then.
        import_at: when an archive is imported, by calls of the bulk lane.
        import_releases: its releases.
        import_calls: its calls at a time.
        patience: seconds until an interactive call's deadline.
    """

    seconds: float
    curve: tuple[tuple[float, float], ...]
    bursts: tuple[float, ...]
    burst_seconds: float
    burst_factor: float
    import_at: float
    import_releases: int
    import_calls: int
    patience: float

    def load(self, at: float) -> float:
        """Tell the load at a moment, in replicas."""
        times, loads = zip(*self.curve, strict=True)
        level = float(np.interp(at, times, loads))
        return level * (self.burst_factor if self.in_burst(at) else 1.0)

    def in_burst(self, at: float, after: float = 0.0) -> bool:
        """Tell whether a moment is in a burst, or at most so many seconds after one."""
        return any(start <= at < start + self.burst_seconds + after for start in self.bursts)

    def arrivals(self, profile: Profile, capacity: float, seed: int) -> Iterator[Job]:
        """Give the interactive calls of the day: a Poisson process, its rate constant for a slice.

        Args:
            profile: whose examples they are cut from.
            capacity: releases a second that keep one replica busy.
            seed: of all that is left to chance.
        """
        chance = random.Random(seed)  # noqa: S311 - reproducible, not secret
        for number in range(int(self.seconds // _SLICE_SECONDS)):
            at = number * _SLICE_SECONDS
            rate = self.load(at + _SLICE_SECONDS / 2) * capacity
            while (at := at + chance.expovariate(rate)) < (number + 1) * _SLICE_SECONDS:
                yield release(profile, chance, at, Priority.INTERACTIVE, self.patience)


def release(
    profile: Profile, chance: random.Random, due: float, priority: Priority, patience: float
) -> Job:
    """Cut a release from an example: 40 % of a paragraph, 30 % of two or three, 30 % whole."""
    _, least, most = chance.choices(_KINDS, [share for share, _, _ in _KINDS])[0]
    example = chance.randrange(len(profile.examples))
    held = len(profile.examples[example])
    length = min(chance.randint(least, min(most, _LONGEST)), held)
    first = chance.randint(0, held - length)
    return Job(due, example, range(first, first + length), priority, patience)


@dataclass(frozen=True, slots=True)
class Cluster:
    """What the fleet runs on.

    Attributes:
        workers: of each replica.
        pod_seconds: from the autoscaler's decision to the start of the process, and from its being
            ready to its first call: scheduling, the container's start, the probe, the endpoint.
        connection_age: seconds after which connections are renewed, where clients balance
            themselves; 0 for a proxy that knows new replicas at once.
        clients: how many there are in that case.
        drain: seconds that calls have to end on a replica that goes.
    """

    workers: int = 1
    pod_seconds: float = 8.0
    connection_age: float = 0.0
    clients: int = 20
    drain: float = 30.0


class Call(NamedTuple):
    """A call that has ended."""

    job: Job
    fate: Fate
    seconds: float
    wait: float
    member: int


class Moment(NamedTuple):
    """The fleet at a scrape.

    Attributes:
        at: when.
        replicas: those there are, starting ones included.
        ready: those that get calls.
        interactive: seconds of interactive work that wait, of all replicas together.
        bulk: the same of bulk work.
        cpu: mean CPU use, from 0 to 1.
        signal: mean of the first metric that the autoscaler knows.
    """

    at: float
    replicas: int
    ready: int
    interactive: float
    bulk: float
    cpu: float
    signal: float


@dataclass(slots=True, eq=False)
class _Member:
    number: int
    created: float
    replica: Replica | None = None
    started: float | None = None
    ready_at: float = math.inf
    leaving: bool = False
    readings: deque[Reading] = field(default_factory=lambda: deque(maxlen=_KEPT))


class Fleet:
    """The replicas of a day, and what became of its calls."""

    def __init__(  # noqa: PLR0913 - what a day is made of
        self,
        timeline: Timeline,
        day: Day,
        profile: Profile,
        cluster: Cluster,
        autoscaler: Autoscaler | None,
        make: Callable[[int], Replica],
        *,
        replicas: int,
        capacity: float,
        seed: int = 0,
    ) -> None:
        """Begin the day with replicas that are ready.

        Args:
            timeline: the time; the day begins at 0.
            day: what arrives.
            profile: of the replicas.
            cluster: what they run on.
            autoscaler: scales them, or None for a fixed number.
            make: makes the replica of a number, which counts from 0; the first ones never go.
            replicas: how many there are at first.
            capacity: releases a second that keep one replica busy.
            seed: of all that is left to chance.
        """
        self._timeline = timeline
        self._day = day
        self._profile = profile
        self._cluster = cluster
        self._autoscaler = autoscaler
        self._make = make
        self._chance = random.Random(seed + 1)  # noqa: S311 - reproducible, not secret
        self._bulk_chance = random.Random(seed + 2)  # noqa: S311 - as above
        self._numbers = count()
        self._members: list[_Member] = []
        self._gone: list[_Member] = []
        names = [target.name for target in autoscaler.targets] if autoscaler else []
        self._signals = {name: SIGNALS[name] for name in (*names, "cpu")}
        self._views: dict[int, tuple[list[_Member], float]] = {}
        self._imported = 0
        self.calls: list[Call] = []
        self.moments: list[Moment] = []
        self.replica_seconds = 0.0
        self.changes: Counter[str] = Counter()
        self.waits = [0.0] * len(BUCKETS)
        self.burst_waits = [0.0] * len(BUCKETS)
        for _ in range(replicas):
            self._create(0.0)
        self._arrivals = day.arrivals(profile, capacity, seed)
        self._next_arrival()
        timeline.at(SCRAPE_SECONDS, self._scrape)
        timeline.at(SCRAPE_SECONDS + _SYNC_PHASE, self._sync)
        for _ in range(day.import_calls):
            timeline.at(day.import_at, self._import)

    @property
    def imported_at(self) -> float:
        """When the last release of the import was done; infinity if it isn't."""
        done = [c.job.due + c.seconds for c in self.calls if c.job.priority is Priority.BULK]
        return max(done) if len(done) >= self._day.import_releases else math.inf

    def close(self) -> None:
        """End all replicas and count what they cost."""
        for member in self._members:
            self._remove(member)
        self._members.clear()

    def _next_arrival(self) -> None:
        if job := next(self._arrivals, None):
            self._timeline.at(job.due, lambda: self._arrive(job))

    def _arrive(self, job: Job) -> None:
        self._next_arrival()
        self._send(job, self.calls.append)

    def _import(self) -> None:
        """Send the next release of the import, if there is one."""
        if self._imported >= self._day.import_releases:
            return
        self._imported += 1
        now = self._timeline.now
        job = release(self._profile, self._bulk_chance, now, Priority.BULK, math.inf)
        self._send(job, self._import_ended)

    def _import_ended(self, call: Call) -> None:
        if call.fate is Fate.DONE:
            self.calls.append(call)
            self._timeline.at(self._timeline.now, self._import)
            return
        again = self._timeline.now + _COME_AGAIN
        job = call.job
        self._timeline.at(again, lambda: self._send(job, self._import_ended))

    def _send(self, job: Job, tell: Callable[[Call], None]) -> None:
        member = self._chance.choice(self._view())
        replica = member.replica
        if replica is None:
            raise RuntimeError("a replica gets a call before it is ready; this is a bug")

        def ended(end: Ended) -> None:
            seconds = self._timeline.now - job.due
            tell(Call(job, end.fate, seconds, end.wait, member.number))

        replica.submit(job, ended)

    def _ready(self) -> list[_Member]:
        now = self._timeline.now
        return [m for m in self._members if m.ready_at <= now and not m.leaving]

    def _view(self) -> list[_Member]:
        """Give the replicas that some client knows."""
        cluster, now = self._cluster, self._timeline.now
        if not cluster.connection_age:
            return self._ready()
        client = self._chance.randrange(cluster.clients)
        view, until = self._views.get(client, ([], 0.0))
        # A replica that goes closes its connections, at which a client looks for others.
        if now >= until or any(member.leaving for member in view):
            first = client not in self._views
            view = self._ready()
            renewed = max(_RESOLVE_SECONDS, cluster.connection_age / len(view))
            share = self._chance.random() if first else self._chance.uniform(0.9, 1.1)
            self._views[client] = (view, now + share * renewed)
        return view

    def _create(self, delay: float) -> None:
        """Make a replica that starts after a delay; the first ones are ready at once."""
        member = _Member(next(self._numbers), self._timeline.now)
        self._members.append(member)
        if delay:
            self._timeline.at(self._timeline.now + delay / 2, lambda: self._start(member))
            ready = self._timeline.now + delay + self._profile.ready
            self._timeline.at(ready, lambda: self._open(member))
            return
        self._start(member)
        self._open(member)

    def _start(self, member: _Member) -> None:
        if not member.leaving:
            member.started = self._timeline.now

    def _open(self, member: _Member) -> None:
        if not member.leaving:
            member.replica = self._make(member.number)
            member.ready_at = self._timeline.now

    def _scale(self, replicas: int) -> None:
        here = [member for member in self._members if not member.leaving]
        if replicas > len(here):
            self.changes["up"] += 1
            for _ in range(replicas - len(here)):
                self._create(self._cluster.pod_seconds)
        elif replicas < len(here):
            self.changes["down"] += 1
            for member in here[replicas:]:
                member.leaving = True
                self._timeline.at(self._timeline.now + _PRESTOP_SECONDS, self._leaver(member))

    def _leaver(self, member: _Member, since: float | None = None) -> Callable[[], None]:
        """Make what lets a replica go once it is idle or its time is up."""
        began = self._timeline.now if since is None else since

        def look() -> None:
            now = self._timeline.now
            idle = member.replica is None or not member.replica.calls
            if idle or now >= began + _PRESTOP_SECONDS + self._cluster.drain:
                self._members.remove(member)
                self._remove(member)
            else:
                self._timeline.at(now + 1, self._leaver(member, began))

        return look

    def _remove(self, member: _Member) -> None:
        self.replica_seconds += self._timeline.now - member.created
        if member.replica is not None:
            member.replica.close()

    def _scrape(self) -> None:
        now = self._timeline.now
        for member in self._members:
            if member.replica is not None:
                member.replica.read(self._reader(member))
        self._timeline.at(now + SCRAPE_SECONDS, self._scrape)
        self._timeline.at(now + SCRAPE_SECONDS / 2, self._note)

    def _reader(self, member: _Member) -> Callable[[Reading], None]:
        def note(reading: Reading) -> None:
            before = member.readings[-1].waits if member.readings else [0.0] * len(BUCKETS)
            bursting = self._day.in_burst(reading.at, after=60.0)
            for place, (old, new) in enumerate(zip(before, reading.waits, strict=True)):
                self.waits[place] += new - old
                if bursting:
                    self.burst_waits[place] += new - old
            member.readings.append(reading)

        return note

    def _values(self, member: _Member) -> dict[str, Value]:
        values = {}
        for name, signal in self._signals.items():
            value = signal(member.readings, self._timeline.now, self._cluster.workers)
            if value is not None:
                at = member.readings[-1].at
                values[name] = Value(value, at, SCRAPE_SECONDS)
        return values

    def _note(self) -> None:
        here = [member for member in self._members if not member.leaving]
        last = [member.readings[-1] for member in self._members if member.readings]
        values = [self._values(member) for member in here if member.readings]
        name = next(iter(self._signals))
        self.moments.append(
            Moment(
                at=self._timeline.now,
                replicas=len(self._members),
                ready=len(self._ready()),
                interactive=sum(reading.interactive for reading in last),
                bulk=sum(reading.bulk for reading in last),
                cpu=_mean(v["cpu"].value for v in values if "cpu" in v),
                signal=_mean(v[name].value for v in values if name in v),
            )
        )

    def _sync(self) -> None:
        now = self._timeline.now
        self._timeline.at(now + SYNC_SECONDS, self._sync)
        if self._autoscaler is None:
            return
        here = [member for member in self._members if not member.leaving]
        values = {member.number: self._values(member) for member in here}
        pods = [
            Pod(
                started=member.started,
                ready=member.ready_at <= now,
                changed=member.ready_at if member.ready_at <= now else member.created,
                values=values[member.number],
            )
            for member in here
        ]
        names = {target.name for target in self._autoscaler.targets if target.kind == "External"}
        totals = _totals(names, values)
        self._scale(self._autoscaler.sync(now, len(here), pods, totals))


def _totals(names: Iterable[str], values: Mapping[int, Mapping[str, Value]]) -> dict[str, float]:
    """Sum metrics over the replicas, as a query with `sum` does, over those that have a value."""
    totals = {}
    for name in names:
        known = [own[name].value for own in values.values() if name in own]
        if known:
            totals[name] = sum(known)
    return totals


def _mean(values: Iterable[float]) -> float:
    held = list(values)
    return sum(held) / len(held) if held else 0.0
