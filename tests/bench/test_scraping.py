"""The signals that a replay makes of the service's metrics."""

import math
from itertools import accumulate

import pytest
from prometheus_client import generate_latest
from scraping import BUCKETS, SIGNALS, Reading, parse, quantile

from depesche.inference.observer import QueueStatistics
from depesche.server.catalogue import METRICS
from depesche.server.metrics import Metrics


def cumulative(**counts: int) -> list[int]:
    """Make cumulative counts of buckets by their bounds, written as `b2_5` for 2.5."""
    names = [f"b{bound:g}".replace(".", "_") for bound in BUCKETS]
    assert set(counts) <= set(names)
    return list(accumulate(counts.get(name, 0) for name in names))


def reading(at: float, **values: float) -> Reading:
    fields: dict[str, float] = dict.fromkeys(("interactive", "bulk", "busy", "cpu"), 0.0)
    return Reading(at, **{**fields, **values}, waits=(0.0,) * len(BUCKETS))


def test_buckets_are_the_services() -> None:
    """The replay counts waits as the service does."""
    declared = {metric.name: metric.buckets for metric in METRICS}

    assert (*declared["depesche_queue_wait_seconds"], math.inf) == BUCKETS


def test_a_page_of_the_service_is_read() -> None:
    """Every metric that a signal needs is found, and the encoder counts in none of them."""
    metrics = Metrics()
    waiting = {"interactive": 1.5, "bulk": 12.0}
    metrics.watch_queues(lambda: {"m": QueueStatistics({}, 80, 2.5, waiting)})
    metrics.waited("m", 1.7)
    metrics.waited("encoder", 0.0)
    metrics.batch_finished("m", 2.5)
    metrics.batch_finished("encoder", 50.0)
    read = parse(generate_latest(metrics.registry).decode(), at=7.0)

    assert (read.at, read.interactive, read.bulk, read.busy) == (7, 1.5, 12, 2.5)
    assert read.cpu > 0
    assert list(read.waits) == cumulative(b2_5=1)


@pytest.mark.parametrize(
    ("counts", "share", "expected"),
    [
        ({"b1": 10}, 0.5, 0.75),  # half of the way from 0.5 to 1
        ({"b0_001": 10}, 0.5, 0.0005),  # from 0
        ({"b1": 50, "b2_5": 50}, 0.95, 2.35),
        ({"binf": 10}, 0.95, 300.0),  # nothing is known above the last bound
    ],
)
def test_quantile(counts: dict[str, int], share: float, expected: float) -> None:
    """Values lie evenly in their bucket, as histogram_quantile() has it."""
    assert quantile(share, cumulative(**counts)) == pytest.approx(expected)


def test_quantile_of_nothing() -> None:
    """Without observations there is none."""
    assert quantile(0.95, [0] * len(BUCKETS)) is None


@pytest.mark.parametrize("name", SIGNALS)
def test_without_readings_there_is_no_value(name: str) -> None:
    """A replica without a value is missing to the autoscaler."""
    assert SIGNALS[name]([], 20, 1) is None


@pytest.mark.parametrize("name", ["cpu", "busy", "wait"])
def test_one_scrape_makes_no_rate(name: str) -> None:
    """So a young replica has no value of these."""
    assert SIGNALS[name]([reading(15)], 20, 1) is None


def test_queued_seconds_are_those_of_the_last_scrape() -> None:
    """Or of a minute's; with and without bulk work."""
    readings = [reading(0, interactive=6), reading(60, interactive=2, bulk=30), reading(75)]

    assert SIGNALS["queued"](readings, 74, 1) == 2
    assert SIGNALS["queued_mean"](readings, 60, 1) == 4
    assert SIGNALS["queued_all"](readings, 74, 1) == 32


def test_cpu_and_busy_are_shares_of_the_workers() -> None:
    """Two workers that both work all the time are at 1."""
    readings = [reading(0), reading(45, cpu=3, busy=80), reading(60, cpu=33, busy=120)]

    assert SIGNALS["cpu"](readings, 60, 2) == pytest.approx(1)
    assert SIGNALS["busy"](readings, 60, 2) == pytest.approx(1)


def test_wait_is_of_the_last_minute() -> None:
    """What was observed before doesn't count, and an idle replica's batches wait for nothing."""
    old, new = cumulative(b300=100), cumulative(b300=100, b1=10)
    history = [
        Reading(at, 0, 0, 0, 0, tuple(map(float, counts)))
        for at, counts in ((0, old), (15, old), (60, new))
    ]

    assert SIGNALS["wait"](history, 60, 1) == pytest.approx(0.975)
    assert SIGNALS["wait"](history[:2], 15, 1) == 0
