"""Files that are dropped on the page, over the wire."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st
from starlette.routing import Route
from structlog.testing import capture_logs

from depesche.documents import DEFAULT
from depesche.web.page.documents import MAX_NAME, Documents, shown_name
from depesche.web.resources import Resource
from tests.documents.samples import docx_of, eml_of, page_of, pdf_of
from tests.support import until
from tests.web.page.support import served
from tests.web.support import violations

pytestmark = pytest.mark.asyncio(loop_scope="module")
_TEXT = "Die Stadt Köln hat am Montag eine neue Brücke über den Rhein eröffnet."
_LIMITS = replace(DEFAULT, file_bytes=50_000)
_PATH = "/page/documents"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with served(documents=_LIMITS) as found:
        yield found


def named(name: str, media_type: str = "application/octet-stream") -> dict[str, str]:
    """Make the headers of a file."""
    return {"x-document-name": quote(name), "content-type": media_type}


@pytest.mark.parametrize(
    ("name", "content", "kind", "title"),
    [
        ("a.txt", _TEXT.encode(), "text", ""),
        ("a.html", f"<html><h1>Brücke</h1><p>{_TEXT}</p></html>".encode(), "html", "Brücke"),
        ("Übersicht 1.docx", docx_of(_TEXT), "docx", ""),
        ("a.pdf", pdf_of([page_of(_TEXT)]), "pdf", ""),
        ("a.eml", eml_of(_TEXT, subject="Neue Brücke").as_bytes(), "eml", "Neue Brücke"),
    ],
)
async def test_a_file_becomes_plain_text(
    client: httpx2.AsyncClient, name: str, content: bytes, kind: str, title: str
) -> None:
    """Whatever its kind, with its title where it has one apart."""
    answer = await client.post(_PATH, content=content, headers=named(name))

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert found == {"text": found["text"], "title": title, "kind": kind, "name": name}
    assert found["text"].strip() == _TEXT


async def test_the_media_type_tells_where_the_name_does_not(client: httpx2.AsyncClient) -> None:
    """With the character set that it names."""
    content = f"<p>{_TEXT}</p>".encode("cp1252")
    headers = {"content-type": "text/html; charset=windows-1252"}
    answer = await client.post(_PATH, content=content, headers=headers)

    assert answer.json() == {"text": _TEXT, "title": "", "kind": "html", "name": ""}


@pytest.mark.parametrize(
    ("content", "name", "rule"),
    [
        (b"\x89PNG\r\n", "a.png", "is an image; accepted are"),
        (b"no pdf", "a.pdf", "is no PDF, though its name or type says so"),
        (b"%PDF-1.7 broken", "a.pdf", "is broken"),
        (b"\xff\xff", "a.txt", "isn't UTF-8"),
        (b"<script>1</script>", "a.html", "holds no text"),
    ],
)
async def test_what_can_not_be_read(
    client: httpx2.AsyncClient, content: bytes, name: str, rule: str
) -> None:
    """The answer says why, and names the file as the field."""
    answer = await client.post(_PATH, content=content, headers=named(name))

    assert answer.status_code == 400
    assert rule in violations(answer)["file"]


@pytest.mark.parametrize(
    ("headers", "status", "field", "rule"),
    [
        ({"x-document-name": "%ff"}, 400, "x-document-name", "must be percent-encoded UTF-8"),
        (
            {"x-document-name": "ü".encode()},
            400,
            "x-document-name",
            "must be percent-encoded UTF-8",
        ),
        (
            {"x-document-name": "a" * 256},
            400,
            "x-document-name",
            "has 256 characters; the limit is 255",
        ),
        (
            {"content-type": "multipart/form-data; boundary=x"},
            415,
            "content-type",
            "must be the file's, not a form's",
        ),
        (
            {"content-type": "Application/X-WWW-Form-URLEncoded"},
            415,
            "content-type",
            "must be the file's, not a form's",
        ),
        ({"content-encoding": "gzip"}, 415, "content-encoding", "must be left out"),
    ],
)
async def test_headers_that_break_a_rule(
    client: httpx2.AsyncClient, headers: dict[str, Any], status: int, field: str, rule: str
) -> None:
    """The answer names the header and the limit."""
    answer = await client.post(_PATH, content=b"x", headers=headers)

    assert answer.status_code == status
    assert violations(answer) == {field: rule}


@pytest.mark.parametrize("announced", [True, False])
async def test_a_file_that_is_too_large(client: httpx2.AsyncClient, *, announced: bool) -> None:
    """It is refused whether it says its length or not."""

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(6):
            yield b"x" * 10_000

    content = b"x" * 50_001 if announced else parts()
    answer = await client.post(_PATH, content=content)

    assert answer.status_code == 413
    assert violations(answer) == {"request": "is too long; the limit is 50000 bytes"}


async def test_pages_of_other_sites_may_not_send_files(client: httpx2.AsyncClient) -> None:
    """The guards stand before this path too."""
    foreign = {"origin": "https://evil.example", **named("a.txt")}
    assert (await client.post(_PATH, content=b"x", headers=foreign)).status_code == 403
    other = {"host": "evil.example", **named("a.txt")}
    assert (await client.post(_PATH, content=b"x", headers=other)).status_code == 421


@pytest.mark.parametrize(
    "framing",
    [
        "content-length: -1\r\n",
        "content-length: 1\r\ncontent-length: 2\r\n",
        "content-length: 1\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: gzip\r\n",
    ],
)
async def test_framing_that_could_be_read_two_ways(
    client: httpx2.AsyncClient, framing: str
) -> None:
    """No text is read from it, so that no proxy in front can be made to see other requests."""
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    head = f"POST {_PATH} HTTP/1.1\r\nhost: localhost\r\n{framing}\r\n"
    writer.write(head.encode() + b"1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
    answer = await reader.read()
    writer.close()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1


def _only(documents: Documents) -> list[Route]:
    return [Route("/documents", Resource({"POST": documents}))]


async def test_few_at_a_time() -> None:
    """Who finds all places taken is told to come again; who hangs up frees a place."""
    documents = Documents(_LIMITS, at_once=1)
    async with served(more=_only(documents)) as client:
        address = (client.base_url.host, client.base_url.port)
        _, writer = await asyncio.open_connection(*address)
        writer.write(b"POST /documents HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n1")
        await until(lambda: documents._under_way == 1)

        full = await client.post("/documents", content=b"text")
        assert full.status_code == 429
        assert full.headers["retry-after"] == "2"
        assert full.json()["message"] == "1 files at a time, and not more"

        writer.close()
        await writer.wait_closed()
        await until(lambda: documents._under_way == 0)
        assert (await client.post("/documents", content=b"text")).status_code == 200


async def test_a_slow_body_ends() -> None:
    """It doesn't keep its place."""
    documents = Documents(_LIMITS, at_once=1, body_seconds=0.1)
    async with served(more=_only(documents)) as client:
        address = (client.base_url.host, client.base_url.port)
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"POST /documents HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9\r\n\r\n1")
        answer = await reader.read()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the body didn't come within 0.1 seconds" in answer
    assert documents._under_way == 0


