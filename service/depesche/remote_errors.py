"""From the status of a remote call back to the error that it stands for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2

from depesche.errors import (
    DeadlineExceeded,
    DepescheError,
    FeatureUnavailable,
    InvalidRequest,
    LanguageUncertain,
    LanguageUnsupported,
    LoadError,
    ModelUnknown,
    NotReady,
    QueueFull,
    QuotaExceeded,
    ReloadFailed,
    RequestError,
    ShuttingDown,
    Unauthenticated,
    Violation,
)
from depesche.server.status import CLIENT, DOMAIN, REQUEST_ID_KEY

__all__ = ["WRITE_FAILED", "from_call", "from_status"]

_DETAILS = "grpc-status-details-bin"
# What gRPC says in place of a status where a stream was cut off: by a proxy whose server has died,
# and where a write of its own was first to find out (`_call.py` of grpc.aio). The code is INTERNAL
# or UNKNOWN, by which it would look like a fault that comes again.
WRITE_FAILED = "Internal error from Core"
_CUT_OFF = ("RST_STREAM", WRITE_FAILED)
_FAULTS = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)
_RETRY_AFTER = 1.0

_Error = TypeVar("_Error", bound=RequestError)


def from_call(error: Any) -> DepescheError:
    """Read the error that a failed call stands for.

    Args:
        error: the `grpc.RpcError` of either kind of channel; both tell code, details and metadata,
            of which the common base class knows nothing.
    """
    metadata = dict(error.trailing_metadata() or ())
    read = _from_metadata(metadata) or _from_code(error.code(), error.details() or "")
    read.request_id = metadata.get(REQUEST_ID_KEY, "")
    return read


def _from_metadata(metadata: Mapping[str, Any]) -> DepescheError | None:
    details = metadata.get(_DETAILS)
    return None if details is None else from_status(status_pb2.Status.FromString(details))


def _from_code(code: grpc.StatusCode, message: str) -> DepescheError:
    if code in _FAULTS and any(words in message for words in _CUT_OFF):
        return LoadError(f"the connection was lost: {message}")
    return from_status(status_pb2.Status(code=code.value[0], message=message))


def from_status(status: status_pb2.Status) -> DepescheError:
    """Read the error that a status stands for (`google.rpc.Status` with its error details).

    The service's own statuses tell the class of their error. Others, such as a proxy's, have one
    by their code.
    """
    failure = _Failure.read(status)
    read = _BY_REASON.get(failure.reason) or _BY_CODE.get(status.code, _other)
    return read(failure)


@dataclass(frozen=True, slots=True)
class _Failure:
    """A status with its details taken apart; without a reason, it isn't the service's own."""

    message: str
    reason: str
    metadata: Mapping[str, str]
    violations: tuple[Violation, ...]
    retry_after: float
    client: str

    @classmethod
    def read(cls, status: status_pb2.Status) -> "_Failure":
        info = error_details_pb2.ErrorInfo()
        bad = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        quota = error_details_pb2.QuotaFailure()
        for detail in status.details:
            for message in (info, bad, retry, quota):
                detail.Unpack(message)
        waits = retry.HasField("retry_delay")
        return cls(
            message=status.message,
            reason=info.reason if info.domain == DOMAIN else "",
            metadata=dict(info.metadata),
            violations=tuple(Violation(v.field, v.description) for v in bad.field_violations),
            retry_after=retry.retry_delay.ToTimedelta().total_seconds() if waits else _RETRY_AFTER,
            client=next((v.subject.removeprefix(CLIENT) for v in quota.violations), ""),
        )


def _as_sent(error: _Error, failure: _Failure) -> _Error:
    """Give an error the words and the field paths that the service sent."""
    error.violations = failure.violations
    error.args = (failure.message,)
    return error


def _invalid(failure: _Failure) -> RequestError:
    violations = failure.violations or (Violation("request", failure.message),)
    return InvalidRequest(violations)


def _unsupported(failure: _Failure) -> RequestError:
    return _as_sent(LanguageUnsupported(failure.metadata.get("language", ""), ()), failure)


def _refused(failure: _Failure) -> DepescheError:
    return DepescheError(f"the service refused: {failure.message}")


def _other(failure: _Failure) -> DepescheError:
    return DepescheError(f"the service failed: {failure.message}")


_BY_REASON: Mapping[str, Callable[[_Failure], DepescheError]] = MappingProxyType(
    {
        "InvalidRequest": _invalid,
        "LanguageUncertain": lambda failure: _as_sent(LanguageUncertain(""), failure),
        "LanguageUnsupported": _unsupported,
        "FeatureUnavailable": lambda failure: _as_sent(FeatureUnavailable("", ""), failure),
        "ModelUnknown": lambda failure: _as_sent(ModelUnknown(""), failure),
        "Unauthenticated": lambda failure: Unauthenticated(failure.message),
        "ReloadFailed": lambda failure: ReloadFailed(failure.message),
        "QueueFull": lambda failure: QueueFull(failure.message, failure.retry_after),
        "QuotaExceeded": lambda failure: QuotaExceeded(
            failure.message, failure.retry_after, failure.client
        ),
        "DeadlineExceeded": lambda failure: DeadlineExceeded(failure.message),
        "NotReady": lambda failure: NotReady(failure.message),
        "ShuttingDown": lambda failure: ShuttingDown(failure.message),
    }
)
_BY_CODE: Mapping[int, Callable[[_Failure], DepescheError]] = MappingProxyType(
    {
        code_pb2.INVALID_ARGUMENT: _invalid,
        code_pb2.FAILED_PRECONDITION: lambda failure: RequestError(failure.message),
        code_pb2.NOT_FOUND: lambda failure: RequestError(failure.message),
        code_pb2.UNAUTHENTICATED: lambda failure: Unauthenticated(failure.message),
        # Too large a message, or a proxy's limit: whether it helps to try again, nobody knows.
        code_pb2.RESOURCE_EXHAUSTED: _refused,
        code_pb2.DEADLINE_EXCEEDED: lambda failure: DeadlineExceeded(failure.message),
        code_pb2.UNAVAILABLE: lambda failure: LoadError(
            f"the service can't be reached: {failure.message}"
        ),
    }
)
