"""Server-sent events of the JSON edge, over the wire."""

import asyncio
import json
from contextlib import aclosing
from typing import Any

import httpx2
import pytest

from depesche.v1 import brief_pb2, types_pb2
from tests.rpc.support import GERMAN, WatchedBackend, page_with, sample, serving
from tests.support import held
from tests.web.support import Context, edge, full, replies, scripted, violations

_STARTED = brief_pb2.StreamBriefResponse(started=brief_pb2.BriefStarted(sentence_count=2))
_SENTENCE = brief_pb2.StreamBriefResponse(sentence=types_pb2.TranslatedSentence(text="a\u2028b\n"))
_PATH = "/v1/briefs:stream"


def events(text: str) -> list[Any]:
    """Read the data of events, each of which must be whole."""
    assert text.endswith("\n\n")
    lines = [event for event in text.split("\n\n") if event]
    assert all(line.startswith("data: ") and "\n" not in line for line in lines)
    return [json.loads(line.removeprefix("data: ")) for line in lines]


async def test_a_brief_in_steps() -> None:
    """The start, each sentence, the brief; each an event."""
    async with serving() as (server, _), edge(server.address) as client:
        answer = await client.post(_PATH, json={"release": {"text": GERMAN, "id": "x"}})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["x-request-id"]
    found = events(answer.text)
    assert [next(iter(event)) for event in found] == ["started", *["sentence"] * 4, "brief"]
    assert found[-1]["brief"]["id"] == "x"


async def test_no_event_spans_lines() -> None:
    """Ends of lines in a text are escapes, those that only some clients know as well."""
    async with scripted(StreamBrief=replies(_SENTENCE)) as service, edge(service) as client:
        answer = await client.post(_PATH, json={})

    (event,) = events(answer.text)
    assert event["sentence"]["text"] == "a\u2028b\n"
    assert answer.text.splitlines()[1:] == [""]


async def test_events_come_when_they_happen() -> None:
    """The first is there before the second is made."""
    seen = asyncio.Event()

    async def script(request: bytes, context: Context) -> None:
        del request
        await context.write(_STARTED.SerializeToString())
        await seen.wait()
        await context.write(_SENTENCE.SerializeToString())

    async with (
        scripted(StreamBrief=script) as service,
        edge(service) as client,
        client.stream("POST", _PATH, json={}) as answer,
        aclosing(answer.aiter_text()) as chunks,
    ):
        assert "started" in await anext(chunks)
        seen.set()
        assert "sentence" in await anext(chunks)


async def test_silence_is_broken_by_comments() -> None:
    """Proxies close what seems dead; clients pass over comments."""
    seen = asyncio.Event()

    async def script(request: bytes, context: Context) -> None:
        del request
        await context.write(_STARTED.SerializeToString())
        await seen.wait()
        await context.write(_SENTENCE.SerializeToString())

    async with (
        scripted(StreamBrief=script) as service,
        edge(service, keep_alive_seconds=0.01) as client,
        client.stream("POST", _PATH, json={}) as answer,
    ):
        text = ""
        async for chunk in answer.aiter_text():
            text += chunk
            if text.count(": \n\n") == 2:
                seen.set()

    assert events(text.replace("\n\n: \n\n", "\n\n").replace(": \n\n", ""))


async def test_an_error_before_the_first_event_is_an_answer() -> None:
    """With its status and its JSON."""
    async with serving() as (server, _), edge(server.address) as client:
        answer = await client.post(_PATH, json={})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert violations(answer) == {"release": "is required"}


async def test_an_error_after_that_is_an_event() -> None:
    """Of a name of its own, with the same JSON; and the last."""
    script = replies(_STARTED, status=full())
    async with scripted(StreamBrief=script) as service, edge(service) as client:
        answer = await client.post(_PATH, json={})

    assert answer.status_code == 200
    first, error = answer.text.split("\n\n")[:2]
    assert first.startswith('data: {"started":')
    name, data = error.split("\n")
    assert name == "event: error"
    assert json.loads(data.removeprefix("data: "))["message"] == "the queue is full"


async def test_a_stream_without_events() -> None:
    """It is empty, and no error."""
    async with scripted(StreamBrief=replies()) as service, edge(service) as client:
        answer = await client.post(_PATH, json={})

    assert answer.status_code == 200
    assert answer.text == ""


@pytest.mark.parametrize("after_an_event", [False, True])
async def test_who_goes_away_ends_the_call(*, after_an_event: bool) -> None:
    """At once, whether an event has come or none."""
    backend = WatchedBackend(str.upper)
    ended = (
        'depesche_requests_total{code="CANCELLED",method="depesche.v1.BriefService/StreamBrief"}'
    )

    async def read(client: httpx2.AsyncClient, got: asyncio.Event) -> None:
        asked = {"release": {"text": GERMAN, "language": "de"}}
        async with client.stream("POST", _PATH, json=asked) as answer:
            async for _ in answer.aiter_text():
                got.set()

    async with serving(backend) as (server, _), edge(server.address) as client:
        await backend.batches(1)  # the warm-up
        with held(backend):
            got = asyncio.Event()
            reading = asyncio.ensure_future(read(client, got))
            await backend.batches(1)
            if after_an_event:
                await got.wait()
            reading.cancel()
            page = await page_with(server, ended)
            assert sample(page, ended) == 1
