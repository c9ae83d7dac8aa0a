"""Exports, over the wire."""

import json
import re
from collections.abc import AsyncIterator
from copy import deepcopy
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote

import httpx2
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from depesche import __version__
from depesche.web.page.documents import shown_name
from depesche.web.page.drafts import HEADLINE
from depesche.web.page.exports import FORMATS, attachment
from tests.rpc.support import GERMAN, serving
from tests.web.page.support import BRIEF, draft, served
from tests.web.support import violations

pytestmark = pytest.mark.asyncio(loop_scope="module")
_LIMIT = 100_000
_TYPES = {
    "text": ("text/plain", ".brief.txt"),
    "markdown": ("text/markdown", ".brief.md"),
    "html": ("text/html", ".brief.html"),
    "json": ("application/json", ".brief.json"),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with serving() as (server, _), served(server.address, max_body_bytes=_LIMIT) as found:
        yield found


async def ask(client: httpx2.AsyncClient, output_format: str, value: Any) -> httpx2.Response:
    """Ask for an export that must be made."""
    answer = await client.post(f"/page/exports/{output_format}", json=value)
    assert answer.status_code == 200
    return answer


@pytest.mark.parametrize("output_format", FORMATS)
async def test_every_format_is_a_file(client: httpx2.AsyncClient, output_format: str) -> None:
    """Saved under the release's name, in UTF-8, and able to do nothing where it is opened."""
    media_type, suffix = _TYPES[output_format]
    answer = await ask(client, output_format, draft(name="r 1.docx"))

    assert answer.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert answer.headers["content-disposition"] == (
        f"attachment; filename=\"r_1.docx{suffix}\"; filename*=UTF-8''r%201.docx{suffix}"
    )
    assert answer.headers["cache-control"] == "no-store"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "Bridge opened" in answer.text
    assert "Brücke eröffnet" in answer.text
    assert "edited by hand" not in answer.text


@pytest.mark.parametrize("output_format", ["text", "markdown", "html"])
async def test_edits_are_shown_and_counted(client: httpx2.AsyncClient, output_format: str) -> None:
    """As they were written, with what the new check finds in place of the old findings."""
    value = deepcopy(draft((0, "It cost 13 million euros."), (HEADLINE, "Bridge open")))
    value["brief"]["keySentences"][0]["findings"] = [{"message": "an old finding"}]
    answer = (await ask(client, output_format, value)).text

    assert "⚠ It cost 13 million euros." in answer
    assert "It cost 12 million euros." not in answer
    assert "12 million" in answer  # what the check expects
    assert "old finding" not in answer
    assert "Bridge open" in answer
    assert "2 sentences of the brief edited by hand" in answer


async def test_a_right_edit_has_no_finding(client: httpx2.AsyncClient) -> None:
    """And takes away that of the sentence before."""
    value = deepcopy(draft((0, "The cost was 12 million euros.")))
    value["brief"]["keySentences"][0]["findings"] = [{"message": "an old finding"}]
    answer = (await ask(client, "text", value)).text

    assert "• The cost was 12 million euros. [2]\n" in answer
    assert "old finding" not in answer


async def test_the_record(client: httpx2.AsyncClient) -> None:
    """The brief as it came, its signature, each edit and its findings, when and by what."""
    before = datetime.now(UTC).replace(microsecond=0)
    value = draft((0, "It cost 13 million euros."), (1, "Traffic flows."), name="r.docx")
    found = (await ask(client, "json", value)).json()

    exported = datetime.strptime(found["exported"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert before <= exported <= datetime.now(UTC)
    assert found["version"] == __version__
    assert found["name"] == "r.docx"
    assert found["signature"] == "depesche:0|splitter:1"
    (edit,) = found["edits"]
    assert (edit["place"], edit["before"], edit["after"]) == (
        *(0, "It cost 12 million euros.", "It cost 13 million euros."),
    )
    assert {f["kind"] for f in edit["findings"]} >= {"FINDING_KIND_AMOUNT_MISSING"}
    assert found["brief"]["keySentences"][0]["text"] == "It cost 12 million euros."
    assert [s["normalisedSource"] for s in found["brief"]["translation"]] == [
        s["normalisedSource"] for s in BRIEF["translation"]
    ]


async def test_a_brief_as_the_edge_delivers_it(client: httpx2.AsyncClient) -> None:
    """It comes back the same in the record, in every field."""
    asked = {"release": {"text": GERMAN, "id": "r1"}}
    brief = (await client.post("/v1/briefs", json=asked)).json()["brief"]
    found = (await ask(client, "json", {"brief": brief})).json()

    assert found["brief"] == brief
    assert found["signature"] == brief["signature"]["line"]


_MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


async def test_markup_of_a_release_stays_text(client: httpx2.AsyncClient) -> None:
    """In sentences, edits, findings, signature and the file's name."""
    value = deepcopy(draft((1, f"Traffic {_MARKUP}"), name=f"{_MARKUP}.html"))
    for sentence in value["brief"]["translation"]:
        sentence["normalisedSource"] += _MARKUP
    value["brief"]["headline"] |= {"text": _MARKUP, "findings": [{"message": _MARKUP}]}
    value["brief"]["signature"]["line"] = _MARKUP
    answer = await ask(client, "html", value)

    assert "<script" not in answer.text
    assert "<img" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert re.fullmatch(r"[ -~]+", answer.headers["content-disposition"])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"host": "evil.example"}, 421),
        ({"content-type": "text/plain"}, 415),
        ({"content-encoding": "gzip"}, 415),
        ({"grpc-timeout": "soon"}, 400),
    ],
)
async def test_requests_that_are_refused(
    client: httpx2.AsyncClient, headers: dict[str, str], status: int
) -> None:
    """By the guards, and by the rules of bodies of JSON."""
    content = json.dumps(draft((0, "x"))).encode()
    kind = {"content-type": "application/json", **headers}
    answer = await client.post("/page/exports/text", content=content, headers=kind)

    assert answer.status_code == status
    assert "content-disposition" not in answer.headers


