"""The JSON edge before a service of fakes, over the wire."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import httpx2
import pytest
import pytest_asyncio
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status

from depesche.v1 import model_pb2, translation_pb2
from depesche.web.refusals import HTTP_STATUSES
from tests.rpc.support import (
    ENGLISH,
    GERMAN,
    WatchedBackend,
    page_with,
    sample,
    scrape,
    serving,
)
from tests.support import held
from tests.web.support import Context, abort, edge, full, replies, scripted, violations

pytestmark = pytest.mark.asyncio(loop_scope="module")
_LIMIT = 200_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        serving() as (server, _),
        edge(server.address, max_body_bytes=_LIMIT) as found,
    ):
        yield found


async def test_a_brief(client: httpx2.AsyncClient) -> None:
    """As gRPC has it, in JSON."""
    asked = {"release": {"text": GERMAN, "id": "dpa-1"}, "options": {"sentenceCount": 2}}
    answer = await client.post("/v1/briefs", json=asked)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    brief = answer.json()["brief"]
    assert brief["id"] == "dpa-1"
    assert brief["headline"]["text"] == "NEUE BRÜCKE IN KÖLN"
    assert len(brief["keySentences"]) == 2
    assert "Köln" in answer.text


async def test_the_other_paths(client: httpx2.AsyncClient) -> None:
    """Translations, languages, summaries, checks and models."""
    release = {"release": {"text": GERMAN}}
    translated = (await client.post("/v1/translations", json=release)).json()
    assert [s["index"] for s in translated["translation"]] == [0, 1, 2, 3]

    detected = (await client.post("/v1/languages:detect", json={"text": GERMAN})).json()
    assert detected["detection"]["language"] == "de"

    summary = (await client.post("/v1/summaries", json={"text": ENGLISH})).json()
    assert len(summary["sentences"]) == 3

    check = {"text": "It cost 13 euros.", "language": "de", "sources": ["Es kostete 12 Euro."]}
    findings = (await client.post("/v1/checks", json=check)).json()["findings"]
    assert {f["kind"] for f in findings} >= {"FINDING_KIND_AMOUNT_MISSING"}

    models = (await client.get("/v1/models")).json()["models"]
    assert [m["name"] for m in models if m["state"] == "MODEL_STATE_READY"][:1] == ["embedded"]
    one = (await client.get("/v1/models/embedded")).json()["model"]
    assert one == models[0]


async def test_an_error_of_the_service(client: httpx2.AsyncClient) -> None:
    """Its status is the body, with the details taken apart."""
    answer = await client.post("/v1/briefs", json={})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["code"] == code_pb2.INVALID_ARGUMENT
    assert violations(answer) == {"release": "is required"}

    answer = await client.get("/v1/models/nope")
    assert answer.status_code == 404
    assert answer.json()["message"] == "name: no model is named 'nope'"


async def test_a_request_that_is_none(client: httpx2.AsyncClient) -> None:
    """It fails as the service would have it fail, and never gets there."""
    answer = await client.post("/v1/briefs", json={"release": {"text": 1}})

    assert answer.status_code == 400
    assert violations(answer) == {"release.text": "must be a string"}


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nix", "/v1/briefs/", "/v1/models/a/b"])
async def test_other_paths_are_nothing(client: httpx2.AsyncClient, path: str) -> None:
    """In JSON, by all methods."""
    for method in ("GET", "POST"):
        answer = await client.request(method, path)
        assert answer.status_code == 404
        assert answer.json()["code"] == code_pb2.NOT_FOUND
        assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/briefs", "POST"),
        ("PUT", "/v1/briefs", "POST"),
        ("OPTIONS", "/v1/briefs:stream", "POST"),
        ("POST", "/v1/models", "GET, HEAD"),
        ("DELETE", "/v1/models/embedded", "GET, HEAD"),
    ],
)
async def test_other_methods(
    client: httpx2.AsyncClient, method: str, path: str, allowed: str
) -> None:
    """The answer tells those that there are."""
    answer = await client.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == allowed
    assert answer.json()["code"] == code_pb2.UNIMPLEMENTED


async def test_head_is_get_without_a_body(client: httpx2.AsyncClient) -> None:
    """As HTTP wants it."""
    answer = await client.head("/v1/models")

    assert answer.status_code == 200
    assert answer.content == b""


async def test_no_path_takes_parameters(client: httpx2.AsyncClient) -> None:
    """To pass over one would mislead who sent it."""
    for answer in (await client.get("/v1/models?x=1"), await client.post("/v1/briefs?x", json={})):
        assert answer.status_code == 400
        assert violations(answer) == {"query": "this path takes no parameters"}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ('Application/JSON;charset="UTF-8"', 200),
        ("application/json; charset=iso-8859-1", 415),
        ("application/jsonx", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
    ],
)
async def test_only_json_is_read(client: httpx2.AsyncClient, kind: str, status: int) -> None:
    """A form of another site can't send it unasked."""
    body = json.dumps({"text": GERMAN}).encode()
    headers = {"content-type": kind} if kind else {}
    answer = await client.post("/v1/languages:detect", content=body, headers=headers)

    assert answer.status_code == status


