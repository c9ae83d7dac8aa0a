"""What an operator sees of calls: log lines, metrics, ids. Never text of a release."""

import asyncio
import json

import pytest
from grpc import StatusCode

from depesche.v1 import brief_pb2, summarisation_pb2, types_pb2
from tests.rpc.support import ENGLISH, GERMAN, WatchedBackend, failure, request, scrape, serving
from tests.server.logs import captured_logs

_CANARY = "Kanarienvogel"


async def test_a_call_is_one_line() -> None:
    """The line says what was called, how it ended and where the time went."""
    with captured_logs() as lines:
        async with serving() as (_, stubs):
            reply = await stubs.briefs.CreateBrief(request(), metadata=(("x-request-id", "r-1"),))
        (line,) = [line for line in lines() if line["event"] == "call"]

    assert line["method"] == "depesche.v1.BriefService/CreateBrief"
    assert line["code"] == "OK"
    assert line["request_id"] == "r-1"
    assert line["language"] == "de"
    assert line["sentences"] == len(reply.brief.translation)
    assert line["queue_wait"] <= line["seconds"]
    assert set(line["stages"]) == {stage.name for stage in reply.brief.timings.stages}


async def test_a_failed_call_says_why() -> None:
    """The line of a refused call holds the error."""
    with captured_logs() as lines:
        async with serving() as (_, stubs):
            await failure(stubs.briefs.CreateBrief(request(" ")))
        (line,) = [line for line in lines() if line["event"] == "call"]

    assert line["code"] == "INVALID_ARGUMENT"
    assert line["error"] == "release.text: must hold more than white space"
    assert line["level"] == "info"


@pytest.mark.parametrize(
    ("given", "kept"),
    [("abc-1.2_3", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("{}", False)],
)
async def test_a_sane_request_id_is_kept(given: str, *, kept: bool) -> None:
    """The caller's id comes back; one that could break a log is replaced."""
    async with serving() as (_, stubs):
        call = stubs.briefs.CreateBrief(request(), metadata=(("x-request-id", given),))
        await call
        returned = dict(await call.trailing_metadata())["x-request-id"]

    assert (returned == given) is kept
    assert returned


async def test_each_call_has_an_id_of_its_own() -> None:
    """Calls without an id get different ones, failed calls too."""
    async with serving() as (_, stubs):
        failed = [await failure(stubs.briefs.CreateBrief(request(" "))) for _ in range(2)]

    assert failed[0].metadata["x-request-id"] != failed[1].metadata["x-request-id"]


async def test_text_is_neither_logged_nor_measured() -> None:
    """Not from good releases, nor bad ones, nor crashes, whichever field holds it."""

    def translate(text: str) -> str:
        if "Absturz" in text:
            raise ValueError(text)
        return text

    text = f"{_CANARY}. {GERMAN}"
    asked = [
        request(text),
        request(f"Absturz {text}"),
        request(GERMAN, title=_CANARY),
        request(GERMAN, language=f"{_CANARY} {_CANARY}"),
        request(f"{_CANARY}<p>", content_format=types_pb2.CONTENT_FORMAT_HTML),
        request(_CANARY),
    ]
    with captured_logs() as lines:
        async with serving(WatchedBackend(translate)) as (server, stubs):
            for each in asked:
                await asyncio.gather(stubs.briefs.CreateBrief(each), return_exceptions=True)
                stream = brief_pb2.BriefReleasesRequest(release=each.release)
                _ = [reply async for reply in stubs.briefs.BriefReleases(iter([stream]))]
            summarise = summarisation_pb2.SummariseRequest(text=f"{_CANARY}. {ENGLISH}")
            await stubs.summarisation.Summarise(summarise)
            page = await asyncio.to_thread(scrape, server)
        logged = lines()

    assert _CANARY not in page
    assert _CANARY not in json.dumps(logged, ensure_ascii=False)
    crashed = [line for line in logged if line.get("exception") == "ValueError"]
    assert [line["event"] for line in crashed] == ["call", "release"]
    assert any("translate" in frame for frame in crashed[0]["frames"])


async def test_metrics_of_calls() -> None:
    """A scrape shows calls by method and code, briefs by language, models and the version."""
    async with serving() as (server, stubs):
        await stubs.briefs.CreateBrief(request())
        await failure(stubs.briefs.CreateBrief(request(" ")))
        await failure(stubs.channel.unary_unary("/depesche.v1.BriefService/Nonsense")(b""))
        await failure(stubs.channel.unary_unary("/made.up/Name")(b""))
        page = await asyncio.to_thread(scrape, server)

    method = 'method="depesche.v1.BriefService/CreateBrief"'
    assert f'depesche_requests_total{{code="OK",{method}}} 1.0' in page
    assert f'depesche_requests_total{{code="INVALID_ARGUMENT",{method}}} 1.0' in page
    assert 'depesche_requests_total{code="UNIMPLEMENTED",method="unknown"} 2.0' in page
    assert f"depesche_request_seconds_count{{{method}}} 2.0" in page
    assert 'depesche_briefs_total{language="de"} 1.0' in page
    assert 'depesche_sentences_total{language="de"} 4.0' in page
    assert 'depesche_model_workers{model="embedded"} 1.0' in page
    assert 'depesche_stage_seconds_count{stage="translate"} 1.0' in page
    assert 'depesche_queue_wait_seconds_count{model="embedded"}' in page
    assert 'depesche_model_info{model="embedded",quantisation="none",revision="1"} 1.0' in page
    assert "made.up" not in page
    assert "Nonsense" not in page


async def test_health_checks_are_not_counted() -> None:
    """Probes would drown the calls in the metrics and the log."""
    with captured_logs() as lines:
        async with serving() as (server, stubs):
            assert await stubs.is_serving("readiness")
            page = await asyncio.to_thread(scrape, server)
        logged = lines()

    assert "depesche_requests_total{" not in page
    assert not [line for line in logged if line["event"] == "call"]


async def test_an_unknown_method_is_unimplemented() -> None:
    """A call of a method that there isn't is told so."""
    async with serving() as (_, stubs):
        failed = await failure(stubs.channel.unary_unary("/made.up/Name")(b""))

    assert failed.code is StatusCode.UNIMPLEMENTED
