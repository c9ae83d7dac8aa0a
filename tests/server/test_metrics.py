import asyncio
import re
import shutil
import socket
import subprocess
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from depesche.engine import ModelState, ModelStatus
from depesche.errors import ConfigurationError, QueueFull
from depesche.inference.observer import DropReason, Observer, QueueStatistics
from depesche.server.catalogue import METRICS, PROCESS_METRICS, reason_of
from depesche.server.metrics import Exposition, Metrics
from depesche.server.servicers import SERVICES
from depesche.server.status import CODES
from depesche.types import (
    BlockKind,
    Decoding,
    Finding,
    FindingKind,
    Language,
    Origin,
    Sentence,
    Span,
    Timings,
    Translation,
)
from depesche.v1 import brief_pb2, model_pb2, summarisation_pb2, translation_pb2
from tests.rpc.support import ENGLISH, failure, request, scrape, serving

_CONTRACT = """
depesche_requests_total depesche_request_seconds depesche_requests_in_flight depesche_stage_seconds
depesche_queue_segments depesche_queue_tokens depesche_queue_oldest_seconds
depesche_queue_seconds
depesche_queue_wait_seconds depesche_batch_segments depesche_batch_tokens depesche_tokens_total
depesche_model_busy_seconds_total depesche_rejected_total depesche_dropped_segments_total
depesche_flags_total depesche_briefs_total depesche_event_loop_lag_seconds depesche_model_info
depesche_build_info
process_resident_memory_bytes
"""


