"""Simulated replicas, and the fleet that an autoscaler makes of them."""

import math
import random
from dataclasses import replace

import pytest
from hpa import Autoscaler, Policy, Rules, Target
from replica_model import Ended, Fate, Job, SimulatedReplica, Timeline
from replica_profile import Batches, Part, Profile, Work
from scraping import Reading

from depesche.config import Settings
from depesche.types import Priority
from fleet import Cluster, Day, Fleet, release

PLAIN = Work((Part(20, 20),))
AGAIN = Work((Part(20, 20),), ((Part(20, 20),),))
PROFILE = Profile(
    examples=(((PLAIN,), (PLAIN, PLAIN), (AGAIN,)),),
    batches=Batches(base=0.0, step=0.05, row=0.0, token=0.0, spread=0.0),
    overhead=0.25,
    cpu=1.0,
    ready=3.0,
)
"""Every batch takes a second."""

DAY = Day(
    seconds=1800,
    curve=((0, 0.5), (1800, 0.5)),
    bursts=(300,),
    burst_seconds=120,
    burst_factor=12,
    import_at=1500,
    import_releases=40,
    import_calls=8,
    patience=60,
)


def job(paragraph: int, due: float = 0.0, **rest: object) -> Job:
    settled = Job(due, 0, range(paragraph, paragraph + 1), Priority.INTERACTIVE)
    return replace(settled, **rest)


class Callers:
    """Calls of one replica."""

    def __init__(self, workers: int = 1, settings: Settings | None = None) -> None:
        self.timeline = Timeline()
        self.replica = SimulatedReplica(
            self.timeline, PROFILE, settings or Settings(), workers, seed=1
        )
        self.ends: list[tuple[float, Ended]] = []

    def send(self, sent: Job) -> None:
        def tell(end: Ended) -> None:
            self.ends.append((self.timeline.now, end))

        self.timeline.at(sent.due, lambda: self.replica.submit(sent, tell))

    def reading(self) -> Reading:
        readings: list[Reading] = []
        self.replica.read(readings.append)
        return readings[0]


def test_a_call_takes_its_batches_and_the_overhead() -> None:
    """A sentence takes a batch, and another if it is decoded again."""
    callers = Callers()
    callers.send(job(0))
    callers.send(job(2, due=10))
    callers.timeline.run(20)

    assert callers.ends == [(1.25, Ended(Fate.DONE, 0)), (12.25, Ended(Fate.DONE, 0))]


def test_calls_share_batches() -> None:
    """What waits while a batch runs makes the next one, and key sentences come between batches."""
    callers = Callers()
    for due in (0, 0.5, 0.75):
        callers.send(job(0, due))
    callers.timeline.run(20)

    assert [at for at, _ in callers.ends] == [2.25, 2.25, 2.25]
    assert [end.wait for _, end in callers.ends] == pytest.approx([0, 0.5, 0.25])


def test_two_workers_run_two_batches() -> None:
    """A call of two sentences is shared out among idle workers."""
    callers = Callers(workers=2)
    callers.send(job(1))
    callers.timeline.run(20)
    read = callers.reading()

    assert [at for at, _ in callers.ends] == [1.25]
    assert (read.busy, read.cpu) == (2, 2)


def test_interactive_calls_go_before_bulk_ones() -> None:
    """As in the service, whose backlog it is."""
    callers = Callers(settings=Settings(batch_tokens=20))
    for due, priority in ((0, "bulk"), (0.1, "bulk"), (0.2, "interactive")):
        callers.send(job(0, due, priority=Priority(priority)))
    callers.timeline.run(20)

    assert [end.wait for _, end in callers.ends] == pytest.approx([0, 0.8, 1.9])


def test_the_door_refuses_what_cannot_be_done_in_time() -> None:
    """By the service's own admission, which is told the simulated time."""
    callers = Callers(settings=Settings(batch_tokens=20))
    for number in range(40):
        callers.send(job(0, number / 100, patience=10.0))
    callers.timeline.run(100)
    fates = [end.fate for _, end in callers.ends]

    assert fates.count(Fate.REFUSED) > 20
    assert fates.count(Fate.DONE) >= 5
    assert len(fates) == 40
    assert all(at <= 10.4 for at, _ in callers.ends)


def test_second_decodings_are_given_up_at_the_deadline() -> None:
    """What the first gave is the reply, where it is done by then."""
    callers = Callers()
    callers.send(job(2, patience=2.0))
    callers.send(job(2, due=10, patience=0.9))
    callers.timeline.run(20)

    assert callers.ends == [(1.25, Ended(Fate.DONE, 0)), (10.9, Ended(Fate.LATE, 0))]
    assert not callers.replica.calls


