"""Every metric of the service, declared once: what is exposed is what docs/metrics.md says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from grpc import StatusCode

from depesche.errors import DepescheError
from depesche.inference.observer import DropReason
from depesche.server.status import CODES
from depesche.types import FindingKind, Language, Priority
from depesche.v1 import brief_pb2, fidelity_pb2, model_pb2, summarisation_pb2, translation_pb2

__all__ = [
    "INTERNAL_ERROR",
    "METRICS",
    "PROCESS_METRICS",
    "UNKNOWN_METHOD",
    "Label",
    "Metric",
    "reason_of",
]

INTERNAL_ERROR = "internal_error"
"""Stands for every error that nobody raised on purpose, whatever its class."""

UNKNOWN_METHOD = "unknown"
"""Stands for every method that there isn't: its name comes from the caller."""


@dataclass(frozen=True, slots=True)
class Label:
    """One label; its values never come from a caller.

    Attributes:
        name: its name.
        meaning: what it tells; part of a sentence.
        values: all that it can be, or none where the installation decides.
    """

    name: str
    meaning: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: its name, as exposed.
        kind: its type.
        help: what one sample of it is, with the unit; a sentence.
        use: what an operator does with it; a sentence.
        labels: its labels, in order.
        buckets: upper bounds of a histogram's buckets, in its unit.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    use: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()


