"""Every metric of the service, its buckets and its help, and their exposition over HTTP."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from depesche import __version__
from depesche.engine import ModelState, ModelStatus
from depesche.errors import ConfigurationError, DepescheError
from depesche.inference.observer import DropReason, QueueStatistics
from depesche.server.catalogue import INTERNAL_ERROR, METRICS, UNKNOWN_METHOD, reason_of
from depesche.types import Language, Priority, Timings, Translation

__all__ = ["Exposition", "Metrics", "Statistics"]

_DECLARED = {metric.name: metric for metric in METRICS}

Statistics = Callable[[], Mapping[str, QueueStatistics]]
"""Tells what waits before each model; may be called from any thread."""


class Metrics:
    """The metrics of one server; also the observer of its inference (`Observer`)."""

    def __init__(self) -> None:
        # When each series began would double the page, and nothing reads it.
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)

        self._requests = self._counter("depesche_requests_total")
        self._request_seconds = self._histogram("depesche_request_seconds")
        self.in_flight = self._gauge("depesche_requests_in_flight")
        self._rejected = self._counter("depesche_rejected_total")

        self._stages = self._histogram("depesche_stage_seconds")
        self._briefs = self._counter("depesche_briefs_total")
        self._sentences = self._counter("depesche_sentences_total")
        self._flags = self._counter("depesche_flags_total")

        self._wait = self._histogram("depesche_queue_wait_seconds")
        self._segments = self._histogram("depesche_batch_segments")
        self._tokens = self._histogram("depesche_batch_tokens")
        self._model_tokens = self._counter("depesche_tokens_total")
        self._busy = self._counter("depesche_model_busy_seconds_total")
        self._workers = self._gauge("depesche_model_workers")
        self._dropped = self._counter("depesche_dropped_segments_total")

        self._lag = self._histogram("depesche_event_loop_lag_seconds")
        self._models = self._gauge("depesche_model_info")
        self._reloads = self._counter("depesche_reloads_total")
        self._gauge("depesche_build_info").labels(__version__).set(1)

    def finished(self, method: str, code: str, seconds: float) -> None:
        """Note the end of a call; `method` must be one of a few."""
        self._requests.labels(method, code).inc()
        self._request_seconds.labels(method).observe(seconds)

    def unknown_method(self) -> None:
        """Note a call of a method that there isn't; its name could be anything."""
        self._requests.labels(UNKNOWN_METHOD, "UNIMPLEMENTED").inc()

    def rejected(self, error: Exception) -> None:
        """Note that a release or a call ended in an error, whether a known one or a fault."""
        reason = reason_of(type(error)) if isinstance(error, DepescheError) else INTERNAL_ERROR
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

    def sentences(self, language: Language, count: int) -> None:
        """Note the sentences of a finished release."""
        self._sentences.labels(language.value).inc(count)

    def lagged(self, seconds: float) -> None:
        """Note how late the event loop woke a task that was due."""
        self._lag.observe(seconds)

    def models_loaded(self, models: Iterable[ModelStatus]) -> None:
        """Note which models run now."""
        self._models.clear()
        for model in models:
            if model.state in (ModelState.READY, ModelState.IDLE):
                self._models.labels(model.name, model.revision, model.quantisation).set(1)

    def reloaded(self, result: Literal["done", "failed"]) -> None:
        """Note the end of a reload of the models."""
        self._reloads.labels(result).inc()

    def workers(self, model: str, count: int) -> None:
        """Note how many batches of a model can run at once."""
        self._workers.labels(model).set(count)

    def watch_queues(self, statistics: Statistics) -> None:
        """Tell what waits whenever the metrics are read."""
        self.registry.register(_Queues(statistics))

    def waited(self, model: str, seconds: float) -> None:
        """Note a batch's wait; see `Observer`."""
        self._wait.labels(model).observe(seconds)

    def batch_started(self, model: str, segments: int, tokens: int) -> None:
        """Note a batch; see `Observer`."""
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

    def _counter(self, name: str) -> Counter:
        counter = Counter(**_arguments(name), registry=self.registry)
        # A first event in a series that wasn't there is no increase to Prometheus, and no alert.
        labels = _DECLARED[name].labels
        for value in labels[0].values if len(labels) == 1 else ():
            counter.labels(value)
        return counter

    def _gauge(self, name: str) -> Gauge:
        return Gauge(**_arguments(name), registry=self.registry)

    def _histogram(self, name: str) -> Histogram:
        return Histogram(
            **_arguments(name), buckets=_DECLARED[name].buckets, registry=self.registry
        )


def _arguments(name: str) -> dict[str, Any]:
    """Give what the Prometheus client calls a metric's declaration."""
    metric = _DECLARED[name]
    names = [label.name for label in metric.labels]
    return {"name": metric.name, "documentation": metric.help, "labelnames": names}


class _Queues(Collector):
    """Reads the queues when the metrics are read."""

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics

    def collect(self) -> Iterator[GaugeMetricFamily]:
        segments = _family("depesche_queue_segments")
        tokens = _family("depesche_queue_tokens")
        seconds = _family("depesche_queue_seconds")
        oldest = _family("depesche_queue_oldest_seconds")
        for model, state in self._statistics().items():
            for priority in Priority:
                labels = [model, priority.value]
                segments.add_metric(labels, state.segments.get(priority, 0))
                seconds.add_metric(labels, state.seconds.get(priority, 0.0))
            tokens.add_metric([model], state.tokens)
            oldest.add_metric([model], state.oldest_seconds)
        yield from (segments, tokens, seconds, oldest)


def _family(name: str) -> GaugeMetricFamily:
    metric = _DECLARED[name]
    return GaugeMetricFamily(name, metric.help, labels=[label.name for label in metric.labels])


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