def test_what_waits_is_read() -> None:
    """The seconds of work that wait are what the service would report."""
    callers = Callers()
    for number in range(11):
        callers.send(
            job(1, due=number / 100, priority=Priority(("interactive", "bulk")[number % 2]))
        )
    callers.timeline.run(0.5)
    read = callers.reading()

    # 40 tokens a call, 50 tokens a second until a batch is done; the first call runs.
    assert (read.interactive, read.bulk) == pytest.approx((4, 4))
    assert (read.busy, read.cpu) == pytest.approx((0, 0.5))


def test_closing_cuts_calls_off() -> None:
    """A replica that is killed answers nothing more."""
    callers = Callers()
    callers.send(job(0))
    callers.timeline.run(0.5)
    callers.replica.close()
    callers.timeline.run(20)

    assert [end.fate for _, end in callers.ends] == [Fate.CUT]


def run(autoscaler: Autoscaler | None, replicas: int = 2, **cluster: float) -> Fleet:
    timeline = Timeline()

    def make(number: int) -> SimulatedReplica:
        return SimulatedReplica(timeline, PROFILE, Settings(), 1, seed=number)

    fleet = Fleet(
        timeline,
        DAY,
        PROFILE,
        Cluster(**cluster),  # type: ignore[arg-type]  # by name
        autoscaler,
        make,
        replicas=replicas,
        capacity=2.0,
    )
    timeline.run(DAY.seconds + DAY.patience)
    fleet.close()
    return fleet


def test_a_day_is_a_poisson_process_of_its_curve() -> None:
    """A burst holds as many times as much."""
    jobs = list(DAY.arrivals(PROFILE, capacity=2.0, seed=3))
    burst = [j for j in jobs if DAY.in_burst(j.due)]

    assert len(burst) == pytest.approx(12 * 120, rel=0.1)
    assert len(jobs) - len(burst) == pytest.approx(1680, rel=0.1)
    assert jobs == list(DAY.arrivals(PROFILE, capacity=2.0, seed=3))


def test_releases_keep_to_the_example() -> None:
    """Whatever chance says, a release is a run of paragraphs that there are."""
    chance = random.Random(1)  # noqa: S311 - reproducible, not secret
    held = [release(PROFILE, chance, 0, Priority.BULK, math.inf).paragraphs for _ in range(200)]

    assert {(p.start, p.stop) for p in held} == {(a, b) for b in (1, 2, 3) for a in range(b)}


def test_a_fixed_fleet_costs_what_it_is() -> None:
    """Without an autoscaler nothing changes, and every call has an end."""
    fleet = run(None, replicas=3)
    interactive = [c for c in fleet.calls if c.job.priority is Priority.INTERACTIVE]

    assert fleet.replica_seconds == 3 * (DAY.seconds + DAY.patience)
    assert {m.replicas for m in fleet.moments} == {3}
    assert len(interactive) == len(list(DAY.arrivals(PROFILE, capacity=2.0, seed=0)))
    assert {c.member for c in fleet.calls} == {0, 1, 2}
    assert fleet.imported_at < DAY.seconds


def scaler() -> Autoscaler:
    down = Rules(300, (Policy("Percent", 25, 60),))
    return Autoscaler((Target("queued", 4, "Pods"),), 2, 10, down=down)


def test_a_burst_brings_replicas_and_they_go_again() -> None:
    """They come while it lasts, and go no sooner than the window lets them."""
    fleet = run(scaler())
    during = [m for m in fleet.moments if DAY.in_burst(m.at)]
    grown = next(m.at for m in fleet.moments if m.replicas > 2)

    assert {m.replicas for m in fleet.moments if m.at < 300} == {2}
    assert 300 < grown < 360
    assert max(m.replicas for m in during) > 4
    assert min(m.replicas for m in fleet.moments if 420 < m.at < grown + 300) > 2
    assert fleet.moments[-1].replicas == 2
    assert not any(c.fate is Fate.CUT for c in fleet.calls)


def test_new_replicas_are_ready_later_than_they_cost() -> None:
    """A pod takes its time and the server its own."""
    fleet = run(scaler(), pod_seconds=40.0)

    assert any(m.ready < m.replicas for m in fleet.moments)


def test_clients_that_balance_themselves_find_new_replicas_late() -> None:
    """At a connection's end, so that the replicas of before carry a burst for longer."""

    def share_of_the_first(fleet: Fleet) -> float:
        burst = [c for c in fleet.calls if DAY.in_burst(c.job.due)]
        return sum(c.member < 2 for c in burst) / len(burst)

    assert share_of_the_first(run(scaler(), connection_age=900.0)) > 1.3 * share_of_the_first(
        run(scaler())
    )
