"""What the tests of both clients share: a server that answers by a table, and one way to call."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, closing
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import Message

from depesche import errors
from depesche.client import Client, SyncClient
from depesche.errors import DepescheError, Violation
from depesche.server.status import REQUEST_ID_KEY, code_of, to_status, trailing_metadata
from depesche.types import ContentFormat, Language, Release
from depesche.v1 import (
    brief_pb2,
    fidelity_pb2,
    model_pb2,
    summarisation_pb2,
    translation_pb2,
    types_pb2,
)

KINDS = (Client, SyncClient)

RELEASE = Release("Guten Tag.", ContentFormat.HTML, "Gruß", Language.GERMAN)
INVALID = errors.InvalidRequest(
    [Violation("release.text", "is too long"), Violation("release.title", "is too long")]
)


class Caller:
    """Calls either client as the one for asyncio is called."""

    def __init__(self, client: Client | SyncClient, target: str) -> None:
        self.client = client
        self.target = target

    async def __call__(self, method: str, *args: Any, **named: Any) -> Any:
        """Make a call with one reply."""
        call = getattr(self.client, method)
        if isinstance(self.client, Client):
            return await call(*args, **named)
        return await asyncio.to_thread(call, *args, **named)

    async def replies(self, method: str, *args: Any, **named: Any) -> AsyncIterator[Any]:
        """Make a call with many replies."""
        call = getattr(self.client, method)(*args, **named)
        if isinstance(self.client, Client):
            async with aclosing(call):
                async for reply in call:
                    yield reply
            return
        with closing(call):
            while (reply := await asyncio.to_thread(next, call, None)) is not None:
                yield reply

    def source(self, items: Iterator[Any]) -> Any:
        """Give what a feed is read from, in the kind that the client reads; `items` may block."""
        return _threaded(items) if isinstance(self.client, Client) else items


async def _threaded(items: Iterator[Any]) -> AsyncIterator[Any]:
    while (item := await asyncio.to_thread(next, items, None)) is not None:
        yield item


class Service(grpc.GenericRpcHandler):
    """Answers each method by a table; the first calls fail, by one of `failures` each.

    Attributes:
        calls: how many came.
        metadata: of the last one.
        request: of the last one.
        hold: what each call waits for, or None.
        linger: what each stream waits for once it has begun, or None.
        peers: the addresses of all callers.
        ends: after how many replies each of the first feeds is ended, as by a drain.
        feeds: the ids of the releases of each feed.
    """

    def __init__(self, *failures: DepescheError) -> None:
        self.failures = list(failures)
        self.calls = 0
        self.metadata: dict[str, str | bytes] = {}
        self.request: Any = None
        self.hold: Callable[[], Awaitable[Any]] | None = None
        self.linger: Callable[[], Awaitable[Any]] | None = None
        self.peers: set[str] = set()
        self.ends: list[int] = []
        self.feeds: list[list[str]] = []

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Find the handler of a method; there is no health service, as behind a proxy."""
        name = handler_call_details.method.rpartition("/")[2]
        if name not in _METHODS:
            return None
        request, reply = _METHODS[name]
        to_bytes = type(reply).SerializeToString
        if name == "BriefReleases":
            return grpc.stream_stream_rpc_method_handler(self._feed, request.FromString, to_bytes)
        if name == "StreamBrief":
            return grpc.unary_stream_rpc_method_handler(self._stream, request.FromString, to_bytes)

        async def unary(message: Message, context: Any) -> Message:
            await self._begin(message, context)
            if name == "CreateBrief":
                return brief_pb2.CreateBriefResponse(brief=_echo(message))
            return reply

        return grpc.unary_unary_rpc_method_handler(unary, request.FromString, to_bytes)

    async def _begin(self, message: Message | None, context: Any) -> None:
        self.calls += 1
        self.request = message
        self.metadata = dict(context.invocation_metadata())
        self.peers.add(context.peer())
        if self.hold:
            await self.hold()
        if self.failures:
            await self._fail(self.failures.pop(0), context)

    async def _fail(self, error: DepescheError, context: Any) -> None:
        status = to_status(error, "r1")
        metadata = ((REQUEST_ID_KEY, "r1"), *trailing_metadata(error, status))
        context.set_trailing_metadata(metadata)
        await context.abort(code_of(error), status.message)

    async def _stream(self, message: Message, context: Any) -> AsyncIterator[Message]:
        await self._begin(message, context)
        yield brief_pb2.StreamBriefResponse(started=brief_pb2.BriefStarted(sentence_count=1))
        if self.linger:
            await self.linger()
        yield brief_pb2.StreamBriefResponse(brief=_echo(message))

    async def _feed(self, messages: AsyncIterator[Any], context: Any) -> AsyncIterator[Message]:
        await self._begin(None, context)
        ids: list[str] = []
        self.feeds.append(ids)
        most = self.ends.pop(0) if self.ends else None
        while len(ids) != most and (message := await anext(messages, None)):
            release = message.release
            ids.append(release.id)
            index = len(ids) - 1
            if release.text:
                yield brief_pb2.BriefReleasesResponse(id=release.id, index=index, brief=BRIEF)
            else:
                error = to_status(INVALID, "r1")
                yield brief_pb2.BriefReleasesResponse(index=index, error=error)
        if len(ids) == most:
            await self._fail(errors.ShuttingDown("draining"), context)