async def test_compressed_bodies_are_refused(client: httpx2.AsyncClient) -> None:
    """They may be far larger than they look."""
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    answer = await client.post("/v1/briefs", content=b"x", headers=headers)

    assert answer.status_code == 415
    assert violations(answer) == {"content-encoding": "must be left out"}


async def _chunks(count: int) -> AsyncIterator[bytes]:
    yield b'{"text":"'
    for _ in range(count):
        yield b"a" * 10_000


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_refused(
    client: httpx2.AsyncClient, *, chunked: bool
) -> None:
    """Whether it says its length or not; and the connection can be used again, or another made."""
    content: Any = _chunks(30) if chunked else b" " * (_LIMIT + 1)
    headers = {"content-type": "application/json"}
    answer = await client.post("/v1/languages:detect", content=content, headers=headers)

    assert answer.status_code == 413
    assert violations(answer) == {"request": f"is too long; the limit is {_LIMIT} bytes"}
    assert (await client.get("/v1/models")).status_code == 200


async def test_a_body_at_the_limit_is_read(client: httpx2.AsyncClient) -> None:
    """The limit itself is allowed."""
    body = json.dumps({"text": GERMAN}).encode()
    answer = await client.post(
        "/v1/languages:detect",
        content=body + b" " * (_LIMIT - len(body)),
        headers={"content-type": "application/json"},
    )

    assert answer.status_code == 200


_HALF = (
    b"POST /v1/briefs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    b"content-length: 100\r\n\r\n{"
)
"""A request whose body doesn't end; httpx would wait with it."""


async def test_a_body_that_does_not_come() -> None:
    """Nobody holds the edge with half a request."""
    async with scripted() as service, edge(service, body_seconds=0.05) as client:
        reader, writer = await _connected(client)
        writer.write(_HALF)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        status = json.loads(await reader.readexactly(length))
        writer.close()
        await writer.wait_closed()

    assert head.startswith(b"HTTP/1.1 408 ")
    assert status["message"] == "the body didn't come within 0.05 seconds"


async def _connected(
    client: httpx2.AsyncClient,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(client.base_url.host, client.base_url.port)


async def test_the_id_of_a_request(client: httpx2.AsyncClient) -> None:
    """The caller's, where it is sane; else a new one. Errors have it too."""
    answer = await client.get("/v1/models", headers={"x-request-id": "abc.1"})
    assert answer.headers["x-request-id"] == "abc.1"

    for insane in ("a b", "ü".encode(), "a" * 65):
        answer = await client.get("/v1/models/nope", headers={"x-request-id": insane})
        assert len(answer.headers["x-request-id"]) == 32


async def test_the_document(client: httpx2.AsyncClient) -> None:
    """It is the one that the repository has."""
    answer = await client.get("/v1/openapi.json")

    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json()["paths"]) >= {"/v1/briefs", "/v1/models/{name}"}


@dataclass
class Seen:
    """What came to a service with a call."""

    metadata: dict[str, Any]
    seconds: float


async def what_comes(headers: dict[str, Any], **options: Any) -> Seen:
    """Send a request with some headers, and tell what the service sees of it."""
    seen: list[Seen] = []

    async def script(request: bytes, context: Context) -> None:
        del request
        metadata = dict(context.invocation_metadata() or ())
        seen.append(Seen(metadata, context.time_remaining() or 0.0))
        await context.write(model_pb2.ListModelsResponse().SerializeToString())

    async with scripted(ListModels=script) as service, edge(service, **options) as client:
        assert (await client.get("/v1/models", headers=headers)).status_code == 200
    return seen[0]


async def test_what_the_service_gets_to_know() -> None:
    """The caller's token before the edge's, the id, and of the other headers nothing."""
    own = await what_comes({"x-request-id": "r1", "x-other": "1"}, token="edge")  # noqa: S106
    assert own.metadata["authorization"] == "Bearer edge"
    assert own.metadata["x-request-id"] == "r1"
    assert "x-other" not in own.metadata

    theirs = await what_comes({"authorization": "Bearer mine"}, token="edge")  # noqa: S106
    assert theirs.metadata["authorization"] == "Bearer mine"
    assert "authorization" not in (await what_comes({})).metadata


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("20S", 20), ("2M", 120), ("1H", 3600), ("99999999H", 86400), ("50000m", 50), (None, 77)],
)
async def test_the_time_that_a_request_may_take(header: str | None, seconds: float) -> None:
    """As gRPC writes it; else the edge's own."""
    seen = await what_comes({"grpc-timeout": header} if header else {}, timeout=77)

    # gRPC itself rounds up.
    assert seconds - 5 < seen.seconds <= seconds * 1.01 + 1


