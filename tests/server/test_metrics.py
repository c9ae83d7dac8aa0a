import socket
from urllib.request import urlopen

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from depesche.errors import ConfigurationError, QueueFull
from depesche.inference.observer import DropReason, Observer, QueueStatistics
from depesche.server.metrics import Exposition, Metrics
from depesche.types import Language, Timings

_CONTRACT = """
depesche_requests_total depesche_request_seconds depesche_requests_in_flight depesche_stage_seconds
depesche_queue_segments depesche_queue_tokens depesche_queue_oldest_seconds
depesche_queue_wait_seconds depesche_batch_segments depesche_batch_tokens depesche_tokens_total
depesche_model_busy_seconds_total depesche_rejected_total depesche_dropped_segments_total
depesche_flags_total depesche_briefs_total depesche_model_info depesche_build_info
process_resident_memory_bytes
"""


def _page(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


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
    observer.batch_started("m", 3, 60, 0.2)
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
    """Ends of calls, refusals, stages and briefs arrive under their labels."""
    metrics = Metrics()
    metrics.finished("depesche.v1.BriefService/CreateBrief", "OK", 0.3)
    metrics.unknown_method()
    metrics.rejected(QueueFull("full", 1))
    metrics.timed(Timings({"translate": 0.1}))
    metrics.briefed(Language.KHMER)
    page = _page(metrics)

    method = 'method="depesche.v1.BriefService/CreateBrief"'
    assert f'depesche_requests_total{{code="OK",{method}}} 1.0' in page
    assert f"depesche_request_seconds_sum{{{method}}} 0.3" in page
    assert 'depesche_requests_total{code="UNIMPLEMENTED",method="unknown"} 1.0' in page
    assert 'depesche_rejected_total{reason="queue_full"} 1.0' in page
    assert 'depesche_stage_seconds_sum{stage="translate"} 0.1' in page
    assert 'depesche_briefs_total{language="km"} 1.0' in page


def test_queues_are_read_when_the_page_is() -> None:
    """The gauges show the moment of the scrape; a priority that doesn't wait shows 0."""
    metrics = Metrics()
    state = {"m": QueueStatistics({"bulk": 4}, 80, 2.5)}
    metrics.watch_queues(lambda: state)
    before = _page(metrics)
    state["m"] = QueueStatistics({}, 0, 0.0)

    assert 'depesche_queue_segments{model="m",priority="bulk"} 4.0' in before
    assert 'depesche_queue_segments{model="m",priority="interactive"} 0.0' in before
    assert 'depesche_queue_oldest_seconds{model="m"} 2.5' in before
    assert 'depesche_queue_tokens{model="m"} 0.0' in _page(metrics)


def test_buckets_span_a_millisecond_to_two_minutes() -> None:
    """A long release on a slow machine still falls into a bucket."""
    metrics = Metrics()
    metrics.finished("m", "OK", 119.0)
    page = _page(metrics)

    assert 'depesche_request_seconds_bucket{le="0.001",method="m"} 0.0' in page
    assert 'depesche_request_seconds_bucket{le="120.0",method="m"} 1.0' in page


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
