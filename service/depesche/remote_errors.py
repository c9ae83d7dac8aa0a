"""From the status of a remote call back to the error that it stands for."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2

from depesche.errors import (
    DeadlineExceeded,
    DepescheError,
    FeatureUnavailable,
    InvalidRequest,
    LanguageUncertain,
    LoadError,
    ModelUnknown,
    QueueFull,
    RequestError,
    ShuttingDown,
    Unauthenticated,
    Violation,
)

__all__ = ["from_call", "from_status"]

_DETAILS = "grpc-status-details-bin"
_RETRY_AFTER = 1.0

_Detail = TypeVar("_Detail", bound=Message)


def from_call(error: grpc.aio.AioRpcError) -> DepescheError:
    """Read the error that a failed call stands for."""
    for key, value in error.trailing_metadata():
        if key == _DETAILS and isinstance(value, bytes):
            return from_status(status_pb2.Status.FromString(value))
    number = error.code().value[0]
    return from_status(status_pb2.Status(code=number, message=error.details() or ""))