@pytest.mark.parametrize("header", ["20", "S", "1.5S", "-1S", "123456789S", "١S".encode(), ""])
async def test_a_time_that_is_none(client: httpx2.AsyncClient, header: str | bytes) -> None:
    """It is an error rather than the default."""
    answer = await client.get("/v1/models", headers={"grpc-timeout": header})

    assert answer.status_code == 400
    assert list(violations(answer)) == ["grpc-timeout"]


async def test_a_token_that_can_not_be_sent(client: httpx2.AsyncClient) -> None:
    """A header of gRPC is printable ASCII."""
    answer = await client.get("/v1/models", headers={"authorization": "Bearer ü".encode()})

    assert answer.status_code == 400
    assert violations(answer) == {"authorization": "must be printable ASCII"}


async def test_a_wrong_token() -> None:
    """The answer tells how to send one."""
    async with serving(token="right") as (server, _), edge(server.address) as client:  # noqa: S106
        for headers in ({}, {"authorization": "Bearer wrong"}):
            answer = await client.get("/v1/models", headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
        answer = await client.get("/v1/models", headers={"authorization": "Bearer right"})
        assert answer.status_code == 200


async def test_the_time_is_up() -> None:
    """Then the call ends, whatever the service does."""

    async def script(request: bytes, context: Context) -> None:
        del request, context
        await asyncio.Event().wait()

    async with scripted(ListModels=script) as service, edge(service) as client:
        answer = await client.get("/v1/models", headers={"grpc-timeout": "50m"})

    assert answer.status_code == 504
    assert answer.json()["code"] == code_pb2.DEADLINE_EXCEEDED


async def test_a_full_service() -> None:
    """The answer tells when to come again, in whole seconds."""
    async with scripted(ListModels=replies(status=full(1.2))) as service, edge(service) as client:
        answer = await client.get("/v1/models")

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "2"
    assert answer.json()["message"] == "the queue is full"
    assert answer.json()["details"][1]["retryDelay"] == "1.200s"


@pytest.mark.parametrize("code", [c for c in grpc.StatusCode if c is not grpc.StatusCode.OK])
async def test_every_status_has_one_of_http(code: grpc.StatusCode) -> None:
    """With the code and the words of the service in the body."""
    number = code.value[0]
    status = Status(code=number, message="so")
    async with scripted(ListModels=replies(status=status)) as service, edge(service) as client:
        answer = await client.get("/v1/models")

    assert answer.status_code == HTTP_STATUSES[number] >= 400
    assert answer.json() == {"code": number, "message": "so", "details": []}


async def test_a_service_without_the_method() -> None:
    """A status without details has the words that came with it."""
    async with scripted() as service, edge(service) as client:
        answer = await client.get("/v1/models")

    assert answer.status_code == 501
    assert answer.json() == {"code": 12, "message": "Method not found!", "details": []}


async def test_a_service_that_is_not_there() -> None:
    """Its address stays unsaid."""
    async with edge("127.0.0.1:1") as client:
        answer = await client.get("/v1/models")

    assert answer.status_code == 503
    assert answer.json() == {"code": 14, "message": "the service can't be reached", "details": []}


async def test_a_client_that_goes_away_ends_its_call() -> None:
    """At once, so that nothing is computed for nobody."""
    backend = WatchedBackend(str.upper)
    async with serving(backend) as (server, _), edge(server.address) as client:
        await backend.batches(1)  # the warm-up
        with held(backend):
            asked = asyncio.ensure_future(
                client.post("/v1/briefs", json={"release": {"text": GERMAN}})
            )
            await backend.batches(1)
            asked.cancel()
            method = "depesche.v1.BriefService/CreateBrief"
            counted = f'depesche_requests_total{{code="CANCELLED",method="{method}"}}'
            page = await page_with(server, counted)
            assert sample(page, counted) == 1
            assert sample(page, "depesche_requests_in_flight") == 0


async def test_a_client_that_goes_away_within_its_body() -> None:
    """No call is made, and nothing goes wrong."""
    async with serving() as (server, _), edge(server.address) as client:
        _, writer = await _connected(client)
        writer.write(_HALF)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

        assert (await client.get("/v1/models")).status_code == 200
        page = await asyncio.to_thread(scrape, server)
        assert 'method="depesche.v1.BriefService/CreateBrief"' not in "\n".join(
            line for line in page.splitlines() if line.startswith("depesche_requests_total")
        )


async def test_two_at_a_time() -> None:
    """One that waits doesn't keep another from its answer."""
    release = asyncio.Event()

    async def waits(request: bytes, context: Context) -> None:
        asked = translation_pb2.DetectLanguageRequest.FromString(request)
        if asked.text == "slow":
            await release.wait()
        await abort(context, Status(code=3, message=asked.text))

    async with scripted(DetectLanguage=waits) as service, edge(service) as client:
        slow = asyncio.ensure_future(client.post("/v1/languages:detect", json={"text": "slow"}))
        fast = await client.post("/v1/languages:detect", json={"text": "fast"})
        assert fast.json()["message"] == "fast"
        assert not slow.done()
        release.set()
        assert (await slow).json()["message"] == "slow"