def reason_of(error: type[DepescheError]) -> str:
    """Give the value of the label `reason` for a class of errors, such as `queue_full`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", error.__name__).lower()


def _methods() -> Iterator[str]:
    for file in (brief_pb2, translation_pb2, summarisation_pb2, fidelity_pb2, model_pb2):
        for service in file.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                yield f"{service.full_name}/{method.name}"


_METHOD = Label("method", "RPC", (*_methods(), UNKNOWN_METHOD))
_CODE = Label("code", "gRPC status code", tuple(code.name for code in StatusCode))
_REASON = Label(
    "reason",
    "class of the error, or a fault of the service",
    (*(reason_of(cls) for cls in CODES), INTERNAL_ERROR),
)
_DROP = Label("reason", "why it wasn't worth running", tuple(DropReason))
_STAGE = Label("stage", "step of a brief", ("read", "translate", "decode_again", "summarise"))
_KIND = Label("kind", "what is wrong", tuple(FindingKind))
_LANGUAGE = Label("language", "language of the release", tuple(Language))
_MODEL = Label("model", "the model's name in the manifest")
_PRIORITY = Label("priority", "whether a person waits", tuple(Priority))
_DIRECTION = Label("direction", "read or written", ("source", "target"))
_REVISION = Label("revision", "the model's revision in the manifest")
_QUANTISATION = Label("quantisation", "the compute type in use")
_RESULT = Label("result", "how it ended", ("done", "failed"))
_VERSION = Label("version", "the version of the service")

_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300)
_SEGMENTS = tuple(2.0**n for n in range(10))
_TOKENS = tuple(2.0**n for n in range(3, 14))


def _counter(name: str, text: str, use: str, *labels: Label) -> Metric:
    return Metric(name, "counter", text, use, labels)


def _gauge(name: str, text: str, use: str, *labels: Label) -> Metric:
    return Metric(name, "gauge", text, use, labels)


def _seconds(name: str, text: str, use: str, *labels: Label) -> Metric:
    return Metric(name, "histogram", text, use, labels, _SECONDS)


def _sizes(name: str, text: str, use: str, buckets: tuple[float, ...], *labels: Label) -> Metric:
    return Metric(name, "histogram", text, use, labels, buckets)


METRICS: tuple[Metric, ...] = (
    _counter(
        "depesche_requests_total",
        "Calls that have ended, with whatever status.",
        "Watch its rate, and the share of INTERNAL and UNKNOWN, which are faults of the service.",
        _METHOD,
        _CODE,
    ),
    _seconds(
        "depesche_request_seconds",
        "Seconds from the start of a call to its end.",
        "Watch its quantiles by method; a feed lasts as long as its caller keeps it open.",
        _METHOD,
    ),
    _gauge(
        "depesche_requests_in_flight",
        "Calls that are under way now.",
        "Compare replicas: very different numbers mean that clients don't balance their calls.",
    ),
    _counter(
        "depesche_rejected_total",
        "Calls, and single releases of feeds, that ended in an error.",
        "Scale out when `queue_full` grows; ask the caller when `invalid_request` does; read the "
        "log when `internal_error` does.",
        _REASON,
    ),
    _seconds(
        "depesche_stage_seconds",
        "Seconds that one stage of a finished release took, waiting for workers included.",
        "See where a slow brief spends its time; the count of `read` is that of releases.",
        _STAGE,
    ),
    _gauge(
        "depesche_queue_segments",
        "Segments that wait for a worker now.",
        "Scale out while `interactive` stays above zero; `bulk` may wait.",
        _MODEL,
        _PRIORITY,
    ),
    _gauge(
        "depesche_queue_tokens",
        "Source tokens that wait for a worker now.",
        "Compare it with the rate of source tokens; `depesche_queue_seconds` does so itself.",
        _MODEL,
    ),
    _gauge(
        "depesche_queue_seconds",
        "Seconds that the workers will take for what waits now, by their rate of the last minute.",
        "Scale out by it, `interactive` first: it is how long a new call waits, whatever calls are "
        "made of.",
        _MODEL,
        _PRIORITY,
    ),
    _gauge(
        "depesche_queue_oldest_seconds",
        "Seconds that the oldest waiting segment has waited so far; 0 if none waits.",
        "Watch for growth without end: the queue doesn't move.",
        _MODEL,
    ),
    _seconds(
        "depesche_queue_wait_seconds",
        "Seconds that a batch, or some sentences to be encoded, waited for a place on the CPU.",
        "Scale by its upper quantiles, not by CPU, which is full long before a queue builds.",
        _MODEL,
    ),
    _sizes(
        "depesche_batch_segments",
        "Segments in one batch.",
        "Expect it to grow with the load; batches of one use the CPU badly.",
        _SEGMENTS,
        _MODEL,
    ),
    _sizes(
        "depesche_batch_tokens",
        "Source tokens in one batch, with padding and times the width of its beam.",
        "Compare it with DEPESCHE_BATCH_TOKENS, the budget of a batch.",
        _TOKENS,
        _MODEL,
    ),
    _counter(
        "depesche_tokens_total",
        "Tokens that a model read or wrote, without padding.",
        "Its rate is the throughput, and what capacity is planned by.",
        _MODEL,
        _DIRECTION,
    ),
    _counter(
        "depesche_model_busy_seconds_total",
        "Seconds that workers spent on batches, summed over the workers.",
        "Divide the rate of all models together by the places that they share, which is any one's "
        "`depesche_model_workers`, for the utilisation, from 0 to 1.",
        _MODEL,
    ),
    _gauge(
        "depesche_model_workers",
        "Batches that a model can run at once.",
        "Check that it is what the CPU quota allows.",
        _MODEL,
    ),
    _counter(
        "depesche_dropped_segments_total",
        "Segments that were taken out of the queue before they ran.",
        "Many of `deadline` mean that callers allow less time than the queue takes.",
        _DROP,
    ),
    _counter(
        "depesche_flags_total",
        "Findings of the fidelity checks in the sentences of finished releases.",
        "Divide it by `depesche_sentences_total`; a jump means other texts or a worse model.",
        _KIND,
    ),
    _counter(
        "depesche_sentences_total",
        "Sentences of releases that were finished.",
        "Compare findings and languages by it; findings are most frequent in `km`.",
        _LANGUAGE,
    ),
    _counter(
        "depesche_briefs_total",
        "Briefs that were finished.",
        "Watch its rate: it is what the service is for.",
        _LANGUAGE,
    ),
    _seconds(
        "depesche_event_loop_lag_seconds",
        "Seconds by which the event loop was late for a moment; there are ten a second.",
        "Watch its upper quantiles: whatever blocks the loop makes calls and probes wait as well.",
    ),
    _gauge(
        "depesche_model_info",
        "1 for each model that is loaded.",
        "A replica without it isn't ready; replicas that differ run different models.",
        _MODEL,
        _REVISION,
        _QUANTISATION,
    ),
    _counter(
        "depesche_reloads_total",
        "Reloads of the models that have ended.",
        "Read the log when `failed` grows: the models of before still run.",
        _RESULT,
    ),
    _gauge(
        "depesche_build_info",
        "1 from the start of the process on.",
        "See which versions run.",
        _VERSION,
    ),
)
"""The service's own metrics, in the order of docs/metrics.md."""

PROCESS_METRICS: tuple[Metric, ...] = (
    _gauge(
        "process_resident_memory_bytes",
        "Resident memory size in bytes.",
        "Compare it with the container's memory limit.",
    ),
    _gauge(
        "process_start_time_seconds",
        "Start time of the process since unix epoch in seconds.",
        "Changes of it are restarts.",
    ),
)
"""Those of the Prometheus client about the process that an operator needs; there are more."""
