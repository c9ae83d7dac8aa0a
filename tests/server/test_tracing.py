"""Traces as a collector gets them, of a server of fakes."""
# ruff: noqa: N802 - OpenTelemetry's contract names its RPC

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from depesche.config import load_settings
from depesche.errors import ConfigurationError
from depesche.inference.fake import FakeBackend
from depesche.server import tracing
from depesche.server.app import Server
from depesche.v1 import brief_pb2
from tests.rpc.support import GERMAN, failure, local_settings, request, serving
from tests.server.logs import captured_logs
from tests.support import held

_CREATE_BRIEF = "depesche.v1.BriefService/CreateBrief"
_ENDPOINT = "http://127.0.0.1:4317"
_TRACE, _PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
_STAGES = ["read", "translate", "decode_again", "summarise"]


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """Keep what is sent off in memory; all of it is there once the server has stopped."""
    kept = InMemorySpanExporter()
    monkeypatch.setattr(tracing, "OTLPSpanExporter", lambda _endpoint: kept)
    return kept


def _call(exporter: InMemorySpanExporter) -> ReadableSpan:
    """Give the only call's span."""
    (span,) = [s for s in exporter.get_finished_spans() if s.kind is SpanKind.SERVER]
    return span


def _below(exporter: InMemorySpanExporter, parent: ReadableSpan) -> list[ReadableSpan]:
    """Give the spans right below one, in the order of their times."""
    spans = exporter.get_finished_spans()
    found = [s for s in spans if s.parent and s.parent.span_id == parent.context.span_id]
    return sorted(found, key=_began)


def _began(span: ReadableSpan) -> int:
    assert span.start_time is not None
    return span.start_time


def _ended(span: ReadableSpan) -> int:
    assert span.end_time is not None
    return span.end_time


async def test_a_call_has_a_span_and_each_stage_one_below_it(
    exporter: InMemorySpanExporter,
) -> None:
    """The stages lie end to end within the call, each as long as the reply says."""
    async with serving(traces=_ENDPOINT) as (_, stubs):
        reply = await stubs.briefs.CreateBrief(request(), metadata=(("x-request-id", "r-1"),))

    call = _call(exporter)
    stages = _below(exporter, call)
    told = {s.name: s.duration.ToNanoseconds() for s in reply.brief.timings.stages}
    assert call.name == _CREATE_BRIEF
    assert [s.name for s in stages] == _STAGES
    assert {s.name: _ended(s) - _began(s) for s in stages} == pytest.approx(told, abs=2_000)
    assert [_began(s) for s in stages[1:]] == [_ended(s) for s in stages[:-1]]
    assert _began(call) <= _began(stages[0])
    assert _ended(stages[-1]) <= _ended(call)
    assert call.status.status_code is StatusCode.UNSET
    attributes = dict(call.attributes or {})
    assert attributes.pop("depesche.queue_wait_seconds") == pytest.approx(
        reply.brief.timings.queue_wait.ToNanoseconds() / 1e9, abs=1e-6
    )
    assert attributes == {
        "rpc.system.name": "grpc",
        "rpc.method": _CREATE_BRIEF,
        "rpc.response.status_code": "OK",
        "depesche.request_id": "r-1",
        "depesche.language": "de",
        "depesche.sentences": 4,
    }


async def test_the_stages_of_a_stream_are_spans_too(exporter: InMemorySpanExporter) -> None:
    """A brief that is told step by step has the same spans."""
    asked = brief_pb2.StreamBriefRequest(release=request().release)
    async with serving(traces=_ENDPOINT) as (_, stubs):
        _ = [event async for event in stubs.briefs.StreamBrief(asked)]

    assert [s.name for s in _below(exporter, _call(exporter))] == _STAGES


async def test_each_release_of_a_feed_has_a_span(exporter: InMemorySpanExporter) -> None:
    """The stages of a feed's releases, which overlap, are told apart."""
    feed = [brief_pb2.BriefReleasesRequest(release=request().release)] * 2
    feed.append(brief_pb2.BriefReleasesRequest())
    async with serving(traces=_ENDPOINT) as (_, stubs):
        _ = [reply async for reply in stubs.briefs.BriefReleases(iter(feed))]

    call = _call(exporter)
    releases = _below(exporter, call)
    assert [s.name for s in releases] == ["release", "release"]
    assert all("depesche.queue_wait_seconds" in (s.attributes or {}) for s in releases)
    assert [[s.name for s in _below(exporter, r)] for r in releases] == [_STAGES, _STAGES]
    assert (call.attributes or {})["depesche.releases"] == 3
    assert (call.attributes or {})["depesche.failed_releases"] == 1