async def test_a_body_that_is_too_long(client: httpx2.AsyncClient) -> None:
    """The limit is told."""
    answer = await client.post("/page/exports/text", json=draft((0, "x" * _LIMIT)))

    assert answer.status_code == 413
    assert violations(answer) == {"request": f"is too long; the limit is {_LIMIT} bytes"}


async def test_other_formats_and_methods(client: httpx2.AsyncClient) -> None:
    """There is nothing at the one, and the other is told."""
    assert (await client.post("/page/exports/pdf", json=draft())).status_code == 404
    assert (await client.get("/page/exports/text")).headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("name", "plain", "whole"),
    [
        ("", "brief.txt", "brief.txt"),
        ("Übersicht.docx", "_bersicht.docx.brief.txt", "%C3%9Cbersicht.docx.brief.txt"),
        (".htaccess", "htaccess.brief.txt", "htaccess.brief.txt"),
        (
            'a"; filename="b.exe',
            "a_filename_b.exe.brief.txt",
            "a%22%3B%20filename%3D%22b.exe.brief.txt",
        ),
    ],
)
async def test_names_of_files(name: str, plain: str, whole: str) -> None:
    """After the release's, in ASCII and in full."""
    expected = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}"

    assert attachment(name, "text") == expected


@given(st.text(max_size=255))
async def test_no_name_adds_to_a_header(name: str) -> None:
    """It stays one value of ASCII, of a length that file systems take, with its suffix."""
    header = attachment(shown_name(name), "html")
    message = EmailMessage()
    message["Content-Disposition"] = header

    assert re.fullmatch(
        r'attachment; filename="[\w.-]+"; filename\*=UTF-8\'\'[\w.~%-]+', header, re.ASCII
    )
    whole = unquote(header.rpartition("''")[2])
    assert whole.endswith("brief.html")
    assert len(whole.encode()) < 200
    assert not whole.startswith(".")
    assert message.get_content_disposition() == "attachment"
