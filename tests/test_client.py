"""The client against a real server on a loopback port, which answers by a table."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.message import Message
from google.rpc import code_pb2, status_pb2
from google.rpc.error_details_pb2 import ErrorInfo

from depesche import errors
from depesche.client import Client
from depesche.errors import DepescheError, Violation
from depesche.remote_errors import from_call, from_status
from depesche.server.status import CODES, code_of, to_status, trailing_metadata
from depesche.types import BriefOptions, ContentFormat, Language, Priority, Release
from depesche.v1 import brief_pb2, model_pb2, summarisation_pb2, translation_pb2, types_pb2
from tests.certificates import make_certificate

_RELEASE = Release("Guten Tag.", ContentFormat.HTML, "Gruß", Language.GERMAN)
_UNSUPPORTED = errors.LanguageUnsupported("uk", ["de", "ru"])
_INVALID = errors.InvalidRequest(
    [Violation("release.text", "is too long"), Violation("release.title", "is too long")]
)
_ERRORS = [
    _INVALID,
    errors.LanguageUncertain("can't be told; name it"),
    _UNSUPPORTED,
    errors.FeatureUnavailable("options.strategy", "isn't loaded"),
    errors.ModelUnknown("big"),
    errors.Unauthenticated("a token is needed"),
    errors.QueueFull("the queue is full", 2.5),
    errors.QuotaExceeded("the quota is used up", 2.5, "desk"),
    errors.ReloadFailed("model 'embedded': model.bin is missing"),
    errors.DeadlineExceeded("time is up"),
    errors.NotReady("the service is starting"),
    errors.ShuttingDown("the service is draining"),
]


class _Service(grpc.GenericRpcHandler):
    """Answers each method by a table; the first calls fail, by one of `failures` each."""

    def __init__(self, *failures: DepescheError) -> None:
        self.failures = list(failures)
        self.calls = 0
        self.metadata: dict[str, str | bytes] = {}
        self.request: Any = None
        self.hold: Callable[[], Awaitable[Any]] | None = None

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
            return reply

        return grpc.unary_unary_rpc_method_handler(unary, request.FromString, to_bytes)

    async def _begin(self, message: Message | None, context: Any) -> None:
        self.calls += 1
        self.request = message
        self.metadata = dict(context.invocation_metadata())
        if self.hold:
            await self.hold()
        if self.failures:
            error = self.failures.pop(0)
            status = to_status(error, "r1")
            context.set_trailing_metadata(trailing_metadata(error, status))
            await context.abort(code_of(error), status.message)

    async def _stream(self, message: Message, context: Any) -> AsyncIterator[Message]:
        await self._begin(message, context)
        yield brief_pb2.StreamBriefResponse(started=brief_pb2.BriefStarted(sentence_count=1))
        yield brief_pb2.StreamBriefResponse(brief=_BRIEF)

    async def _feed(self, messages: AsyncIterator[Any], context: Any) -> AsyncIterator[Message]:
        await self._begin(None, context)
        async for message in messages:
            release = message.release
            if release.text:
                yield brief_pb2.BriefReleasesResponse(id=release.id, brief=_BRIEF)
            else:
                status = to_status(_INVALID, "r1")
                yield brief_pb2.BriefReleasesResponse(id=release.id, error=status)


_BRIEF = types_pb2.Brief(headline=types_pb2.BriefSentence(text="Good day."))
_DETECTION = types_pb2.Detection(language="de", confidence=0.5)
_METHODS: dict[str, tuple[Any, Any]] = {
    "CreateBrief": (
        brief_pb2.CreateBriefRequest,
        brief_pb2.CreateBriefResponse(brief=_BRIEF),
    ),
    "StreamBrief": (brief_pb2.StreamBriefRequest, brief_pb2.StreamBriefResponse()),
    "BriefReleases": (brief_pb2.BriefReleasesRequest, brief_pb2.BriefReleasesResponse()),
    "Translate": (
        translation_pb2.TranslateRequest,
        translation_pb2.TranslateResponse(id="t", detection=_DETECTION),
    ),
    "DetectLanguage": (
        translation_pb2.DetectLanguageRequest,
        translation_pb2.DetectLanguageResponse(detection=_DETECTION),
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
}


@asynccontextmanager
async def _connected(service: _Service, **settings: Any) -> AsyncIterator[Client]:
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers([service])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with Client(f"127.0.0.1:{port}", **settings) as client:
            yield client
    finally:
        await server.stop(None)


async def test_a_brief() -> None:
    """A release travels with everything that is known of it, and its brief comes back."""
    service = _Service()
    async with _connected(service) as client:
        brief = await client.brief(_RELEASE, release_id="7")

    assert brief == _BRIEF
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


async def test_a_stream() -> None:
    """The steps of a brief come one by one, the brief last."""
    async with _connected(_Service()) as client:
        steps = [event.WhichOneof("event") async for event in client.stream(_RELEASE)]

    assert steps == ["started", "brief"]


async def test_a_feed() -> None:
    """Each release of a feed gets its brief or the error by which it alone failed."""

    async def releases() -> AsyncIterator[tuple[str, Release]]:
        yield "good", _RELEASE
        yield "bad", Release("")
        yield "fine", _RELEASE

    async with _connected(_Service()) as client:
        replies = {name: reply async for name, reply in client.briefs(releases())}

    assert replies["good"] == replies["fine"] == _BRIEF
    assert isinstance(replies["bad"], errors.InvalidRequest)
    assert replies["bad"].violations == _INVALID.violations


async def test_the_other_calls() -> None:
    """Translations, languages, summaries and models come as messages."""
    service = _Service()
    async with _connected(service) as client:
        translation = await client.translate(_RELEASE, BriefOptions(priority=Priority.BULK))
        assert service.request.options.priority == types_pb2.PRIORITY_BULK
        detection = await client.detect("Guten Tag.")
        summary = await client.summarise(Release("Good day."))
        models = await client.models()

    assert translation.id == "t"
    assert detection == _DETECTION
    assert summary.sentences[0].text == "Good day."
    assert [model.name for model in models] == ["embedded"]


async def test_the_token_is_sent() -> None:
    """A token goes with every call."""
    service = _Service()
    async with _connected(service, token="s3cret") as client:  # noqa: S106 - opens nothing
        await client.models()

    assert service.metadata["authorization"] == "Bearer s3cret"


async def test_unavailable_is_tried_again() -> None:
    """A call that a draining server refuses is made again."""
    service = _Service(errors.ShuttingDown("draining"), errors.ShuttingDown("draining"))
    async with _connected(service) as client:
        assert await client.brief(_RELEASE) == _BRIEF

    assert service.calls == 3


async def test_a_full_queue_says_when_to_come_again() -> None:
    """A call that a full queue refuses is made again after the time that the server names."""
    loop = asyncio.get_running_loop()
    service = _Service(errors.QueueFull("full", 1.5))
    async with _connected(service) as client:
        started = loop.time()
        assert await client.brief(_RELEASE) == _BRIEF

    # Without the server's word the second attempt comes after 0.24 s at the latest.
    assert loop.time() - started > 1.0
    assert service.calls == 2


async def test_retries_end() -> None:
    """After four attempts the error is raised."""
    service = _Service(*[errors.QueueFull("full", 0.01)] * 9)
    async with _connected(service) as client:
        with pytest.raises(errors.QueueFull, match="full"):
            await client.brief(_RELEASE)

    assert service.calls == 4


async def test_a_bad_request_is_made_once() -> None:
    """What fails by the caller's fault isn't tried again."""
    service = _Service(_INVALID)
    async with _connected(service) as client:
        with pytest.raises(errors.InvalidRequest, match=r"release\.text: is too long; release"):
            await client.brief(_RELEASE)

    assert service.calls == 1


async def test_a_stream_fails_with_the_same_errors() -> None:
    """Errors of streams have their class, too."""
    async with _connected(_Service(_UNSUPPORTED)) as client:
        with pytest.raises(errors.LanguageUnsupported, match="'uk' is not supported"):
            [event async for event in client.stream(_RELEASE)]


async def test_the_deadline() -> None:
    """A call that takes longer than it may fails by its deadline."""
    service = _Service()
    service.hold = asyncio.Event().wait
    async with _connected(service, timeout=0.2) as client:
        with pytest.raises(errors.DeadlineExceeded):
            await client.brief(_RELEASE)


async def test_a_stream_left_early_is_cancelled() -> None:
    """Leaving a stream tells the server that nobody reads on."""
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    service = _Service()
    service.hold = hold
    async with _connected(service) as client:
        reading = asyncio.ensure_future(anext(client.stream(_RELEASE)))
        await begun.wait()
        reading.cancel()
        await cancelled.wait()


async def test_nobody_listens() -> None:
    """A server out of reach is an error of load, not of the request."""
    async with Client("127.0.0.1:1") as client:
        with pytest.raises(errors.LoadError, match="the service can't be reached: "):
            await client.brief(_RELEASE)


@pytest.mark.parametrize("error", _ERRORS, ids=lambda error: type(error).__name__)
def test_errors_survive_the_wire(error: DepescheError) -> None:
    """Each error that a caller can act on arrives as what it was."""
    arrived = from_status(to_status(error, "r1"))

    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert vars(arrived) == vars(error)


def test_errors_keep_the_paths_of_the_request() -> None:
    """An error arrives with the words and the field path that the service chose."""
    error = errors.LanguageUnsupported("uk", ["de"])
    error.violations = (Violation("release.language", "no model reads it"),)
    error.args = ("release.language: no model reads it",)
    arrived = from_status(to_status(error, "r1"))

    assert isinstance(arrived, errors.LanguageUnsupported)
    assert (arrived.language, arrived.violations) == ("uk", error.violations)
    assert str(arrived) == "release.language: no model reads it"


def test_the_reasons_of_others_mean_nothing() -> None:
    """A proxy's error of the same name isn't ours."""
    status = status_pb2.Status(code=code_pb2.RESOURCE_EXHAUSTED, message="oh")
    status.details.add().Pack(ErrorInfo(reason="QueueFull", domain="proxy"))

    assert type(from_status(status)) is DepescheError


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"token": "größe"}, "token"),
        ({"token": "two words"}, "token"),
        ({"token": "line\n"}, "token"),
        ({"root_certificate": b""}, "root_certificate"),
        ({"root_certificate": b"nonsense"}, "root_certificate"),
        ({"root_certificate": b"\xff\xfe"}, "root_certificate"),
    ],
)
async def test_credentials_that_cannot_be_used(settings: dict[str, Any], field: str) -> None:
    """What could never work is refused before the first call."""
    with pytest.raises(errors.InvalidRequest, match=f"^{field}: "):
        Client("127.0.0.1:1", **settings)


async def test_a_certificate_of_the_client_that_cannot_be_used(tmp_path: Path) -> None:
    """One half without the other, halves that don't fit, and one without TLS are refused."""
    certificate, key = (path.read_bytes() for path in make_certificate(tmp_path, "one"))
    _, other = (path.read_bytes() for path in make_certificate(tmp_path, "two"))
    whole = {"client_certificate": certificate, "client_key": key}
    trusting = {"root_certificate": certificate}
    for settings, rule in (
        (trusting | {"client_certificate": certificate}, "goes together with client_key"),
        (trusting | {"client_key": key}, "goes together with client_key"),
        (whole, "needs root_certificate"),
        (trusting | whole | {"client_key": other}, "aren't a certificate in PEM and its key"),
        (trusting | whole | {"client_key": b"nonsense"}, "aren't a certificate in PEM and its key"),
    ):
        with pytest.raises(errors.InvalidRequest, match=f"^client_certificate.*: {rule}"):
            Client("127.0.0.1:1", **settings)
    async with Client("127.0.0.1:1", **trusting, **whole):
        pass


