"""What the tests of the web share: an edge on a loopback port, and a service that they script."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import httpx2
import uvicorn
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from starlette.applications import Starlette
from starlette.types import ASGIApp

from depesche.channel import Connection
from depesche.web.calls import Caller
from depesche.web.edge import routes

Context = grpc.aio.ServicerContext[Any, Any]
Script = Callable[[bytes, Context], Awaitable[None]]
"""Takes a request, and writes replies or ends the call with a status."""


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an application by HTTP on a free loopback port; gives its HOST:PORT."""
    config = uvicorn.Config(app, port=0, log_level="error", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.005)
    try:
        host, port = server.servers[0].sockets[0].getsockname()
        yield f"{host}:{port}"
    finally:
        server.should_exit = server.force_exit = True
        await running


@asynccontextmanager
async def edge(
    service: str,
    wrap: Callable[[ASGIApp], ASGIApp] = lambda app: app,
    *,
    token: str = "",
    timeout: float = 300.0,  # noqa: ASYNC109 - of the edge's calls
    **options: Any,
) -> AsyncIterator[httpx2.AsyncClient]:
    """Run an edge before a service, and connect to it by HTTP."""
    async with Connection(target=service, health_checks=False, retries=False).open() as channel:
        app = wrap(Starlette(routes=routes(Caller(channel, token, timeout), **options)))
        async with (
            listening(app) as address,
            httpx2.AsyncClient(base_url=f"http://{address}", timeout=30) as client,
        ):
            yield client


class _Scripted(grpc.GenericRpcHandler):
    """Answers each method by its script, whatever the kind of the method is."""

    def __init__(self, scripts: Mapping[str, Script]) -> None:
        self._scripts = scripts

    def service(self, call: grpc.HandlerCallDetails) -> Any:
        """Find the handler of a call; called by gRPC."""
        script = self._scripts.get(call.method.rpartition("/")[2])
        return None if script is None else grpc.unary_stream_rpc_method_handler(script)


@asynccontextmanager
async def scripted(**scripts: Script) -> AsyncIterator[str]:
    """Run a service of scripts, by names of methods; gives its address."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers([_Scripted(scripts)])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


def replies(*messages: Message, status: Status | None = None) -> Script:
    """Make a script that sends messages, and then ends with a status, if there is one."""

    async def script(request: bytes, context: Context) -> None:
        del request
        for message in messages:
            await context.write(message.SerializeToString())
        if status is not None:
            await abort(context, status)

    return script


async def abort(context: Context, status: Status) -> None:
    """End a call with a status and its details, as the service does."""
    code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
    details = (("grpc-status-details-bin", status.SerializeToString()),)
    await context.abort(code, status.message, details)


def full(seconds: float = 1.5) -> Status:
    """Make the status of a full service."""
    retry = RetryInfo()
    retry.retry_delay.FromMilliseconds(round(seconds * 1000))
    details: Sequence[Message] = (ErrorInfo(reason="QueueFull", domain="depesche"), retry)
    status = Status(code=8, message="the queue is full")
    for detail in details:
        status.details.add().Pack(detail)
    return status


def violations(answer: httpx2.Response) -> dict[str, str]:
    """Give the fields that an answer finds wrong, and the rules."""
    found = [d for d in answer.json()["details"] if d["@type"].endswith("BadRequest")]
    return {v["field"]: v["description"] for d in found for v in d["fieldViolations"]}
