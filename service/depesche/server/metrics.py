"""Every metric of the service, its buckets and its help, and their exposition over HTTP."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal
from wsgiref.simple_server import WSGIServer

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from depesche import __version__
from depesche.engine import ModelState, ModelStatus
from depesche.errors import ConfigurationError, DepescheError
from depesche.inference.observer import DropReason, QueueStatistics
from depesche.types import Finding, Language, Priority, Timings

__all__ = ["Exposition", "Metrics"]

_SECONDS = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120,
)  # fmt: skip
_SEGMENTS = (1, 2, 4, 8, 16, 32, 64, 128)
_TOKENS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)

type _Statistics = Callable[[], Mapping[str, QueueStatistics]]


class Metrics:
    """The metrics of one server; also the observer of its inference (`Observer`)."""

    def __init__(self) -> None:
        # Series that tell only when a counter was made would double the page.
        prometheus_client.disable_created_metrics()
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._calls()
        self._inference()
        self._results()

