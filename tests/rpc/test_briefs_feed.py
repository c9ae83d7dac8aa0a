"""BriefReleases over the wire: a feed of releases in, briefs out."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from google.rpc import code_pb2
from grpc import StatusCode
from grpc.aio import AioRpcError

from depesche.v1 import brief_pb2, translation_pb2, types_pb2
from tests.rpc.support import (
    GERMAN,
    ONE_SENTENCE,
    Stubs,
    WatchedBackend,
    failure,
    page_with,
    queued,
    request,
    scrape,
    serving,
)
from tests.support import held

_DETECT = translation_pb2.DetectLanguageRequest(text=GERMAN)


def _release(id_: str, text: str = GERMAN) -> brief_pb2.BriefReleasesRequest:
    return brief_pb2.BriefReleasesRequest(release=types_pb2.Release(id=id_, text=text))


async def _replies(stubs: Stubs, requests: Iterable[Any]) -> dict[str, Any]:
    replies = stubs.briefs.BriefReleases(iter(requests))
    return {reply.id: reply async for reply in replies}


async def test_one_bad_release_fails_alone() -> None:
    """Ten releases give ten replies, each with its id; the bad one has a status with details."""
    requests = [_release(f"r{n}", " " if n == 4 else GERMAN) for n in range(10)]
    async with serving() as (server, stubs):
        replies = await _replies(stubs, requests)
        page = await asyncio.to_thread(scrape, server)
    bad = replies.pop("r4")

    assert sorted(replies) == sorted(f"r{n}" for n in range(10) if n != 4)
    assert all(reply.brief.id == id_ for id_, reply in replies.items())
    assert all(f"r{reply.index}" == id_ for id_, reply in replies.items())
    assert bad.error.code == code_pb2.INVALID_ARGUMENT
    assert bad.error.message == "release.text: must hold more than white space"
    assert [d.TypeName() for d in bad.error.details] == [
        "google.rpc.ErrorInfo",
        "google.rpc.BadRequest",
    ]
    assert 'depesche_briefs_total{language="de"} 9.0' in page
    assert 'depesche_rejected_total{reason="invalid_request"} 1.0' in page


async def test_bad_requests_of_all_kinds_fail_alone() -> None:
    """Neither bytes that can't be decoded nor unknown fields nor size nor a crash end the feed.

    The place of each release tells it, even where its id can't be read.
    """

    def translate(text: str) -> str:
        if "Absturz" in text:
            raise ValueError(text)
        return text

    good = _release("good").SerializeToString()
    latin = _release("latin", "Gr*sse").SerializeToString().replace(b"Gr*", b"Gr\xfc")
    unknown = _release("unknown").SerializeToString() + b"\xf8\x06\x01"
    crash = _release("crash", "Absturz! " + GERMAN).SerializeToString()
    large = _release("large", "x" * 2000).SerializeToString()
    async with serving(WatchedBackend(translate), max_message_bytes=1024) as (server, stubs):
        call = stubs.channel.stream_stream(
            "/depesche.v1.BriefService/BriefReleases",
            response_deserializer=brief_pb2.BriefReleasesResponse.FromString,
        )
        sent = [latin, unknown, large, crash, good]
        replies = {r.index: r async for r in call(iter(sent))}
        page = await asyncio.to_thread(scrape, server)

    assert [replies[n].id for n in range(len(sent))] == ["", "unknown", "", "crash", "good"]
    assert replies[0].error.message.startswith("release.text: isn't UTF-8")
    assert replies[1].error.code == code_pb2.INVALID_ARGUMENT
    assert replies[2].error.message == "request: has 2013 bytes; the limit is 1024"
    assert replies[3].error.message.startswith("internal error; request id ")
    assert replies[4].HasField("brief")
    assert 'depesche_rejected_total{reason="invalid_request"} 3.0' in page
    assert 'depesche_rejected_total{reason="internal_error"} 1.0' in page


async def test_releases_in_flight_are_bounded() -> None:
    """No more releases are at work at once than the settings allow."""
    backend = WatchedBackend()
    async with serving(backend, max_releases_in_flight=2) as (server, stubs):
        await backend.batches(1)  # the warm-up
        with held(backend):
            call = stubs.briefs.BriefReleases()
            await call.write(_release("r0", ONE_SENTENCE))
            await backend.batches(1)
            for n in range(1, 6):
                await call.write(_release(f"r{n}"))
            await queued(server, 4)
            # Were there more, they would come to the queue before the answer to a later call.
            await stubs.translation.DetectLanguage(_DETECT)
            await queued(server, 4)
        await call.done_writing()
        assert len([reply async for reply in call]) == 6


async def test_a_reply_comes_before_the_feed_ends() -> None:
    """A caller that keeps the feed open gets its brief as soon as it is there."""
    async with serving() as (_, stubs):
        call = stubs.briefs.BriefReleases()
        for id_ in ("first", "second"):
            await call.write(_release(id_))
            assert (await call.read()).id == id_
        await call.done_writing()


async def test_a_feed_whose_caller_goes_away_costs_nothing_more() -> None:
    """Its releases are dropped, and the next caller is served."""
    backend = WatchedBackend()
    async with serving(backend) as (server, stubs):
        await backend.batches(1)
        with held(backend):
            call = stubs.briefs.BriefReleases()
            await call.write(_release("running", ONE_SENTENCE))
            await backend.batches(1)
            await call.write(_release("waiting"))
            await queued(server, 4)
            call.cancel()
            await page_with(server, 'code="CANCELLED"')
        await stubs.briefs.CreateBrief(request())
        page = await asyncio.to_thread(scrape, server)

    assert 'depesche_dropped_segments_total{reason="cancelled"} 4.0' in page
    assert "depesche_requests_in_flight 0.0" in page


async def test_a_feed_has_a_deadline_too() -> None:
    """A feed with a deadline ends with it."""
    backend = WatchedBackend()
    async with serving(backend) as (_, stubs):
        with held(backend):
            call = stubs.briefs.BriefReleases(iter([_release("late")]), timeout=0.5)
            failed = await failure(anext(aiter(call)))

    assert failed.code is StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize("count", [0, 1])
async def test_short_feeds(count: int) -> None:
    """A feed of nothing ends well."""
    async with serving() as (_, stubs):
        assert len(await _replies(stubs, [_release(str(n)) for n in range(count)])) == count


async def test_a_release_that_comes_with_the_drain_gets_no_reply() -> None:
    """One that was read and not begun is for another server, as the end of the feed says."""
    backend = WatchedBackend()
    async with serving(backend, max_releases_in_flight=2) as (server, stubs):
        await backend.batches(1)
        call = stubs.briefs.BriefReleases()
        with held(backend):
            # The first alone in its batch: two that come together could share one.
            await call.write(_release("r0", ONE_SENTENCE))
            await backend.batches(1)
            for number in range(1, 5):
                await call.write(_release(f"r{number}", ONE_SENTENCE))
            await queued(server, 1)
            stopping = asyncio.ensure_future(server.stop())
            await asyncio.sleep(0)
        replies = [await call.read() for _ in range(2)]
        with pytest.raises(AioRpcError) as ended:
            await call.read()
        await stopping

    assert {reply.id for reply in replies} == {"r0", "r1"}
    assert all(reply.HasField("brief") for reply in replies)
    assert ended.value.code() is StatusCode.UNAVAILABLE
