"""The JSON edge: paths of HTTP that stand for the methods of the service.

It only maps: a request becomes a message, the service answers by gRPC, and the reply or the error
becomes JSON. Rules, limits and metrics are the service's.
"""

import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from depesche.errors import Violation
from depesche.web.events import Events, unless_gone
from depesche.web.refusals import Refusal, invalid, of_call
from depesche.web.requests import read_message
from depesche.web.rules import Rule, rules
from depesche.web.transcode import to_json

__all__ = ["routes"]

_PREFIX = "/v1"
_DOCUMENT_PATH = "/v1/openapi.json"
_OPENAPI = Path(__file__).with_name("openapi.json")
_REQUEST_ID = "x-request-id"
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PRINTABLE = re.compile(r"[ -~]+")
_TIMEOUT = re.compile(r"(\d{1,8})([HMSmun])", re.ASCII)
_UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_LONGEST_SECONDS = 24 * 3600.0


def routes(
    channel: grpc.aio.Channel,
    *,
    token: str = "",
    timeout: float = 300.0,
    max_body_bytes: int = 4 * 1024 * 1024,
    body_seconds: float = 30.0,
    keep_alive_seconds: float = 15.0,
) -> list[Route]:
    """Make the routes of everything under `/v1`.

    Args:
        channel: the way to the service.
        token: the service's token for requests that bring none; "" for none.
        timeout: seconds that a call may take whose request doesn't say it in `grpc-timeout`.
        max_body_bytes: most bytes of a request.
        body_seconds: longest time that a request's body may take to come.
        keep_alive_seconds: after how long a silence a stream of events gets a comment.
    """
    edge = _Edge(channel, token, timeout, max_body_bytes, body_seconds, keep_alive_seconds)
    resources: dict[str, dict[str, _Endpoint]] = {}
    for rule in rules():
        endpoint = edge.stream(rule) if rule.method.server_streaming else edge.unary(rule)
        resources.setdefault(rule.path, {})[rule.verb] = endpoint
    return [
        *(Route(path, _Resource(endpoints)) for path, endpoints in resources.items()),
        Route(_DOCUMENT_PATH, _Resource({"GET": _document(_OPENAPI.read_bytes())})),
        Route(_PREFIX, _Resource({})),
        Route(_PREFIX + "/{path:path}", _Resource({})),
    ]


@dataclass(frozen=True, slots=True)
class _Exchange:
    """A request and the way back."""

    request: Request
    send: Send
    id: str
    headers: Mapping[str, str] = field(default_factory=dict)

    async def answer(self, response: Response) -> None:
        await response(self.request.scope, self.request.receive, self.send)


_Endpoint = Callable[[_Exchange], Awaitable[None]]


def _document(content: bytes) -> _Endpoint:
    async def endpoint(exchange: _Exchange) -> None:
        headers = dict(exchange.headers)
        await exchange.answer(Response(content, 200, headers, "application/json"))

    return endpoint


class _Resource:
    """What a path stands for, as an ASGI application."""

    def __init__(self, endpoints: Mapping[str, _Endpoint]) -> None:
        self._endpoints = dict(endpoints)
        if "GET" in endpoints:
            self._endpoints["HEAD"] = endpoints["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        given = request.headers.get(_REQUEST_ID, "")
        id_ = given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
        exchange = _Exchange(request, send, id_, {_REQUEST_ID: id_, "cache-control": "no-store"})
        try:
            await self._endpoint(request.method)(exchange)
        except Refusal as refusal:
            await exchange.answer(refusal.response(exchange.headers))
        except ClientDisconnect:
            pass  # nobody is there to be answered

    def _endpoint(self, verb: str) -> _Endpoint:
        if not self._endpoints:
            raise Refusal(Status(code=code_pb2.NOT_FOUND, message="there is nothing at this path"))
        if verb not in self._endpoints:
            allowed = ", ".join(self._endpoints)
            status = Status(code=code_pb2.UNIMPLEMENTED, message=f"this path takes {allowed}")
            raise Refusal(status, 405, {"allow": allowed})
        return self._endpoints[verb]


@dataclass(frozen=True, slots=True)
class _Edge:
    """Makes the endpoints of methods."""

    channel: grpc.aio.Channel
    token: str
    timeout: float
    max_body_bytes: int
    body_seconds: float
    keep_alive_seconds: float

    def unary(self, rule: Rule) -> _Endpoint:
        """Make the endpoint of a method with one reply."""
        method: Any = self.channel.unary_unary(
            rule.full_method, rule.request_type.SerializeToString
        )

        async def endpoint(exchange: _Exchange) -> None:
            call = await self._call(method, rule, exchange)
            try:
                reply = await unless_gone(call, exchange.request.receive)
            except grpc.aio.AioRpcError as error:
                raise of_call(error) from None
            finally:
                call.cancel()
            headers = dict(exchange.headers)
            await exchange.answer(
                Response(to_json(reply, rule.response_name), 200, headers, "application/json")
            )

        return endpoint

    def stream(self, rule: Rule) -> _Endpoint:
        """Make the endpoint of a method with a stream of replies, which become events."""
        method: Any = self.channel.unary_stream(
            rule.full_method, rule.request_type.SerializeToString
        )

        async def endpoint(exchange: _Exchange) -> None:
            call = await self._call(method, rule, exchange)
            events = Events(call, rule.response_name, exchange.send, self.keep_alive_seconds)
            try:
                await unless_gone(events.send_all(exchange.headers), exchange.request.receive)
            finally:
                call.cancel()

        return endpoint

    async def _call(self, method: Any, rule: Rule, exchange: _Exchange) -> Any:
        timeout = self._timeout(exchange.request)
        metadata = self._metadata(exchange)
        message = await read_message(exchange.request, rule, self.max_body_bytes, self.body_seconds)
        return method(message, timeout=timeout, metadata=metadata)

    def _timeout(self, request: Request) -> float:
        given = request.headers.get("grpc-timeout")
        if given is None:
            return self.timeout
        found = _TIMEOUT.fullmatch(given)
        if found is None:
            rule = "must be a whole number and one of H, M, S, m, u, n, such as 30S"
            raise invalid(Violation("grpc-timeout", rule))
        return min(int(found[1]) * _UNITS[found[2]], _LONGEST_SECONDS)

    def _metadata(self, exchange: _Exchange) -> list[tuple[str, str]]:
        given = exchange.request.headers.get("authorization", "")
        if given and not _PRINTABLE.fullmatch(given):
            raise invalid(Violation("authorization", "must be printable ASCII"))
        authorization = given or (f"Bearer {self.token}" if self.token else "")
        metadata = [(_REQUEST_ID, exchange.id)]
        return [*metadata, ("authorization", authorization)] if authorization else metadata
