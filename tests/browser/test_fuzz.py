"""Requests that schemathesis makes up from the OpenAPI document, right ones and wrong ones."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from google.protobuf.json_format import ParseDict
from hypothesis import settings
from schemathesis.specs.openapi import checks

from depesche.web.rules import rules
from tests.rpc.support import ENGLISH, GERMAN, serving
from tests.web.support import edge

pytestmark = pytest.mark.browser

DOCUMENT = Path(__file__).parents[2] / "service" / "depesche" / "web" / "openapi.json"
_CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
    checks.allow_header_conformance,
]

schema = schemathesis.openapi.from_path(DOCUMENT)


@pytest.fixture(scope="module")
def live() -> Iterator[str]:
    """Run an edge before a service of fakes, in a thread: schemathesis waits for answers."""
    started = threading.Event()
    found: list[tuple[asyncio.AbstractEventLoop, asyncio.Event, str]] = []

    async def run() -> None:
        async with serving() as (server, _), edge(server.address) as client:
            done = asyncio.Event()
            found.append((asyncio.get_running_loop(), done, str(client.base_url).rstrip("/")))
            started.set()
            await done.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert started.wait(60)
    loop, done, url = found[0]
    yield url
    loop.call_soon_threadsafe(done.set)
    thread.join()


def test_the_document_is_one() -> None:
    """By the rules of OpenAPI 3.1."""
    schema.validate()


@schema.parametrize()
@settings(max_examples=100, deadline=None)
def test_made_up_requests(case: schemathesis.Case, live: str) -> None:
    """Every answer is one that the document tells of, and wrong requests fail."""
    answer = case.call(base_url=live)

    check(case, answer)


@schema.parametrize()
@settings(max_examples=50, deadline=None)
def test_made_up_requests_with_a_text(case: schemathesis.Case, live: str) -> None:
    """Real words in the place of made-up ones, so that most are answered."""
    for place in (case.body, case.body.get("release") if isinstance(case.body, dict) else None):
        if isinstance(place, dict) and isinstance(place.get("text"), str):
            place["text"] = GERMAN
    if isinstance(case.body, dict) and isinstance(options := case.body.get("options"), dict):
        for name in ("glossary", "sentenceCount", "summaryModel", "translationModel"):
            options.pop(name, None)

    check(case, case.call(base_url=live))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/briefs", {"release": {"text": GERMAN}}),
        ("/v1/briefs:stream", {"release": {"text": GERMAN, "title": "Neue Brücke"}}),
        ("/v1/translations", {"release": {"text": GERMAN}}),
        ("/v1/languages:detect", {"text": GERMAN}),
        ("/v1/summaries", {"text": ENGLISH}),
        ("/v1/checks", {"text": "It cost 13.", "language": "de", "sources": ["Kosten: 12."]}),
        ("/v1/models", None),
    ],
)
def test_right_requests(path: str, body: Any, live: str) -> None:
    """Each path answers as the document says, with findings and all."""
    case = schema[path]["POST" if body else "GET"].Case(body=body, media_type="application/json")
    answer = case.call(base_url=live)

    assert answer.status_code == 200
    case.validate_response(answer, checks=_CHECKS)


def test_a_wrong_answer_would_be_noticed() -> None:
    """The schema of events looks into their data."""
    case = schema["/v1/briefs:stream"]["POST"].Case(body={}, media_type="application/json")
    for data in ('{"started":{}}', "{}", '{"sentence":{"index":"0"}}', '{"code":"3"}'):
        answer = requests.Response()
        answer.status_code = 200
        answer._content = f"data: {data}\n\n".encode()
        answer.headers["content-type"] = "text/event-stream"
        answer.request = requests.Request("POST", "http://x/v1/briefs:stream").prepare()
        with pytest.raises(schemathesis.errors.FailureGroup):
            case.validate_response(answer, checks=_CHECKS)


def check(case: schemathesis.Case, answer: schemathesis.Response) -> None:
    timed = "grpc-timeout" in {name.lower() for name in case.headers or ()}
    assert answer.status_code < 500 or (timed and answer.status_code == 504), answer.text
    wanted = [*_CHECKS, *(() if _is_read_by_protobuf(case) else (checks.negative_data_rejection,))]
    case.validate_response(answer, checks=wanted)


def _is_read_by_protobuf(case: schemathesis.Case) -> bool:
    """Tell whether a body is right although the document, which has but one form, calls it wrong.

    Such as null for a field that isn't there, or an enumeration's number.
    """
    path = case.operation.path
    rule = next(rule for rule in rules() if rule.path == path)
    try:
        ParseDict(case.body, rule.request_type())
    except Exception:  # noqa: BLE001 - whatever isn't read is wrong
        return False
    return True
