"""A busy server, over the wire: deadlines, callers that go away, a full queue, shared batches."""

import asyncio
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest
from grpc import StatusCode
from grpc.aio import AioRpcError

from depesche.inference.backend import Hypothesis
from depesche.v1 import brief_pb2, types_pb2
from tests.rpc.support import (
    GERMAN,
    ONE_SENTENCE,
    WatchedBackend,
    failure,
    page_with,
    queued,
    request,
    scrape,
    serving,
)
from tests.support import held, slow_down


async def test_a_deadline_that_passes_in_the_queue_costs_nothing() -> None:
    """The caller is told in time, and what waited for it never runs."""
    backend = WatchedBackend()
    async with serving(backend) as (server, stubs):
        await backend.batches(1)  # the warm-up
        with held(backend):
            first = stubs.briefs.CreateBrief(request())
            await backend.batches(1)
            late = await failure(stubs.briefs.CreateBrief(request("Spät. " + GERMAN), timeout=2))
        await first
        await stubs.briefs.CreateBrief(request())
        page = await asyncio.to_thread(scrape, server)

    assert late.code is StatusCode.DEADLINE_EXCEEDED
    assert not any("Spät." in text for batch in backend.history for text in batch)
    dropped = dict(re.findall(r'dropped_segments_total\{reason="(.*)"\} ([0-9.]+)', page))
    assert float(dropped.pop("deadline")) > 0
    assert set(dropped.values()) == {"0.0"}
    assert 'code="DEADLINE_EXCEEDED",method="depesche.v1.BriefService/CreateBrief"} 1.0' in page


async def test_a_deadline_that_has_passed_starts_nothing() -> None:
    """A call without time left ends at once."""
    backend = WatchedBackend()
    async with serving(backend) as (_, stubs):
        late = await failure(stubs.briefs.CreateBrief(request(), timeout=1e-6))

    assert late.code is StatusCode.DEADLINE_EXCEEDED
    assert len(backend.history) == 1  # the warm-up


_LAST = GERMAN.rpartition(". ")[2]
"""The shortest segment but one: the shortest goes first, and then the longest."""


class _Stuck(WatchedBackend):
    """A backend that doesn't come back from the segment of `GERMAN` that is decoded last."""

    def __init__(self) -> None:
        super().__init__(self._translate)
        self._freed = threading.Event()

    def _translate(self, text: str) -> str:
        if text == _LAST:
            self._freed.wait()
        return text

    @contextmanager
    def freed(self) -> Iterator[None]:
        """Let it come back at the end of the block."""
        try:
            yield
        finally:
            self._freed.set()


async def test_an_incomplete_brief_tells_what_is_missing() -> None:
    """Near the deadline a caller that allows it gets what is done, and where the rest stands."""
    asked = request()
    asked.options.allow_incomplete = True
    backend = _Stuck()
    async with serving(backend, batch_tokens=1) as (_, stubs):
        with backend.freed():
            brief = (await stubs.briefs.CreateBrief(asked, timeout=1.5)).brief
            refused = await failure(stubs.briefs.CreateBrief(request(), timeout=0.5))

    (missing,) = brief.missing
    assert brief.incomplete
    assert (missing.index, missing.source) == (3, _LAST)
    for sentence in (missing, *brief.translation):
        span = sentence.source_span
        assert GERMAN[span.start : span.end] == sentence.source
    assert [t.index for t in brief.translation] == [0, 1, 2]
    assert {i for s in brief.key_sentences for i in s.sentence_indices} <= {0, 1, 2}
    assert refused.code is StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_caller_that_goes_away_frees_its_place(*, streaming: bool) -> None:
    """What waits for a cancelled call is dropped, and the next caller isn't kept waiting."""
    backend = WatchedBackend()
    async with serving(backend) as (server, stubs):
        await backend.batches(1)
        with held(backend):
            first = stubs.briefs.CreateBrief(request(ONE_SENTENCE))
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
            running = stubs.briefs.CreateBrief(request(ONE_SENTENCE))
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


async def test_a_call_that_cannot_be_served_in_time_is_refused_at_once() -> None:
    """By the measured rate its turn would come after its deadline, and it is told when to come."""
    backend = WatchedBackend()
    async with serving(backend) as (server, stubs):
        await backend.batches(1)
        assert server._engine is not None
        slow_down(server._engine)
        with held(backend):
            running = stubs.briefs.CreateBrief(request(ONE_SENTENCE))
            await backend.batches(1)
            waiting = stubs.briefs.CreateBrief(request(" ".join([ONE_SENTENCE] * 200)))
            await queued(server, 200)
            refused = await failure(stubs.briefs.CreateBrief(request(), timeout=5))
            patient = stubs.briefs.CreateBrief(request(), timeout=600)
            await queued(server, 204)
        await asyncio.gather(running, waiting, patient)
        page = await asyncio.to_thread(scrape, server)

    assert refused.code is StatusCode.RESOURCE_EXHAUSTED
    assert refused.reason == "QueueFull"
    assert refused.retry_after > 5
    assert int(refused.metadata["grpc-retry-pushback-ms"]) == round(refused.retry_after * 1000)
    assert 'depesche_rejected_total{reason="queue_full"} 1.0' in page