def _echo(request: Any) -> types_pb2.Brief:
    """Give the brief of a release, under its id."""
    return types_pb2.Brief(id=request.release.id, headline=BRIEF.headline)


BRIEF = types_pb2.Brief(headline=types_pb2.BriefSentence(text="Good day."))
DETECTION = types_pb2.Detection(language="de", confidence=0.5)
_METHODS: dict[str, tuple[Any, Any]] = {
    "CreateBrief": (
        brief_pb2.CreateBriefRequest,
        brief_pb2.CreateBriefResponse(),
    ),
    "StreamBrief": (brief_pb2.StreamBriefRequest, brief_pb2.StreamBriefResponse()),
    "BriefReleases": (brief_pb2.BriefReleasesRequest, brief_pb2.BriefReleasesResponse()),
    "Translate": (
        translation_pb2.TranslateRequest,
        translation_pb2.TranslateResponse(id="t", detection=DETECTION),
    ),
    "DetectLanguage": (
        translation_pb2.DetectLanguageRequest,
        translation_pb2.DetectLanguageResponse(detection=DETECTION),
    ),
    "Summarise": (
        summarisation_pb2.SummariseRequest,
        summarisation_pb2.SummariseResponse(
            sentences=[summarisation_pb2.SummarySentence(text="Good day.")]
        ),
    ),
    "ListModels": (
        model_pb2.ListModelsRequest,
        model_pb2.ListModelsResponse(models=[model_pb2.Model(name="embedded")]),
    ),
    "GetModel": (
        model_pb2.GetModelRequest,
        model_pb2.GetModelResponse(model=model_pb2.Model(name="embedded")),
    ),
    "ReloadModels": (
        model_pb2.ReloadModelsRequest,
        model_pb2.ReloadModelsResponse(models=[model_pb2.Model(name="embedded")]),
    ),
    "CheckSentence": (
        fidelity_pb2.CheckSentenceRequest,
        fidelity_pb2.CheckSentenceResponse(findings=[types_pb2.Finding(message="lost")]),
    ),
}


@asynccontextmanager
async def connected(
    kind: type[Client | SyncClient], service: Service, **settings: Any
) -> AsyncIterator[Caller]:
    """Run the server and connect a client of a kind to it."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers([service])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with opened(kind, f"127.0.0.1:{port}", **settings) as caller:
            yield caller
    finally:
        await server.stop(None)


@asynccontextmanager
async def opened(
    kind: type[Client | SyncClient], target: str, **settings: Any
) -> AsyncIterator[Caller]:
    """Connect a client of a kind."""
    client = kind(target, **settings)
    try:
        yield Caller(client, target)
    finally:
        if isinstance(client, Client):
            await client.aclose()
        else:
            client.close()