@pytest.mark.parametrize("count", [2**31, -(2**40)])
async def test_a_number_that_no_message_holds(count: int) -> None:
    """A number of sentences out of the wire's range is the caller's fault."""
    options = BriefOptions(sentence_count=count)
    async with Client("127.0.0.1:1") as client:
        for call in (client.brief(_RELEASE, options), client.summarise(_RELEASE, options)):
            with pytest.raises(errors.InvalidRequest, match=r"sentence_count: is out of range"):
                await call


def test_every_error_is_tried() -> None:
    """The table above holds every class that has a status of its own."""
    internal = {cls for cls, code in CODES.items() if code is grpc.StatusCode.INTERNAL}

    assert {type(error) for error in _ERRORS} == set(CODES) - internal


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (code_pb2.INVALID_ARGUMENT, errors.InvalidRequest, "request: oh"),
        (code_pb2.FAILED_PRECONDITION, errors.RequestError, "oh"),
        (code_pb2.NOT_FOUND, errors.RequestError, "oh"),
        (code_pb2.UNAUTHENTICATED, errors.Unauthenticated, "oh"),
        (code_pb2.RESOURCE_EXHAUSTED, DepescheError, "the service refused: oh"),
        (code_pb2.DEADLINE_EXCEEDED, errors.DeadlineExceeded, "oh"),
        (code_pb2.UNAVAILABLE, errors.LoadError, "the service can't be reached: oh"),
        (code_pb2.INTERNAL, DepescheError, "the service failed: oh"),
        (code_pb2.UNIMPLEMENTED, DepescheError, "the service failed: oh"),
    ],
)
def test_statuses_without_details(code: int, kind: type[DepescheError], message: str) -> None:
    """A status that another program made, such as a proxy, still has a class."""
    error = from_status(status_pb2.Status(code=code, message="oh"))

    assert type(error) is kind
    assert str(error) == message


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (grpc.StatusCode.INTERNAL, "Internal error from Core", errors.LoadError),
        (grpc.StatusCode.UNKNOWN, "Stream removed (RST_STREAM …)", errors.LoadError),
        (grpc.StatusCode.INTERNAL, "internal error; request id r1", DepescheError),
    ],
)
def test_a_stream_that_was_cut_off_may_be_begun_again(
    code: grpc.StatusCode, message: str, kind: type[DepescheError]
) -> None:
    """It isn't taken for a fault of the service, which would come again."""
    error = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), message)

    assert type(from_call(error)) is kind
