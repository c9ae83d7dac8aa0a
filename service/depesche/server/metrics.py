"""Every metric of the service, its buckets and its help, and their exposition over HTTP."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Literal

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from depesche import __version__
from depesche.engine import ModelState, ModelStatus
from depesche.errors import ConfigurationError, DepescheError
from depesche.inference.observer import DropReason, QueueStatistics
from depesche.types import Language, Priority, Timings, Translation

__all__ = ["Exposition", "Metrics", "Statistics"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_SEGMENTS = tuple(2**n for n in range(8))
_TOKENS = tuple(2**n for n in range(4, 13))

Statistics = Callable[[], Mapping[str, QueueStatistics]]
"""Tells what waits before each model; may be called from any thread."""


class Metrics:
    """The metrics of one server; also the observer of its inference (`Observer`)."""

    def __init__(self) -> None:
        # When each series began would double the page, and nothing reads it.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        counter = partial(Counter, namespace="depesche", registry=self.registry)
        gauge = partial(Gauge, namespace="depesche", registry=self.registry)
        histogram = partial(Histogram, namespace="depesche", registry=self.registry)
        seconds = partial(histogram, buckets=_SECONDS)
        model = ["model"]

        self._requests = counter("requests", "Finished calls.", ["method", "code"])
        self._request_seconds = seconds("request_seconds", "Time of a call.", ["method"])
        self.in_flight = gauge("requests_in_flight", "Calls under way.")
        self._rejected = counter("rejected", "Releases and calls refused.", ["reason"])

        self._stages = seconds("stage_seconds", "Time of a stage of a release.", ["stage"])
        self._briefs = counter("briefs", "Finished briefs.", ["language"])
        self._flags = counter("flags", "Findings in translated sentences.", ["kind"])

        self._wait = seconds("queue_wait_seconds", "Time that a batch waited.", model)
        self._segments = histogram(
            "batch_segments", "Segments of a batch.", model, buckets=_SEGMENTS
        )
        self._tokens = histogram(
            "batch_tokens", "Padded source tokens of a batch.", model, buckets=_TOKENS
        )
        self._model_tokens = counter("tokens", "Tokens read and written.", ["model", "direction"])
        self._busy = counter("model_busy_seconds", "Time that workers were busy.", model)
        self._dropped = counter("dropped_segments", "Segments that never ran.", ["reason"])

        self._models = gauge("model_info", "Loaded models.", ["model", "revision", "quantisation"])
        gauge("build_info", "The service.", ["version"]).labels(__version__).set(1)

    def finished(self, method: str, code: str, seconds: float) -> None:
        """Note the end of a call; `method` must be one of a few."""
        self._requests.labels(method, code).inc()
        self._request_seconds.labels(method).observe(seconds)

    def unknown_method(self) -> None:
        """Note a call of a method that there isn't; its name could be anything."""
        self._requests.labels("unknown", "UNIMPLEMENTED").inc()

    def rejected(self, error: DepescheError) -> None:
        """Note that a release or a call was refused."""
        reason = re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()
        self._rejected.labels(reason).inc()

    def translated(self, translations: Iterable[Translation], timings: Timings) -> None:
        """Note what became of a release's sentences and where its time went."""
        for translation in translations:
            for finding in translation.findings:
                self._flags.labels(finding.kind.value).inc()
        self.timed(timings)

    def timed(self, timings: Timings) -> None:
        """Note where the time of a release went."""
        for stage, seconds in timings.stages.items():
            self._stages.labels(stage).observe(seconds)

    def briefed(self, language: Language) -> None:
        """Note a finished brief."""
        self._briefs.labels(language.value).inc()

    def models_loaded(self, models: Iterable[ModelStatus]) -> None:
        """Note which models run now."""
        self._models.clear()
        for model in models:
            if model.state is ModelState.READY:
                self._models.labels(model.name, model.revision, model.quantisation).set(1)

    def watch_queues(self, statistics: Statistics) -> None:
        """Tell what waits whenever the metrics are read."""
        self.registry.register(_Queues(statistics))

    def batch_started(self, model: str, segments: int, tokens: int, wait: float) -> None:
        """Note a batch; see `Observer`."""
        self._wait.labels(model).observe(wait)
        self._segments.labels(model).observe(segments)
        self._tokens.labels(model).observe(tokens)

    def batch_finished(self, model: str, seconds: float) -> None:
        """Note a worker's time; see `Observer`."""
        self._busy.labels(model).inc(seconds)

    def tokens(self, model: str, direction: Literal["source", "target"], count: int) -> None:
        """Note tokens; see `Observer`."""
        self._model_tokens.labels(model, direction).inc(count)

    def dropped(self, reason: DropReason, segments: int) -> None:
        """Note segments that never ran; see `Observer`."""
        self._dropped.labels(reason.value).inc(segments)


class _Queues(Collector):
    """Reads the queues when the metrics are read."""

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics

    def collect(self) -> Iterator[GaugeMetricFamily]:
        segments = GaugeMetricFamily(
            "depesche_queue_segments", "Segments that wait.", labels=["model", "priority"]
        )
        tokens = GaugeMetricFamily(
            "depesche_queue_tokens", "Source tokens that wait.", labels=["model"]
        )
        oldest = GaugeMetricFamily(
            "depesche_queue_oldest_seconds", "Wait of the oldest segment.", labels=["model"]
        )
        for model, state in self._statistics().items():
            for priority in Priority:
                segments.add_metric([model, priority.value], state.segments.get(priority, 0))
            tokens.add_metric([model], state.tokens)
            oldest.add_metric([model], state.oldest_seconds)
        yield from (segments, tokens, oldest)


class Exposition:
    """Serves metrics over HTTP at `/metrics`, from a thread of its own."""

    def __init__(self, registry: CollectorRegistry, host: str, port: int) -> None:
        """Listen.

        Args:
            registry: the metrics.
            host: where to listen; an IPv6 address stands in brackets.
            port: where to listen; 0 for any free port.

        Raises:
            ConfigurationError: it can't listen there.
        """
        try:
            self._server, self._thread = prometheus_client.start_http_server(
                port, addr=host.strip("[]"), registry=registry
            )
        except OSError as error:
            raise ConfigurationError(
                f"metrics: can't listen on {host}:{port}: {error.strerror or error}"
            ) from error
        self.port = self._server.server_port

    def close(self) -> None:
        """Stop listening; blocks for up to half a second."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