async def test_a_person_overtakes_a_feed() -> None:
    """However much of a feed waits, what a person waits for is next after the batch that runs."""
    bulk = brief_pb2.BriefOptions(priority=types_pb2.PRIORITY_BULK)
    texts = [ONE_SENTENCE, GERMAN, GERMAN, GERMAN]
    feed = [
        brief_pb2.BriefReleasesRequest(release=types_pb2.Release(text=text), options=bulk)
        for text in texts
    ]
    urgent = "Eine Person wartet auf die Meldung der Stadt Köln zum neuen Haushalt."
    backend = WatchedBackend()
    async with serving(backend) as (server, stubs):
        await backend.batches(1)
        with held(backend):
            call = stubs.briefs.BriefReleases()
            await call.write(feed[0])
            await backend.batches(1)
            for release in feed[1:]:
                await call.write(release)
            await queued(server, 12, "bulk")
            person = stubs.briefs.CreateBrief(request(urgent))
            await queued(server, 1)
        await person
        await call.done_writing()
        replies = [reply async for reply in call]

    assert backend.history[1:3] == [[ONE_SENTENCE], [urgent]]
    assert all(reply.HasField("brief") for reply in replies)
    assert len(replies) == len(feed)


class _Swayed(WatchedBackend):
    """A backend whose English depends on what shares a batch, as that of int8 models can."""

    def translate(self, batch: Sequence[Sequence[str]], *, beam_size: int) -> list[Hypothesis]:
        """Translate a batch; see `FakeBackend`."""
        done = super().translate(batch, beam_size=beam_size)
        return [replace(h, text=f"{h.text} {'x' * len(batch)}") for h in done]


@pytest.mark.parametrize("reproducible", [False, True])
async def test_a_reproducible_brief_is_the_same_at_any_load(*, reproducible: bool) -> None:
    """The same release gives the same bytes alone and among others, and only if that is asked."""
    asked = request()
    asked.options.reproducible = reproducible
    backend = _Swayed()
    async with serving(backend) as (server, stubs):
        await backend.batches(1)
        alone = (await stubs.briefs.CreateBrief(asked)).brief
        await backend.batches(backend.begun - 1)
        with held(backend):
            calls = [stubs.briefs.CreateBrief(request(ONE_SENTENCE))]
            await backend.batches(1)
            calls += [stubs.briefs.CreateBrief(request()) for _ in range(3)]
            call = stubs.briefs.CreateBrief(asked)
            await queued(server, 16)
        among = (await call).brief
        await asyncio.gather(*calls)
    for brief in (alone, among):
        brief.ClearField("timings")

    as_bytes = [brief.SerializeToString(deterministic=True) for brief in (alone, among)]
    assert (as_bytes[0] == as_bytes[1]) is reproducible


async def test_a_crash_fails_no_call_that_shares_the_batch() -> None:
    """The calls of a batch that fails are tried apart, and the one at fault fails alone."""

    def translate(text: str) -> str:
        if "Absturz" in text:
            raise ValueError(text)
        return text

    bad = ONE_SENTENCE.replace("Haushalt", "Absturz")
    backend = WatchedBackend(translate)
    async with serving(backend) as (server, stubs):
        await backend.batches(1)
        with held(backend):
            running = stubs.briefs.CreateBrief(request(ONE_SENTENCE))
            await backend.batches(1)
            texts = [ONE_SENTENCE, bad, ONE_SENTENCE]
            calls = [stubs.briefs.CreateBrief(request(text)) for text in texts]
            await queued(server, 3)
        failed = await failure(calls.pop(1))
        replies = await asyncio.gather(running, *calls)

    assert sorted(backend.history[2]) == sorted(texts)
    assert failed.code is StatusCode.INTERNAL
    assert [reply.brief.translation[0].text for reply in replies] == [ONE_SENTENCE] * 3


async def test_a_crash_of_the_model_is_one_call_s_trouble() -> None:
    """An error inside gives INTERNAL with an id, and the next call works."""

    def translate(text: str) -> str:
        if "Absturz" in text:
            raise ValueError(text)
        return text

    backend = WatchedBackend(translate)
    async with serving(backend) as (server, stubs):
        failed = await failure(stubs.briefs.CreateBrief(request("Absturz! " + GERMAN)))
        await stubs.briefs.CreateBrief(request())
        page = await asyncio.to_thread(scrape, server)

    assert failed.code is StatusCode.INTERNAL
    assert failed.message == f"internal error; request id {failed.metadata['x-request-id']}"
    assert not failed.details.details
    assert 'depesche_rejected_total{reason="internal_error"} 1.0' in page


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
