"""What Prometheus sees of a replica, and the signals that an autoscaler makes of it.

A replay scrapes every `SCRAPE_SECONDS`. Rates are taken between the first and the last scrape
within a window. PromQL's `rate()` draws that line on to the ends of the window, which changes
increases and not rates (https://prometheus.io/docs/prometheus/latest/querying/functions/#rate).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

__all__ = ["BUCKETS", "SCRAPE_SECONDS", "SIGNALS", "Reading", "Signal", "parse", "quantile"]

SCRAPE_SECONDS = 15.0
"""Seconds between two scrapes; metrics-server's default resolution, too."""

_RATE_SECONDS = 60.0

BUCKETS = (
    *(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, math.inf),
)
"""Upper bounds of the service's histograms of seconds."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One scrape of a replica, summed over its models that have a queue.

    Attributes:
        at: when.
        interactive: `depesche_queue_seconds{priority="interactive"}`.
        bulk: the same of `bulk`.
        busy: `depesche_model_busy_seconds_total`.
        cpu: `process_cpu_seconds_total`, which stands for what the kubelet measures.
        waits: `depesche_queue_wait_seconds_bucket`, for each of `BUCKETS`.
    """

    at: float
    interactive: float
    bulk: float
    busy: float
    cpu: float
    waits: tuple[float, ...]


def parse(page: str, at: float) -> Reading:
    """Read a page of `/metrics` that was scraped at a moment."""
    samples = [s for family in text_string_to_metric_families(page) for s in family.samples]
    models = {s.labels["model"] for s in samples if s.name == "depesche_queue_seconds"}

    def total(name: str, **labels: str) -> float:
        return sum(
            s.value
            for s in samples
            if s.name == name
            and s.labels.get("model") in {*models, None}
            and all(s.labels[key] == value for key, value in labels.items())
        )

    def bucket(bound: float) -> float:
        return sum(
            s.value
            for s in samples
            if s.name == "depesche_queue_wait_seconds_bucket"
            and s.labels["model"] in models
            and float(s.labels["le"]) == bound
        )

    return Reading(
        at=at,
        interactive=total("depesche_queue_seconds", priority="interactive"),
        bulk=total("depesche_queue_seconds", priority="bulk"),
        busy=total("depesche_model_busy_seconds_total"),
        cpu=total("process_cpu_seconds_total"),
        waits=tuple(map(bucket, BUCKETS)),
    )


def quantile(quantile: float, counts: Sequence[float]) -> float | None:
    """Estimate a quantile from cumulative counts of `BUCKETS`, as `histogram_quantile()` does.

    Within a bucket values are taken to lie evenly. In the last one, that has no bound, the bound
    below it is given (https://prometheus.io/docs/prometheus/latest/querying/functions/).

    Returns:
        The quantile, or None where nothing was counted.
    """
    if not counts or counts[-1] <= 0:
        return None
    rank = quantile * counts[-1]
    place = next(i for i, count in enumerate(counts) if count >= rank)
    if math.isinf(BUCKETS[place]):
        return BUCKETS[place - 1]
    low = BUCKETS[place - 1] if place else 0.0
    below = counts[place - 1] if place else 0.0
    inside = counts[place] - below
    return low + (BUCKETS[place] - low) * ((rank - below) / inside if inside else 1.0)


Signal = Callable[[Sequence[Reading], float, int], float | None]
"""Makes of a replica's readings, up to a moment, and its workers what an autoscaler is told.

None stands for no value: the replica is too young, or nothing happened that could be measured.
"""


def _until(readings: Sequence[Reading], now: float) -> Sequence[Reading]:
    return [reading for reading in readings if reading.at <= now]


def _within(readings: Sequence[Reading], now: float, seconds: float) -> Sequence[Reading]:
    return [reading for reading in _until(readings, now) if reading.at >= now - seconds]


def cpu(readings: Sequence[Reading], now: float, workers: int) -> float | None:
    """CPU use as a share of the request, a CPU a worker, between the last two scrapes."""
    last = _until(readings, now)[-2:]
    if len(last) < 2:  # noqa: PLR2004 - a rate needs two
        return None
    return (last[1].cpu - last[0].cpu) / (last[1].at - last[0].at) / workers


def busy(readings: Sequence[Reading], now: float, workers: int) -> float | None:
    """Share of the time for which the workers were busy, over a minute."""
    window = _within(readings, now, _RATE_SECONDS)
    if len(window) < 2:  # noqa: PLR2004 - a rate needs two
        return None
    return (window[-1].busy - window[0].busy) / (window[-1].at - window[0].at) / workers


def wait(readings: Sequence[Reading], now: float, workers: int) -> float | None:  # noqa: ARG001 - as all
    """95th percentile of the queue wait, over a minute, bulk work's included; 0 if nothing ran."""
    window = _within(readings, now, _RATE_SECONDS)
    if len(window) < 2:  # noqa: PLR2004 - a rate needs two
        return None
    counts = [b - a for a, b in zip(window[0].waits, window[-1].waits, strict=True)]
    return quantile(0.95, counts) or 0.0


def queued(readings: Sequence[Reading], now: float, workers: int) -> float | None:  # noqa: ARG001 - as all
    """Seconds of interactive work that wait, as last scraped."""
    return next((reading.interactive for reading in reversed(_until(readings, now))), None)


def queued_mean(readings: Sequence[Reading], now: float, workers: int) -> float | None:  # noqa: ARG001 - as all
    """Seconds of interactive work that wait, on average over a minute."""
    window = _within(readings, now, _RATE_SECONDS)
    return sum(reading.interactive for reading in window) / len(window) if window else None


def queued_all(readings: Sequence[Reading], now: float, workers: int) -> float | None:  # noqa: ARG001 - as all
    """Seconds of work that wait, bulk work included, as last scraped."""
    last = next(iter(reversed(_until(readings, now))), None)
    return None if last is None else last.interactive + last.bulk


SIGNALS: dict[str, Signal] = {
    "cpu": cpu,
    "busy": busy,
    "wait": wait,
    "queued": queued,
    "queued_mean": queued_mean,
    "queued_all": queued_all,
}
"""The signals by name."""
