"""From the status of a remote call back to the error that it stands for."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import grpc.aio
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
    RequestError,
    ShuttingDown,
    Unauthenticated,
    Violation,
)

__all__ = ["from_call", "from_status"]

_DETAILS = "grpc-status-details-bin"
_RETRY_AFTER = 1.0
_LANGUAGE_UNSUPPORTED = re.compile(r"'(.*)' is not supported; supported are (.*)")
_MODEL_UNKNOWN = re.compile(r"no model is named '(.*)'")


def from_call(error: grpc.aio.AioRpcError) -> DepescheError:
    """Read the error that a failed call stands for."""
    for key, value in error.trailing_metadata():
        if key == _DETAILS:
            return from_status(status_pb2.Status.FromString(value))
    code = error.code().value[0]
    return from_status(status_pb2.Status(code=code, message=error.details() or ""))


def from_status(status: status_pb2.Status) -> DepescheError:
    """Read the error that a status stands for (`google.rpc.Status` with its error details)."""
    failure = _Failure.read(status)
    return _BY_CODE.get(status.code, _other)(failure)


@dataclass(frozen=True, slots=True)
class _Failure:
    """A status with its details taken apart."""

    code: int
    message: str
    reason: str
    violations: tuple[Violation, ...]
    retry_after: float

    @classmethod
    def read(cls, status: status_pb2.Status) -> "_Failure":
        info = error_details_pb2.ErrorInfo()
        bad = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        for detail in status.details:
            for message in (info, bad, retry):
                detail.Unpack(message)
        waits = retry.HasField("retry_delay")
        return cls(
            code=status.code,
            message=status.message,
            reason=info.reason,
            violations=tuple(Violation(v.field, v.description) for v in bad.field_violations),
            retry_after=retry.retry_delay.ToTimedelta().total_seconds() if waits else _RETRY_AFTER,
        )


def _invalid(failure: _Failure) -> RequestError:
    violations = failure.violations or (Violation("request", failure.message),)
    if failure.reason == LanguageUncertain.__name__:
        return LanguageUncertain(violations[0].description)
    return InvalidRequest(violations)


def _unavailable_here(failure: _Failure) -> RequestError:
    if not failure.violations:
        return RequestError(failure.message)
    first = failure.violations[0]
    if found := _LANGUAGE_UNSUPPORTED.fullmatch(first.description):
        return LanguageUnsupported(found[1], found[2].split(", "))
    return FeatureUnavailable(first.field, first.description)


def _not_found(failure: _Failure) -> RequestError:
    descriptions = "".join(violation.description for violation in failure.violations)
    found = _MODEL_UNKNOWN.fullmatch(descriptions)
    return ModelUnknown(found[1]) if found else RequestError(failure.message)


def _unreachable(failure: _Failure) -> LoadError:
    for kind in (NotReady, ShuttingDown):
        if failure.reason == kind.__name__:
            return kind(failure.message)
    return LoadError(f"the service can't be reached: {failure.message}")


def _other(failure: _Failure) -> DepescheError:
    return DepescheError(f"the service failed: {failure.message}")


_BY_CODE: Mapping[int, Callable[[_Failure], DepescheError]] = MappingProxyType(
    {
        code_pb2.INVALID_ARGUMENT: _invalid,
        code_pb2.FAILED_PRECONDITION: _unavailable_here,
        code_pb2.NOT_FOUND: _not_found,
        code_pb2.UNAUTHENTICATED: lambda failure: Unauthenticated(failure.message),
        code_pb2.RESOURCE_EXHAUSTED: lambda failure: QueueFull(
            failure.message, failure.retry_after
        ),
        code_pb2.DEADLINE_EXCEEDED: lambda failure: DeadlineExceeded(failure.message),
        code_pb2.UNAVAILABLE: _unreachable,
    }
)
