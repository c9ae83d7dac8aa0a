"""One table: which gRPC status each error of Depesche becomes."""

from collections.abc import Iterator

from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, QuotaFailure, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode

from depesche import errors
from depesche.errors import (
    DepescheError,
    LanguageUnsupported,
    QueueFull,
    QuotaExceeded,
    RequestError,
)

__all__ = [
    "CLIENT",
    "CODES",
    "DOMAIN",
    "REQUEST_ID_KEY",
    "code_of",
    "to_status",
    "trailing_metadata",
]

DOMAIN = "depesche"
"""Domain of the `google.rpc.ErrorInfo` in every status."""

CLIENT = "client:"
"""What stands before a client's name as the subject of a `google.rpc.QuotaFailure`."""

REQUEST_ID_KEY = "x-request-id"
"""Name of a call's id in the metadata of both sides."""

CODES: dict[type[DepescheError], StatusCode] = {
    errors.InvalidRequest: StatusCode.INVALID_ARGUMENT,
    errors.LanguageUncertain: StatusCode.INVALID_ARGUMENT,
    errors.LanguageUnsupported: StatusCode.FAILED_PRECONDITION,
    errors.FeatureUnavailable: StatusCode.FAILED_PRECONDITION,
    errors.ModelUnknown: StatusCode.NOT_FOUND,
    errors.Unauthenticated: StatusCode.UNAUTHENTICATED,
    errors.QueueFull: StatusCode.RESOURCE_EXHAUSTED,
    errors.QuotaExceeded: StatusCode.RESOURCE_EXHAUSTED,
    errors.DeadlineExceeded: StatusCode.DEADLINE_EXCEEDED,
    errors.NotReady: StatusCode.UNAVAILABLE,
    errors.ShuttingDown: StatusCode.UNAVAILABLE,
    errors.ReloadFailed: StatusCode.FAILED_PRECONDITION,
    errors.ConfigurationError: StatusCode.INTERNAL,
    errors.ModelError: StatusCode.INTERNAL,
}
"""Status code by class of error."""

# Trailing metadata are limited to 8 KiB by default in most implementations.
_MAX_VIOLATIONS = 20


def code_of(error: BaseException) -> StatusCode:
    """Give the status code of an error; INTERNAL for one that nobody raised on purpose."""
    codes = (CODES[cls] for cls in type(error).__mro__ if cls in CODES)
    return next(codes, StatusCode.INTERNAL)


def to_status(error: BaseException, request_id: str) -> Status:
    """Write an error as a `google.rpc.Status` with its details.

    What the caller can't mend becomes INTERNAL with the request's id for the operator, and no more:
    the text of an unforeseen exception might hold text of the release.
    """
    code = code_of(error)
    if code is StatusCode.INTERNAL:
        return Status(code=_number(code), message=f"internal error; request id {request_id}")
    details = [_packed(detail) for detail in _details(error)]
    return Status(code=_number(code), message=str(error), details=details)


def trailing_metadata(error: BaseException, status: Status) -> list[tuple[str, str | bytes]]:
    """Give the metadata that carry a status, and the push-back of a full queue or a used-up quota.

    The push-back tells a client's own retries when to come again (gRPC proposal A6).
    """
    metadata: list[tuple[str, str | bytes]] = [
        ("grpc-status-details-bin", status.SerializeToString())
    ]
    if isinstance(error, QueueFull | QuotaExceeded):
        metadata.append(("grpc-retry-pushback-ms", str(round(error.retry_after * 1000))))
    return metadata


def _details(error: BaseException) -> Iterator[Message]:
    metadata = {"language": error.language} if isinstance(error, LanguageUnsupported) else {}
    yield ErrorInfo(reason=type(error).__name__, domain=DOMAIN, metadata=metadata)
    if isinstance(error, RequestError) and error.violations:
        yield BadRequest(
            field_violations=[
                BadRequest.FieldViolation(field=v.field, description=v.description)
                for v in error.violations[:_MAX_VIOLATIONS]
            ]
        )
    if isinstance(error, QuotaExceeded):
        violation = QuotaFailure.Violation(subject=CLIENT + error.client, description=str(error))
        yield QuotaFailure(violations=[violation])
    if isinstance(error, QueueFull | QuotaExceeded):
        retry = RetryInfo()
        retry.retry_delay.FromMilliseconds(round(error.retry_after * 1000))
        yield retry


def _packed(message: Message) -> Any:
    packed = Any()
    packed.Pack(message)
    return packed


def _number(code: StatusCode) -> int:
    number: int = code.value[0]
    return number
