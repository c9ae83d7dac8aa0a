"""Errors as HTTP tells them: a status line, and a `google.rpc.Status` as the body."""

import math
from collections.abc import Mapping
from types import MappingProxyType

import grpc
import grpc.aio
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from starlette.responses import Response

from depesche.errors import InvalidRequest, Violation
from depesche.server.status import to_status
from depesche.web.transcode import to_json

__all__ = ["HTTP_STATUSES", "Refusal", "invalid", "of_call"]

_DETAILS = "grpc-status-details-bin"

HTTP_STATUSES: Mapping[int, int] = MappingProxyType(
    {
        code_pb2.OK: 200,
        code_pb2.CANCELLED: 499,
        code_pb2.UNKNOWN: 500,
        code_pb2.INVALID_ARGUMENT: 400,
        code_pb2.DEADLINE_EXCEEDED: 504,
        code_pb2.NOT_FOUND: 404,
        code_pb2.ALREADY_EXISTS: 409,
        code_pb2.PERMISSION_DENIED: 403,
        code_pb2.UNAUTHENTICATED: 401,
        code_pb2.RESOURCE_EXHAUSTED: 429,
        code_pb2.FAILED_PRECONDITION: 400,
        code_pb2.ABORTED: 409,
        code_pb2.OUT_OF_RANGE: 400,
        code_pb2.UNIMPLEMENTED: 501,
        code_pb2.INTERNAL: 500,
        code_pb2.UNAVAILABLE: 503,
        code_pb2.DATA_LOSS: 500,
    }
)
"""Status of HTTP by gRPC's code, as google/rpc/code.proto has them."""


class Refusal(Exception):
    """A request that fails.

    Attributes:
        status: the body of the answer.
        http: its status of HTTP.
        headers: its headers besides those that every refusal has.
    """

    def __init__(
        self, status: Status, http: int = 0, headers: Mapping[str, str] | None = None
    ) -> None:
        """Refuse.

        Args:
            status: the body of the answer.
            http: its status of HTTP; by default the one of the status's code.
            headers: its headers.
        """
        super().__init__(status.message)
        self.status = status
        self.http = http or HTTP_STATUSES.get(status.code, 500)
        self.headers = {**_headers(status), **(headers or {})}

    @property
    def body(self) -> str:
        """The status as JSON."""
        return to_json(self.status.SerializeToString(), Status.DESCRIPTOR.full_name)

    def response(self, headers: Mapping[str, str] | None = None) -> Response:
        """Make the answer, with some more headers."""
        return Response(
            self.body,
            self.http,
            {"cache-control": "no-store", **self.headers, **(headers or {})},
            "application/json",
        )


def invalid(*violations: Violation, http: int = 400) -> Refusal:
    """Refuse a request whose fields break rules, as the service would."""
    return Refusal(to_status(InvalidRequest(violations), ""), http)


def of_call(error: grpc.aio.AioRpcError) -> Refusal:
    """Tell how a call has failed."""
    code = error.code().value[0]
    http = HTTP_STATUSES[code]
    for key, value in error.trailing_metadata():
        if key == _DETAILS:
            return Refusal(Status.FromString(value), http)
    if code == code_pb2.UNAVAILABLE:
        # gRPC's own words tell addresses that aren't the client's business.
        return Refusal(Status(code=code, message="the service can't be reached"), http)
    return Refusal(Status(code=code, message=error.details() or ""), http)


def _headers(status: Status) -> dict[str, str]:
    if status.code == code_pb2.UNAUTHENTICATED:
        return {"www-authenticate": "Bearer"}
    retry = RetryInfo()
    if any(detail.Unpack(retry) for detail in status.details):
        return {
            "retry-after": str(max(1, math.ceil(retry.retry_delay.ToTimedelta().total_seconds())))
        }
    return {}
