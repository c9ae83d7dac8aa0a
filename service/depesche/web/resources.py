"""What a path stands for: its methods of HTTP, and how a request for it is answered or refused."""

import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from depesche.server.status import REQUEST_ID_KEY
from depesche.web.refusals import Refusal

__all__ = ["Endpoint", "Exchange", "Resource", "nothing"]

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and the way back.

    Attributes:
        request: the request.
        send: the way back.
        id: the request's id.
        headers: what every answer to it says.
    """

    request: Request
    send: Send
    id: str
    headers: Mapping[str, str] = field(default_factory=dict)

    async def answer(self, response: Response) -> None:
        """Send the answer."""
        await response(self.request.scope, self.request.receive, self.send)


Endpoint = Callable[[Exchange], Awaitable[None]]
"""Answers the requests of one method; raises `Refusal`, or `ClientDisconnect` for who has gone."""


class Resource:
    """What a path stands for, as an ASGI application."""

    def __init__(self, endpoints: Mapping[str, Endpoint]) -> None:
        """Take the endpoints by their methods of HTTP; without one there is nothing at the path."""
        self._endpoints = dict(endpoints)
        if "GET" in endpoints:
            self._endpoints["HEAD"] = endpoints["GET"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        given = request.headers.get(REQUEST_ID_KEY, "")
        id_ = given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
        exchange = Exchange(request, send, id_, {REQUEST_ID_KEY: id_, "cache-control": "no-store"})
        try:
            await self._endpoint(request.method)(exchange)
        except Refusal as refusal:
            await exchange.answer(refusal.response(exchange.headers))
        except ClientDisconnect:
            pass  # nobody is there to be answered

    def _endpoint(self, verb: str) -> Endpoint:
        if not self._endpoints:
            raise Refusal(Status(code=code_pb2.NOT_FOUND, message="there is nothing at this path"))
        if verb not in self._endpoints:
            allowed = ", ".join(self._endpoints)
            status = Status(code=code_pb2.UNIMPLEMENTED, message=f"this path takes {allowed}")
            raise Refusal(status, 405, {"allow": allowed})
        return self._endpoints[verb]


nothing = Resource({})
"""Stands at paths at which there is nothing."""
