"""Traces by OpenTelemetry: a span for each call of the contract, and below it one for each stage.

Imported only where traces are asked for: OpenTelemetry is an extra, and costs time to load.

The stages of a release are known when it is finished, by their durations (`Timings`), so their
spans are laid end to end, the last one ending then. What lies between stages, such as the time that
a slow reader takes for a stream, moves the earlier ones towards the end.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Self

import structlog
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import (
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    format_trace_id,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from depesche import __version__
from depesche.server.interceptors import Context, Handler, OwnMethods, metadata_of, run_within
from depesche.server.metrics import Metrics
from depesche.types import Timings

__all__ = ["TracedMetrics", "Tracing", "TracingInterceptor"]

_TRACEPARENT = "traceparent"
_QUEUE_WAIT = "depesche.queue_wait_seconds"
_NANOSECONDS = 1_000_000_000

# What the call's log line tells, by its name there, and never more: no text, no token.
_NOTED = {
    "request_id": "depesche.request_id",
    "language": "depesche.language",
    "sentences": "depesche.sentences",
    "releases": "depesche.releases",
    "failed": "depesche.failed_releases",
}

# The codes that are the server's failure, as OpenTelemetry's conventions for gRPC have them.
_FAILURES = frozenset(
    {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
)


class Tracing:
    """Makes the spans of one server and sends them off in batches, from a thread of its own.

    Attributes:
        interceptor: begins the span of each call; stands directly behind `CallInterceptor`.
        metrics: what that interceptor and the servicers must be given, for it ends the spans.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        """Begin; `aclose` ends.

        Args:
            exporter: sends spans off.
        """
        self._exporter = exporter
        # The variables of OpenTelemetry, such as OTEL_SERVICE_NAME, win.
        resource = Resource.create({"service.name": "depesche", "service.version": __version__})
        resource = resource.merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self.interceptor = TracingInterceptor(self._provider.get_tracer("depesche", __version__))
        self.metrics = TracedMetrics()

    @classmethod
    def to(cls, endpoint: str) -> Self:
        """Send spans by OTLP over gRPC; no connection is made yet.

        Args:
            endpoint: `http://HOST:PORT`, or `https://HOST:PORT` for TLS.
        """
        return cls(OTLPSpanExporter(endpoint))

    async def aclose(self, seconds: float) -> None:
        """Send off the spans that wait; after so many seconds, drop those that still do."""
        ending = asyncio.ensure_future(asyncio.to_thread(self._provider.shutdown))
        await asyncio.wait({ending}, timeout=seconds)
        if not ending.done():
            # It cuts off what it sends, and so the provider, which takes no time limit, comes back.
            self._exporter.shutdown()
        await ending


class _Call:
    """The span of one call, while the call runs."""

    def __init__(self, tracer: Tracer, span: Span, *, is_feed: bool) -> None:
        self._tracer = tracer
        self._span = span
        self._is_feed = is_feed

    def finish_release(self, timings: Timings) -> None:
        """Make the spans of a release's stages; in a feed, below a span of the release."""
        now = time.time_ns()
        began = now - _nanoseconds(sum(timings.stages.values()))
        release = self._begin("release", self._span, began) if self._is_feed else self._span
        release.set_attribute(_QUEUE_WAIT, timings.queue)
        for stage, seconds in timings.stages.items():
            span = self._begin(stage, release, began)
            began += _nanoseconds(seconds)
            span.end(began)
        if self._is_feed:
            release.end(now)

    def end(self, code: str) -> None:
        """End the span with the name of the call's status code."""
        noted = structlog.contextvars.get_contextvars()
        for name, attribute in _NOTED.items():
            if name in noted:
                self._span.set_attribute(attribute, noted[name])
        self._span.set_attribute("rpc.response.status_code", code)
        if code in _FAILURES:
            self._span.set_attribute("error.type", code)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()

    def _begin(self, name: str, parent: Span, began: int) -> Span:
        return self._tracer.start_span(name, set_span_in_context(parent), start_time=began)


_CALL: ContextVar[_Call | None] = ContextVar("_CALL", default=None)


class TracingInterceptor(OwnMethods):
    """Begins the span of each call, below the caller's if it sends one, and notes it in the log."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def wrap(self, handler: Handler, method: str) -> Handler:
        """Wrap a handler."""
        is_feed = bool(handler.request_streaming)
        return run_within(handler, lambda context: self._within(context, method, is_feed=is_feed))

    @asynccontextmanager
    async def _within(self, context: Context, method: str, *, is_feed: bool) -> AsyncIterator[None]:
        # Of the caller's `tracestate` nothing is kept: OpenTelemetry logs what it can't read of it.
        carrier = {_TRACEPARENT: str(metadata_of(context).get(_TRACEPARENT, ""))}
        span = self._tracer.start_span(
            method,
            TraceContextTextMapPropagator().extract(carrier),
            SpanKind.SERVER,
            {"rpc.system.name": "grpc", "rpc.method": method},
        )
        _CALL.set(_Call(self._tracer, span, is_feed=is_feed))
        if (found := span.get_span_context()).is_valid:
            structlog.contextvars.bind_contextvars(trace_id=format_trace_id(found.trace_id))
        yield


class TracedMetrics(Metrics):
    """Metrics that also tell the span of the call under way what they are told.

    They hear of each release as it is finished, in a feed too, and of each call's end and status.
    """

    def timed(self, timings: Timings) -> None:
        """Note where the time of a release went."""
        super().timed(timings)
        if call := _CALL.get():
            call.finish_release(timings)

    def finished(self, method: str, code: str, seconds: float) -> None:
        """Note the end of a call; `method` must be one of a few."""
        super().finished(method, code, seconds)
        if call := _CALL.get():
            call.end(code)


def _nanoseconds(seconds: float) -> int:
    return round(seconds * _NANOSECONDS)
