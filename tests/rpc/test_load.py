"""A busy server, over the wire: deadlines, callers that go away, a full queue."""

import asyncio
import re

import pytest
from grpc import StatusCode
from grpc.aio import AioRpcError

from depesche.v1 import brief_pb2
from tests.rpc.support import (
    GERMAN,
    WatchedBackend,
    failure,
    page_with,
    queued,
    request,
    scrape,
    serving,
)
from tests.support import held


async def test_a_deadline_that_passes_in_the_queue_costs_nothing() -> None:
    """The caller is told in time, and what waited for it never runs."""
    backend = WatchedBackend()
    async with serving(backend) as (server, stubs):
        await backend.batches(1)  # the warm-up
        with held(backend):
            first = stubs.briefs.CreateBrief(request())
            await backend.batches(1)
            late = await failure(stubs.briefs.CreateBrief(request("Spät. " + GERMAN), timeout=0.5))
        await first
        await stubs.briefs.CreateBrief(request())
        page = await asyncio.to_thread(scrape, server)

    assert late.code is StatusCode.DEADLINE_EXCEEDED
    assert not any("Spät." in text for batch in backend.history for text in batch)
    dropped = re.findall(r"depesche_dropped_segments_total\{.*\} ([0-9.]+)", page)
    assert sum(map(float, dropped)) > 0
    assert 'code="DEADLINE_EXCEEDED",method="depesche.v1.BriefService/CreateBrief"} 1.0' in page


async def test_a_deadline_that_has_passed_starts_nothing() -> None:
    """A call without time left ends at once."""
    backend = WatchedBackend()
    async with serving(backend) as (_, stubs):
        late = await failure(stubs.briefs.CreateBrief(request(), timeout=1e-6))

    assert late.code is StatusCode.DEADLINE_EXCEEDED
    assert len(backend.history) == 1  # the warm-up


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_caller_that_goes_away_frees_its_place(*, streaming: bool) -> None:
    """What waits for a cancelled call is dropped, and the next caller isn't kept waiting."""
    backend = WatchedBackend()
    async with serving(backend) as (server, stubs):
        await backend.batches(1)
        with held(backend):
            first = stubs.briefs.CreateBrief(request())
            await backend.batches(1)
            text = request("Fort. " + GERMAN)
            if streaming:
                gone = stubs.briefs.StreamBrief(brief_pb2.StreamBriefRequest(release=text.release))
                assert (await gone.read()).HasField("started")
            else:
                gone = stubs.briefs.CreateBrief(text)
            await queued(server, 5)
            gone.cancel()
            await page_with(server, 'code="CANCELLED"')
        await first
        await stubs.briefs.CreateBrief(request())
        page = await asyncio.to_thread(scrape, server)

    assert not any("Fort." in text for batch in backend.history for text in batch)
    assert 'depesche_dropped_segments_total{reason="cancelled"} 5.0' in page
    assert "depesche_requests_in_flight 0.0" in page


async def test_a_full_queue_refuses_at_once() -> None:
    """A caller is told when to come again, in words, as a detail, and for its own retries."""
    backend = WatchedBackend()
    async with serving(backend, queue_segments=1) as (server, stubs):
        await backend.batches(1)
        with held(backend):
            running = stubs.briefs.CreateBrief(request())
            await backend.batches(1)
            waiting = stubs.briefs.CreateBrief(request())
            await queued(server, 4)
            refused = await failure(stubs.briefs.CreateBrief(request()))
        await asyncio.gather(running, waiting)
        page = await asyncio.to_thread(scrape, server)

    assert refused.code is StatusCode.RESOURCE_EXHAUSTED
    assert refused.reason == "QueueFull"
    assert refused.retry_after >= 1
    assert int(refused.metadata["grpc-retry-pushback-ms"]) == refused.retry_after * 1000
    assert 'depesche_rejected_total{reason="queue_full"} 1.0' in page


async def test_a_crash_of_the_model_is_one_call_s_trouble() -> None:
    """An error inside gives INTERNAL with an id, and the next call works."""

    def translate(text: str) -> str:
        if "Absturz" in text:
            raise ValueError(text)
        return text

    backend = WatchedBackend(translate)
    async with serving(backend) as (_, stubs):
        failed = await failure(stubs.briefs.CreateBrief(request("Absturz! " + GERMAN)))
        await stubs.briefs.CreateBrief(request())

    assert failed.code is StatusCode.INTERNAL
    assert failed.message == f"internal error; request id {failed.metadata['x-request-id']}"
    assert not failed.details.details


async def test_a_stream_reports_errors_after_it_began() -> None:
    """A stream that fails midway ends with the status, after what was sent."""

    def translate(text: str) -> str:
        if "Rhein" in text:
            raise ValueError(text)
        return text

    async with serving(WatchedBackend(translate), batch_tokens=1) as (_, stubs):
        call = stubs.briefs.StreamBrief(brief_pb2.StreamBriefRequest(release=request().release))
        events = aiter(call)
        first = await anext(events)
        with pytest.raises(AioRpcError, match="internal error; request id"):
            _ = [event async for event in events]

    assert first.HasField("started")
