"""Replies of a streaming call as server-sent events, and calls that end with their clients."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

import grpc.aio
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Send

from depesche.web.refusals import of_call
from depesche.web.transcode import to_json

__all__ = ["Events", "unless_gone"]

_T = TypeVar("_T")


class Events:
    """The replies of a call as server-sent events, as Envoy writes them."""

    def __init__(self, call: Any, kind: str, send: Send, keep_alive_seconds: float) -> None:
        """Begin to tell of a call.

        Args:
            call: the call, whose replies come as bytes.
            kind: full name of the replies' type.
            send: the way to the client.
            keep_alive_seconds: after how long a silence a comment is sent.
        """
        self._call = call
        self._kind = kind
        self._send = send
        self._keep_alive_seconds = keep_alive_seconds

    async def send_all(self, headers: Mapping[str, str]) -> None:
        """Send an answer with some headers and all events.

        Raises:
            Refusal: the call failed before its first reply; nothing was sent. A later failure is an
                event of its own.
        """
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise of_call(error) from None
        await self._start(headers)
        try:
            while message is not grpc.aio.EOF:
                await self._write(f"data: {to_json(message, self._kind)}\n\n")
                message = await self._next()
        except grpc.aio.AioRpcError as error:
            await self._write(f"event: error\ndata: {of_call(error).body}\n\n")
        await self._write("", more=False)

    async def _next(self) -> Any:
        reading = asyncio.ensure_future(self._call.read())
        try:
            while not (await asyncio.wait({reading}, timeout=self._keep_alive_seconds))[0]:
                await self._write(": \n\n")
            return reading.result()
        finally:
            reading.cancel()

    async def _start(self, headers: Mapping[str, str]) -> None:
        own = {"content-type": "text/event-stream", "x-accel-buffering": "no"}
        raw = [(name.encode(), value.encode()) for name, value in {**headers, **own}.items()]
        await self._send({"type": "http.response.start", "status": 200, "headers": raw})

    async def _write(self, text: str, *, more: bool = True) -> None:
        body = {"type": "http.response.body", "body": text.encode(), "more_body": more}
        await self._send(body)


async def unless_gone(work: Awaitable[_T], receive: Receive) -> _T:
    """Wait for some work; if the client goes away first, end it.

    Raises:
        ClientDisconnect: the client has gone.
    """
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientDisconnect
    finally:
        working.cancel()
        gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
