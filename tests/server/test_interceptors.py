"""The interceptors around a servicer that misbehaves; the rest is tested over the wire in rpc/."""
# ruff: noqa: N802 - the contract names its RPCs

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc import StatusCode

from depesche.server.interceptors import CallInterceptor, DecodingInterceptor
from depesche.server.metrics import Metrics
from depesche.v1 import brief_pb2, brief_pb2_grpc
from tests.rpc.support import Stubs, failure, request
from tests.server.logs import captured_logs


class _Servicer(brief_pb2_grpc.BriefServiceServicer):
    """Does in both methods what the test asks."""

    def __init__(self, behaviour: Callable[[], Awaitable[None]]) -> None:
        self._behaviour = behaviour

    async def CreateBrief(self, request: Any, context: Any) -> brief_pb2.CreateBriefResponse:
        del request, context
        await self._behaviour()
        return brief_pb2.CreateBriefResponse()

    async def StreamBrief(
        self, request: Any, context: Any
    ) -> AsyncIterator[brief_pb2.StreamBriefResponse]:
        del request, context
        yield brief_pb2.StreamBriefResponse()
        await self._behaviour()


@asynccontextmanager
async def _serving(
    behaviour: Callable[[], Awaitable[None]],
) -> AsyncIterator[tuple[CallInterceptor, Stubs]]:
    calls = CallInterceptor(Metrics())
    server = grpc.aio.server(interceptors=[calls, DecodingInterceptor(1000)])
    brief_pb2_grpc.add_BriefServiceServicer_to_server(_Servicer(behaviour), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield calls, Stubs(channel)
    finally:
        await server.stop(None)


async def _last(call: Any) -> Any:
    """Read a stream to its end."""
    return [event async for event in call][-1]


async def test_a_cancellation_from_within_does_not_hang_the_caller() -> None:
    """When something that a call waits for is cancelled, its caller gets an answer."""

    async def behaviour() -> None:
        raise asyncio.CancelledError

    async with _serving(behaviour) as (_, stubs):
        unary = await failure(stubs.briefs.CreateBrief(request(), timeout=10))
        asked = brief_pb2.StreamBriefRequest()
        stream = await failure(_last(stubs.briefs.StreamBrief(asked, timeout=10)))

    assert unary.code is stream.code is StatusCode.INTERNAL


@pytest.mark.parametrize(("seconds", "code"), [(30.0, "CANCELLED"), (0.55, "DEADLINE_EXCEEDED")])
async def test_a_call_cancelled_at_its_deadline_was_late(seconds: float, code: str) -> None:
    """A call may be cancelled shortly before its deadline; the log says what that meant."""
    began, ended = asyncio.Event(), asyncio.Event()

    async def behaviour() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with captured_logs() as lines:
        async with _serving(behaviour) as (calls, stubs):
            call = stubs.briefs.CreateBrief(request(), timeout=seconds)
            await began.wait()
            await asyncio.sleep(0.5)
            call.cancel()
            await ended.wait()
            await calls.idle.wait()
        (line,) = [line for line in lines() if line["event"] == "call"]

    assert line["code"] == code


@pytest.mark.parametrize("streaming", [False, True])
async def test_calls_that_are_cut_off_are_told_to_go_elsewhere(*, streaming: bool) -> None:
    """A call that the server gives up ends with UNAVAILABLE, and then none is under way."""
    began = asyncio.Event()

    async def behaviour() -> None:
        began.set()
        await asyncio.Event().wait()

    async with _serving(behaviour) as (calls, stubs):
        if streaming:
            call = _last(stubs.briefs.StreamBrief(brief_pb2.StreamBriefRequest()))
        else:
            call = stubs.briefs.CreateBrief(request())
        waiting = asyncio.ensure_future(failure(call))
        await began.wait()
        assert not calls.idle.is_set()
        calls.cut_off()
        failed = await waiting
        await calls.idle.wait()

    assert failed.code is StatusCode.UNAVAILABLE
    assert failed.reason == "ShuttingDown"
