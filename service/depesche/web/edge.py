"""The JSON edge: paths of HTTP that stand for the methods of the service.

It only maps: a request becomes a message, the service answers by gRPC, and the reply or the error
becomes JSON. Rules, limits and metrics are the service's.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc.aio
from starlette.responses import Response
from starlette.routing import Route

from depesche.web.calls import Caller
from depesche.web.events import Events, unless_gone
from depesche.web.refusals import of_call
from depesche.web.requests import read_message
from depesche.web.resources import Endpoint, Exchange, Resource, nothing
from depesche.web.rules import Rule, rules
from depesche.web.transcode import to_json

__all__ = ["routes"]

_PREFIX = "/v1"
_DOCUMENT_PATH = "/v1/openapi.json"
_OPENAPI = Path(__file__).with_name("openapi.json")


def routes(
    caller: Caller,
    *,
    max_body_bytes: int = 4 * 1024 * 1024,
    body_seconds: float = 30.0,
    keep_alive_seconds: float = 15.0,
) -> list[Route]:
    """Make the routes of everything under `/v1`.

    Args:
        caller: the way to the service.
        max_body_bytes: most bytes of a request.
        body_seconds: longest time that a request's body may take to come.
        keep_alive_seconds: after how long a silence a stream of events gets a comment.
    """
    edge = _Edge(caller, max_body_bytes, body_seconds, keep_alive_seconds)
    resources: dict[str, dict[str, Endpoint]] = {}
    for rule in rules():
        endpoint = edge.stream(rule) if rule.method.server_streaming else edge.unary(rule)
        resources.setdefault(rule.path, {})[rule.verb] = endpoint
    return [
        *(Route(path, Resource(endpoints)) for path, endpoints in resources.items()),
        Route(_DOCUMENT_PATH, Resource({"GET": _document(_OPENAPI.read_bytes())})),
        Route(_PREFIX, nothing),
        Route(_PREFIX + "/{path:path}", nothing),
    ]


@dataclass(frozen=True, slots=True)
class _Edge:
    """Makes the endpoints of methods."""

    caller: Caller
    max_body_bytes: int
    body_seconds: float
    keep_alive_seconds: float

    def unary(self, rule: Rule) -> Endpoint:
        """Make the endpoint of a method with one reply."""
        method: Any = self.caller.channel.unary_unary(
            rule.full_method, rule.request_type.SerializeToString
        )

        async def endpoint(exchange: Exchange) -> None:
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

    def stream(self, rule: Rule) -> Endpoint:
        """Make the endpoint of a method with a stream of replies, which become events."""
        method: Any = self.caller.channel.unary_stream(
            rule.full_method, rule.request_type.SerializeToString
        )

        async def endpoint(exchange: Exchange) -> None:
            call = await self._call(method, rule, exchange)
            events = Events(call, rule.response_name, exchange.send, self.keep_alive_seconds)
            try:
                await unless_gone(events.send_all(exchange.headers), exchange.request.receive)
            finally:
                call.cancel()

        return endpoint

    async def _call(self, method: Any, rule: Rule, exchange: Exchange) -> Any:
        options = self.caller.options(exchange)
        message = await read_message(exchange.request, rule, self.max_body_bytes, self.body_seconds)
        return method(message, **options)


def _document(content: bytes) -> Endpoint:
    async def endpoint(exchange: Exchange) -> None:
        headers = dict(exchange.headers)
        await exchange.answer(Response(content, 200, headers, "application/json"))

    return endpoint