async def test_a_span_lies_below_the_callers(exporter: InMemorySpanExporter) -> None:
    """A caller that sends `traceparent` finds the call in its own trace."""
    sent = (("traceparent", f"00-{_TRACE}-{_PARENT}-01"),)
    async with serving(traces=_ENDPOINT) as (_, stubs):
        await stubs.briefs.CreateBrief(request(), metadata=sent)

    call = _call(exporter)
    assert call.parent is not None
    assert call.parent.span_id == int(_PARENT, 16)
    assert {s.context.trace_id for s in exporter.get_finished_spans()} == {int(_TRACE, 16)}


@pytest.mark.parametrize(
    "sent", ["", "nonsense", f"00-{'0' * 32}-{_PARENT}-01", "0" * 600, f"00-{_TRACE}"]
)
async def test_a_broken_parent_begins_a_trace(exporter: InMemorySpanExporter, sent: str) -> None:
    """Whatever a caller sends, its call is answered."""
    async with serving(traces=_ENDPOINT) as (_, stubs):
        await stubs.briefs.CreateBrief(request(), metadata=(("traceparent", sent),))

    assert _call(exporter).parent is None


@pytest.mark.usefixtures("exporter")
async def test_what_a_caller_sends_with_its_trace_is_not_logged() -> None:
    """OpenTelemetry would log a part of `tracestate` that it can't read."""
    sent = (("traceparent", f"00-{_TRACE}-{_PARENT}-01"), ("tracestate", "geheim=="))
    with captured_logs() as lines:
        async with serving(traces=_ENDPOINT) as (_, stubs):
            await stubs.briefs.CreateBrief(request(), metadata=sent)
        logged = str(lines())

    assert _TRACE in logged
    assert "geheim" not in logged


async def test_a_caller_may_ask_for_no_trace(exporter: InMemorySpanExporter) -> None:
    """A parent that isn't sampled has no spans below it."""
    sent = (("traceparent", f"00-{_TRACE}-{_PARENT}-00"),)
    async with serving(traces=_ENDPOINT) as (_, stubs):
        await stubs.briefs.CreateBrief(request(), metadata=sent)

    assert exporter.get_finished_spans() == ()


async def test_the_log_line_names_the_trace(exporter: InMemorySpanExporter) -> None:
    """From a line of the log one finds the trace."""
    with captured_logs() as lines:
        async with serving(traces=_ENDPOINT) as (_, stubs):
            await stubs.briefs.CreateBrief(request())
        (line,) = [line for line in lines() if line["event"] == "call"]

    assert line["trace_id"] == f"{_call(exporter).context.trace_id:032x}"


async def test_a_callers_mistake_is_no_error_of_the_server(exporter: InMemorySpanExporter) -> None:
    """The code is told; the span doesn't count as failed."""
    async with serving(traces=_ENDPOINT) as (_, stubs):
        await failure(stubs.briefs.CreateBrief(request("")))

    call = _call(exporter)
    assert (call.attributes or {})["rpc.response.status_code"] == "INVALID_ARGUMENT"
    assert call.status.status_code is StatusCode.UNSET


async def test_a_fault_within_is_an_error(exporter: InMemorySpanExporter) -> None:
    """An unforeseen exception fails the span, which tells nothing of its text."""

    def fail(text: str) -> str:
        if "Köln" in text:
            raise RuntimeError(text)
        return text  # as the warm-up must

    async with serving(FakeBackend(fail), traces=_ENDPOINT) as (_, stubs):
        await failure(stubs.briefs.CreateBrief(request()))

    call = _call(exporter)
    assert (call.attributes or {})["rpc.response.status_code"] == "INTERNAL"
    assert (call.attributes or {})["error.type"] == "INTERNAL"
    assert call.status.status_code is StatusCode.ERROR
    assert call.status.description is None
    assert call.events == ()


async def test_a_call_whose_deadline_passes_is_an_error(
    exporter: InMemorySpanExporter,
) -> None:
    """Such a call is cancelled; its span ends all the same, with the code that the caller got."""
    backend = FakeBackend(str.upper)
    async with serving(backend, traces=_ENDPOINT) as (server, stubs):
        with held(backend):
            await failure(stubs.briefs.CreateBrief(request(), timeout=0.5))
            await server._calls.idle.wait()

    assert (_call(exporter).attributes or {})["rpc.response.status_code"] == "DEADLINE_EXCEEDED"