def _page(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def _busy_metrics() -> Metrics:
    """Give metrics in which every one has a value."""
    metrics = Metrics()
    metrics.finished("depesche.v1.BriefService/CreateBrief", "OK", 0.3)
    metrics.unknown_method()
    metrics.rejected(QueueFull("full", 1))
    metrics.rejected(ValueError("text of a release"))
    sentence = Sentence(0, "a", BlockKind.PARAGRAPH, 0, Origin.TEXT, Span(0, 1), "a")
    findings = (Finding(FindingKind.LENGTH, "is short"),) * 2
    translation = Translation(sentence, "a", -0.1, Decoding.GREEDY, findings)
    metrics.translated([translation], Timings({"translate": 0.1}))
    metrics.sentences(Language.KHMER, 7)
    metrics.briefed(Language.KHMER)
    status = ModelStatus(
        "m", "translation", "1", ("de",), "MIT", "0", "int8", 1, ModelState.READY, ()
    )
    metrics.models_loaded([status])
    metrics.workers("m", 2)
    metrics.watch_queues(lambda: {"m": QueueStatistics({"bulk": 4}, 80, 2.5, {"bulk": 1.5})})
    metrics.waited("m", 0.2)
    metrics.batch_started("m", 3, 60)
    metrics.batch_finished("m", 1.5)
    metrics.tokens("m", "target", 42)
    metrics.dropped(DropReason.DEADLINE, 5)
    metrics.lagged(0.03)
    return metrics


def test_every_metric_of_the_contract_is_there() -> None:
    """Names and nothing but names are fixed from the first scrape."""
    metrics = Metrics()
    metrics.watch_queues(dict)
    declared = {
        line.split()[2] for line in _page(metrics).splitlines() if line.startswith("# TYPE")
    }

    assert set(_CONTRACT.split()) <= declared
    assert not [name for name in declared if name.endswith("_created")]


def test_what_inference_does_is_measured() -> None:
    """Batches, tokens, busy time and drops arrive under their labels."""
    metrics = Metrics()
    observer: Observer = metrics
    observer.waited("m", 0.2)
    observer.batch_started("m", 3, 60)
    observer.batch_finished("m", 1.5)
    observer.tokens("m", "target", 42)
    observer.dropped(DropReason.DEADLINE, 5)
    page = _page(metrics)

    assert 'depesche_queue_wait_seconds_bucket{le="0.25",model="m"} 1.0' in page
    assert 'depesche_queue_wait_seconds_bucket{le="0.1",model="m"} 0.0' in page
    assert 'depesche_batch_segments_sum{model="m"} 3.0' in page
    assert 'depesche_batch_tokens_sum{model="m"} 60.0' in page
    assert 'depesche_model_busy_seconds_total{model="m"} 1.5' in page
    assert 'depesche_tokens_total{direction="target",model="m"} 42.0' in page
    assert 'depesche_dropped_segments_total{reason="deadline"} 5.0' in page


def test_what_becomes_of_calls_is_measured() -> None:
    """Ends of calls, refusals, stages, findings and briefs arrive under their labels."""
    page = _page(_busy_metrics())

    method = 'method="depesche.v1.BriefService/CreateBrief"'
    assert f'depesche_requests_total{{code="OK",{method}}} 1.0' in page
    assert f"depesche_request_seconds_sum{{{method}}} 0.3" in page
    assert 'depesche_requests_total{code="UNIMPLEMENTED",method="unknown"} 1.0' in page
    assert 'depesche_rejected_total{reason="queue_full"} 1.0' in page
    assert 'depesche_rejected_total{reason="internal_error"} 1.0' in page
    assert 'depesche_stage_seconds_sum{stage="translate"} 0.1' in page
    assert 'depesche_flags_total{kind="length"} 2.0' in page
    assert 'depesche_sentences_total{language="km"} 7.0' in page
    assert 'depesche_briefs_total{language="km"} 1.0' in page


def test_what_runs_is_shown() -> None:
    """Models that are loaded, and how many batches they run at once."""
    page = _page(_busy_metrics())

    assert 'depesche_model_info{model="m",quantisation="int8",revision="1"} 1.0' in page
    assert 'depesche_model_workers{model="m"} 2.0' in page


def test_the_page_is_what_is_declared() -> None:
    """Names, types, help and labels of a parsed page are those of the documentation."""
    shown = {
        (family.name, family.type, family.documentation, _labels(family.samples))
        for family in text_string_to_metric_families(_page(_busy_metrics()))
    }
    own = {family for family in shown if family[0].startswith("depesche_")}

    assert own == {
        (m.name.removesuffix("_total"), m.kind, m.help, tuple(sorted(x.name for x in m.labels)))
        for m in METRICS
    }
    assert {(m.name, m.kind, m.help, ()) for m in PROCESS_METRICS} <= shown


def _labels(samples: list[Sample]) -> tuple[str, ...]:
    return tuple(sorted({name for sample in samples for name in sample.labels} - {"le"}))


def test_documentation_is_whole_sentences() -> None:
    """What a metric is and what to do with it are sentences, and fit a row of a table."""
    for metric in METRICS + PROCESS_METRICS:
        for text in (metric.help, metric.use):
            assert text.endswith(".")
            assert "|" not in text


def test_first_events_are_increases() -> None:
    """A series that begins at 1 shows Prometheus no increase, so those known begin at 0."""
    page = _page(Metrics())

    assert all(f'depesche_rejected_total{{reason="{reason_of(c)}"}} 0.0' in page for c in CODES)
    assert all(f'depesche_flags_total{{kind="{kind}"}} 0.0' in page for kind in FindingKind)
    assert 'depesche_dropped_segments_total{reason="shutdown"} 0.0' in page
    assert 'depesche_sentences_total{language="ru"} 0.0' in page


def test_methods_of_all_services_are_declared() -> None:
    """A service that is added is documented."""
    methods = {f"{s.full_name}/{m.name}" for s in SERVICES for m in s.methods}
    (declared,) = (x for x in METRICS[0].labels if x.name == "method")

    assert set(declared.values) == methods | {"unknown"}


async def test_labels_hold_nothing_of_a_caller_s() -> None:
    """After calls of every service, good and bad, labels have declared values only."""
    translate = translation_pb2.TranslateRequest(release=request().release)
    hostile = request("x", id_="canary", title="canary", language="canary")
    async with serving() as (server, stubs):
        await stubs.briefs.CreateBrief(request(), metadata=(("x-request-id", "canary"),))
        await stubs.translation.Translate(translate)
        await stubs.summarisation.Summarise(summarisation_pb2.SummariseRequest(text=ENGLISH))
        await failure(stubs.briefs.CreateBrief(hostile))
        await failure(stubs.models.GetModel(model_pb2.GetModelRequest(name="canary")))
        await failure(stubs.channel.unary_unary("/canary/Canary")(b""))
        await failure(stubs.channel.unary_unary("/depesche.v1.BriefService/CreateBrief")(b"canary"))
        feed = brief_pb2.BriefReleasesRequest(release=hostile.release)
        _ = [reply async for reply in stubs.briefs.BriefReleases(iter([feed]))]
        page = await asyncio.to_thread(scrape, server)

    closed = {(m.name, x.name): x.values for m in METRICS for x in m.labels if x.values}
    samples = [s for f in text_string_to_metric_families(page) for s in f.samples]
    for sample in samples:
        base = re.sub(r"_(bucket|sum|count)$", "", sample.name)
        for label, value in sample.labels.items():
            assert value in closed.get((base, label), (value,))
    assert "canary" not in page.lower()
    assert any(s.name == "depesche_requests_total" for s in samples)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool isn't installed")
def test_prometheus_finds_no_fault_with_the_page() -> None:
    """Names, types and units follow Prometheus' conventions, as its own tool sees them."""
    command = ["promtool", "check", "metrics"]
    page = _page(_busy_metrics())
    checked = subprocess.run(command, input=page, capture_output=True, text=True, check=False)

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_queues_are_read_when_the_page_is() -> None:
    """The gauges show the moment of the scrape; a priority that doesn't wait shows 0."""
    metrics = Metrics()
    state = {"m": QueueStatistics({"bulk": 4}, 80, 2.5, {"bulk": 1.5})}
    metrics.watch_queues(lambda: state)
    before = _page(metrics)
    state["m"] = QueueStatistics({}, 0, 0.0, {})

    assert 'depesche_queue_segments{model="m",priority="bulk"} 4.0' in before
    assert 'depesche_queue_segments{model="m",priority="interactive"} 0.0' in before
    assert 'depesche_queue_seconds{model="m",priority="bulk"} 1.5' in before
    assert 'depesche_queue_seconds{model="m",priority="interactive"} 0.0' in before
    assert 'depesche_queue_oldest_seconds{model="m"} 2.5' in before
    assert 'depesche_queue_tokens{model="m"} 0.0' in _page(metrics)


def test_buckets_span_a_millisecond_to_five_minutes() -> None:
    """A long release on a slow machine still falls into a bucket."""
    metrics = Metrics()
    metrics.finished("m", "OK", 299.0)
    page = _page(metrics)

    assert 'depesche_request_seconds_bucket{le="0.001",method="m"} 0.0' in page
    assert 'depesche_request_seconds_bucket{le="120.0",method="m"} 0.0' in page
    assert 'depesche_request_seconds_bucket{le="300.0",method="m"} 1.0' in page


def test_exposition_ends() -> None:
    """The page is served on a free port, and no longer once it is closed."""
    exposition = Exposition(Metrics().registry, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{exposition.port}/metrics"
    with urlopen(url, timeout=5) as page:
        assert b"depesche_build_info" in page.read()
    exposition.close()

    with pytest.raises(OSError, match="refused"), urlopen(url, timeout=5):
        pass


def test_a_port_in_use_names_the_setting() -> None:
    """Two servers on one port is a fault of the configuration."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"^metrics: can't listen on 127.0.0.1:{port}"):
            Exposition(CollectorRegistry(), "127.0.0.1", port)