async def test_a_reader_that_can_not_be_run(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator learns why; the client that it is a fault, and under which id."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    headers = {**named("a.docx"), "x-request-id": "r1"}
    with capture_logs() as logs:
        answer = await client.post(_PATH, content=docx_of(_TEXT), headers=headers)

    assert answer.status_code == 500
    assert answer.json()["message"] == "internal error; request id r1"
    reason = "the reader of documents can't be run: No such file or directory"
    event = {"event": "document not read", "reason": reason, "log_level": "error"}
    assert logs == [{**event, "request_id": "r1"}]


@given(st.text(max_size=MAX_NAME))
async def test_names_are_safe_to_show(name: str) -> None:
    """One line, no folder, and safe to put into JSON and UTF-8."""
    shown = shown_name(name)

    assert shown.isprintable()
    assert "/" not in shown
    assert "\\" not in shown
    assert json.loads(json.dumps(shown)) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("C:\\Dokumente\\Brücke.docx", "Brücke.docx"),
        ("../../etc/passwd", "passwd"),
        ("a\r\nx: y.txt", "a��x: y.txt"),
        ("\u202etxt.exe", "�txt.exe"),
        ("..", ""),
    ],
)
async def test_shown_names(name: str, shown: str) -> None:
    """Without folders, line ends and signs that turn the writing round."""
    assert shown_name(name) == shown