async def test_no_span_holds_text_or_a_token(exporter: InMemorySpanExporter) -> None:
    """Neither the release, its title and its id, nor the caller's token is sent off."""
    token = "s3cret"  # noqa: S105 - of this test alone
    right = (("authorization", f"Bearer {token}"),)
    wrong = (("authorization", f"Bearer {token}-too"),)
    asked = request(GERMAN, id_="Aktenzeichen-7", title="Vertraulicher Titel")
    async with serving(traces=_ENDPOINT, token=token) as (_, stubs):
        await stubs.briefs.CreateBrief(asked, metadata=right)
        await failure(stubs.briefs.CreateBrief(asked, metadata=wrong))

    sent = "".join(span.to_json() for span in exporter.get_finished_spans()).lower()
    assert "unauthenticated" in sent
    for secret in (token, "köln", "k\\u00f6ln", "brücke", "rhein", "aktenzeichen", "titel"):
        assert secret not in sent


async def test_health_checks_are_not_traced(exporter: InMemorySpanExporter) -> None:
    """A probe every few seconds would drown the rest."""
    async with serving(traces=_ENDPOINT) as (_, stubs):
        assert await stubs.is_serving("")

    assert exporter.get_finished_spans() == ()


class _Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes spans, or holds them up for ever."""

    def __init__(self, *, stuck: bool) -> None:
        self.names: list[str] = []
        self.resource: dict[str, str] = {}
        self.asked = asyncio.Event()
        self._stuck = stuck

    async def Export(
        self, request: trace_service_pb2.ExportTraceServiceRequest, context: object
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        """Take spans."""
        del context
        self.asked.set()
        if self._stuck:
            await asyncio.Event().wait()
        for spans in request.resource_spans:
            pairs = spans.resource.attributes
            self.resource = {pair.key: pair.value.string_value for pair in pairs}
            self.names += [span.name for scope in spans.scope_spans for span in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()


@asynccontextmanager
async def _collecting(*, stuck: bool = False) -> AsyncIterator[tuple[_Collector, str]]:
    """Run a collector; gives it and its endpoint."""
    collector, server = _Collector(stuck=stuck), grpc.aio.server()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield collector, f"http://127.0.0.1:{port}"
    finally:
        await server.stop(None)


async def test_all_spans_have_arrived_when_the_server_has_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The end sends off what waits, by OTLP, under the name that the environment gives."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    async with _collecting() as (collector, endpoint), serving(traces=endpoint) as (server, stubs):
        await stubs.briefs.CreateBrief(request())
        await server.stop()

    assert collector.names == [*_STAGES, _CREATE_BRIEF]
    assert collector.resource["service.name"] == "depesche"
    assert collector.resource["deployment.environment.name"] == "test"


async def test_a_collector_that_hangs_does_not_hold_up_the_end() -> None:
    """Spans that nobody takes are dropped when the time for them is over."""
    async with _collecting(stuck=True) as (collector, endpoint):
        async with serving(traces=endpoint, drain_seconds=0) as (server, stubs):
            await stubs.briefs.CreateBrief(request())
            async with asyncio.timeout(5):  # OpenTelemetry's own limit is 30 seconds
                await server.stop()
        assert collector.asked.is_set()


def test_nothing_of_opentelemetry_is_loaded_unless_asked_for() -> None:
    """A server without traces neither needs OpenTelemetry nor waits for it."""
    script = (
        "import asyncio, sys\n"
        "from tests.rpc.support import request, serving\n"
        "async def main():\n"
        "    async with serving() as (_, stubs):\n"
        "        await stubs.briefs.CreateBrief(request())\n"
        "asyncio.run(main())\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)

    assert done.stdout.decode().splitlines()[-1] == "[]"


async def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for traces without OpenTelemetry learns what to install."""
    monkeypatch.delitem(sys.modules, "depesche.server.tracing")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)

    with pytest.raises(ConfigurationError, match=r"^traces: .*`pip install 'depesche\[tracing\]'`"):
        Server(local_settings(traces=_ENDPOINT))


@pytest.mark.parametrize(
    "wrong",
    ["localhost:4317", "ftp://a:1", "http://", "http://user:pass@a:1", "http://a:1/v1/traces"],
)
def test_a_wrong_endpoint_is_refused(wrong: str) -> None:
    """OpenTelemetry would take each of these and send nothing, or not where it seems to."""
    with pytest.raises(ConfigurationError, match=r"^traces: must be http://HOST:PORT") as caught:
        load_settings(traces=wrong)

    assert "pass" not in str(caught.value)


@pytest.mark.parametrize("right", ["http://a:1", "https://a.b", "http://[::1]:4317/"])
def test_a_right_endpoint_is_taken(right: str) -> None:
    """TLS or not, by name or by address."""
    assert load_settings(traces=right).traces == right


def test_an_empty_endpoint_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is set to nothing leaves traces off."""
    monkeypatch.setenv("DEPESCHE_TRACES", "")

    assert load_settings().traces is None
