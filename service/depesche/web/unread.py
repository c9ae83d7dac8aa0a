"""What becomes of a request's body that nobody reads, because the request was refused.

uvicorn would take it to its end, which may never come. To hang up at once is no way either: a
client that still sends may never see the answer. So a little is read and thrown away, and then the
connection ends with the answer.
"""

import asyncio
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Unread"]

_BYTES = 1024 * 1024
_SECONDS = 1.0


class Unread:
    """Ends connections on which a body is still to come when its answer goes out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(receive, Headers(scope=scope))

        async def send_closing(message: Message) -> None:
            if message["type"] == "http.response.start" and not await body.is_over():
                MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        await self._app(scope, body.receive, send_closing)


class _Body:
    """A body, as it is read."""

    def __init__(self, receive: Receive, headers: Headers) -> None:
        self._receive = receive
        self._is_over = not {"content-length", "transfer-encoding"} & set(headers)
        # The client waits for a word before it sends anything, and an answer is one.
        self._waits = "expect" in headers

    async def receive(self) -> Any:
        """Give the next message; what the application calls."""
        self._waits = False
        message = await self._receive()
        self._is_over = not message.get("more_body", False)
        return message

    async def is_over(self) -> bool:
        """Tell whether all of it was read, once a little more was."""
        if not self._waits:
            await self._read_on()
        return self._is_over

    async def _read_on(self) -> None:
        left = _BYTES
        try:
            async with asyncio.timeout(_SECONDS):
                while not self._is_over and left > 0:
                    left -= len((await self.receive()).get("body", b""))
        except TimeoutError:
            pass  # it stays unread
