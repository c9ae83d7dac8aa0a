"""Both clients against a real server on a loopback port, which answers by a table."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import pytest

from depesche import errors
from depesche.client import Client, SyncClient
from depesche.types import BriefOptions, Priority, Release
from depesche.v1 import brief_pb2, fidelity_pb2, model_pb2, types_pb2
from tests.client.support import BRIEF, DETECTION, INVALID, RELEASE, Service, connected, opened

Kind = type[Client | SyncClient]


async def test_a_brief(kind: Kind) -> None:
    """A release travels with everything that is known of it, and its brief comes back."""
    service = Service()
    async with connected(kind, service) as call:
        brief = await call("brief", RELEASE, release_id="7")

    assert brief == types_pb2.Brief(id="7", headline=BRIEF.headline)
    assert service.request == brief_pb2.CreateBriefRequest(
        release=types_pb2.Release(
            id="7",
            text="Guten Tag.",
            content_format=types_pb2.CONTENT_FORMAT_HTML,
            title="Gruß",
            language="de",
        ),
        options=brief_pb2.BriefOptions(
            sentence_count=3,
            strategy=types_pb2.SUMMARY_STRATEGY_EXTRACTIVE,
            priority=types_pb2.PRIORITY_INTERACTIVE,
        ),
    )


async def test_a_stream(kind: Kind) -> None:
    """The steps of a brief come one by one, the brief last."""
    async with connected(kind, Service()) as call:
        steps = [event.WhichOneof("event") async for event in call.replies("stream", RELEASE)]

    assert steps == ["started", "brief"]


async def test_the_other_calls(kind: Kind) -> None:
    """Translations, languages, summaries, checks and models come as messages."""
    service = Service()
    async with connected(kind, service) as call:
        translation = await call("translate", RELEASE, BriefOptions(priority=Priority.BULK))
        assert service.request.options.priority == types_pb2.PRIORITY_BULK
        detection = await call("detect", "Guten Tag.")
        summary = await call("summarise", Release("Good day."))
        findings = await call("check", "Good day.", ["Guten Tag."], "de")
        checked = service.request
        models = await call("models")
        model = await call("model", "embedded")
        assert service.request == model_pb2.GetModelRequest(name="embedded")
        reloaded = await call("reload_models")

    assert translation.id == "t"
    assert detection == DETECTION
    assert summary.sentences[0].text == "Good day."
    assert [finding.message for finding in findings] == ["lost"]
    assert checked == fidelity_pb2.CheckSentenceRequest(
        text="Good day.", sources=["Guten Tag."], language="de"
    )
    assert models == reloaded == [model] == [model_pb2.Model(name="embedded")]


async def test_the_token_and_the_id_are_sent(kind: Kind) -> None:
    """A token goes with every call, and so does the id that the caller names."""
    service = Service()
    async with connected(kind, service, token="s3cret") as call:  # noqa: S106 - opens nothing
        await call("models", request_id="desk.7")

    assert service.metadata["authorization"] == "Bearer s3cret"
    assert service.metadata["x-request-id"] == "desk.7"


@pytest.mark.parametrize("request_id", ["größe", "two words", "a" * 65])
async def test_an_id_that_the_service_would_replace(kind: Kind, request_id: str) -> None:
    """It is refused, for its caller would look for it in vain."""
    async with opened(kind, "127.0.0.1:1") as call:
        with pytest.raises(errors.InvalidRequest, match=r"^request_id: must be 1 to 64 "):
            await call("models", request_id=request_id)


async def test_an_error_tells_the_id_of_its_call(kind: Kind) -> None:
    """By it the service's log knows the call."""
    async with connected(kind, Service(INVALID)) as call:
        with pytest.raises(errors.InvalidRequest) as caught:
            await call("brief", RELEASE)

    assert caught.value.request_id == "r1"


async def test_unavailable_is_tried_again(kind: Kind) -> None:
    """A call that a draining server refuses is made again."""
    service = Service(errors.ShuttingDown("draining"), errors.ShuttingDown("draining"))
    async with connected(kind, service) as call:
        assert await call("brief", RELEASE) == BRIEF

    assert service.calls == 3


@pytest.mark.parametrize(
    "refusal", [errors.QueueFull("full", 1.5), errors.QuotaExceeded("used up", 1.5, "desk")]
)
async def test_a_refusal_says_when_to_come_again(kind: Kind, refusal: errors.DepescheError) -> None:
    """A refused call is made again after the time that the server names."""
    loop = asyncio.get_running_loop()
    service = Service(refusal)
    async with connected(kind, service) as call:
        started = loop.time()
        assert await call("brief", RELEASE) == BRIEF

    # Without the server's word the second attempt comes after 0.24 s at the latest.
    assert loop.time() - started > 1.0
    assert service.calls == 2


async def test_the_deadline_holds_over_retries(kind: Kind) -> None:
    """A call whose time is up before it may come again ends then, and isn't made again."""
    loop = asyncio.get_running_loop()
    service = Service(errors.QueueFull("full", 30.0))
    async with connected(kind, service) as call:
        started = loop.time()
        with pytest.raises(errors.LoadError):
            await call("brief", RELEASE, timeout=0.5)

    assert loop.time() - started < 10
    assert service.calls == 1


async def test_retries_end(kind: Kind) -> None:
    """After four attempts the error is raised, and says when to come again."""
    service = Service(*[errors.QueueFull("full", 0.01)] * 9)
    async with connected(kind, service) as call:
        with pytest.raises(errors.QueueFull, match="full") as caught:
            await call("brief", RELEASE)

    assert service.calls == 4
    assert caught.value.retry_after == 0.01


async def test_retries_can_be_left_to_the_caller(kind: Kind) -> None:
    """Without retries, the first refusal is raised."""
    service = Service(errors.QueueFull("full", 0.01))
    async with connected(kind, service, retries=False) as call:
        with pytest.raises(errors.QueueFull):
            await call("brief", RELEASE)

    assert service.calls == 1


async def test_a_bad_request_is_made_once(kind: Kind) -> None:
    """What fails by the caller's fault isn't tried again."""
    service = Service(INVALID)
    async with connected(kind, service) as call:
        with pytest.raises(errors.InvalidRequest, match=r"release\.text: is too long; release"):
            await call("brief", RELEASE)

    assert service.calls == 1


async def test_a_stream_fails_with_the_same_errors(kind: Kind) -> None:
    """Errors of streams have their class, too."""
    unsupported = errors.LanguageUnsupported("uk", ["de", "ru"])
    async with connected(kind, Service(unsupported)) as call:
        with pytest.raises(errors.LanguageUnsupported, match="'uk' is not supported"):
            [event async for event in call.replies("stream", RELEASE)]


@pytest.mark.parametrize("named", [{}, {"timeout": 0.2}], ids=["default", "own"])
@pytest.mark.parametrize("method", ["brief", "stream", "models"])
async def test_the_deadline(kind: Kind, method: str, named: dict[str, Any]) -> None:
    """A call that takes longer than it may fails by its own deadline, or else the client's."""
    service = Service()
    service.hold = asyncio.Event().wait
    args = () if method == "models" else (RELEASE,)
    default = 60.0 if named else 0.2
    async with connected(kind, service, timeout=default) as call:
        asked = anext(call.replies(method, *args, **named)) if method == "stream" else None
        with pytest.raises(errors.DeadlineExceeded):
            await (asked or call(method, *args, **named))


async def test_a_stream_left_early_is_cancelled(kind: Kind) -> None:
    """Leaving a stream tells the server that nobody reads on."""
    cancelled = asyncio.Event()
    service = Service()
    service.linger = _until_cancelled(cancelled)
    async with connected(kind, service) as call, aclosing(call.replies("stream", RELEASE)) as steps:
        assert (await anext(steps)).HasField("started")
        await steps.aclose()
        await cancelled.wait()


def _until_cancelled(cancelled: asyncio.Event) -> Any:
    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    return wait


async def test_a_call_given_up_is_cancelled() -> None:
    """A task that is cancelled cancels its call at the server."""
    begun, cancelled = asyncio.Event(), asyncio.Event()
    wait = _until_cancelled(cancelled)

    async def hold() -> None:
        begun.set()
        await wait()

    service = Service()
    service.hold = hold
    async with connected(Client, service) as call:
        reading = asyncio.ensure_future(anext(call.client.stream(RELEASE)))
        await begun.wait()
        reading.cancel()
        await cancelled.wait()


async def test_nobody_listens(kind: Kind) -> None:
    """A server out of reach is an error of load, not of the request."""
    async with opened(kind, "127.0.0.1:1") as call:
        with pytest.raises(errors.LoadError, match="the service can't be reached: ") as caught:
            await call("brief", RELEASE)

    assert caught.value.request_id == ""


async def test_threads_share_a_client() -> None:
    """Calls of several threads are under way at once, on one connection, and none is mixed up."""
    threads = 8
    all_there = threading.Barrier(threads)

    def work(client: SyncClient, number: int) -> list[str]:
        all_there.wait()
        ids = []
        for turn in range(20):
            id_ = f"{number}.{turn}"
            ids += [client.brief(RELEASE, release_id=id_).id]
            ids += [event.brief.id for event in client.stream(RELEASE, release_id=id_)][-1:]
        return ids

    service = Service()
    async with connected(SyncClient, service) as call:
        with ThreadPoolExecutor(threads) as pool:
            loop = asyncio.get_running_loop()
            tasks = [loop.run_in_executor(pool, work, call.client, n) for n in range(threads)]
            found = await asyncio.gather(*tasks)

    for number, ids in enumerate(found):
        assert ids == [f"{number}.{turn // 2}" for turn in range(40)]
    assert service.calls == threads * 40
    assert len(service.peers) == 1


@pytest.mark.parametrize("count", [2**31, -(2**40)])
async def test_a_number_that_no_message_holds(kind: Kind, count: int) -> None:
    """A number of sentences out of the wire's range is the caller's fault."""
    options = BriefOptions(sentence_count=count)
    async with opened(kind, "127.0.0.1:1") as call:
        for method in ("brief", "summarise"):
            with pytest.raises(errors.InvalidRequest, match=r"sentence_count: is out of range"):
                await call(method, RELEASE, options)


async def test_a_client_closes_itself() -> None:
    """Each client is a context manager of its kind, and takes no calls afterwards."""
    async with Client("127.0.0.1:1") as client:
        pass
    with SyncClient("127.0.0.1:1") as blocking:
        pass
    with pytest.raises(Exception, match="closed"):
        await client.models()
    with pytest.raises(Exception, match="closed"):
        blocking.models()
