"""Kept briefs, over the wire."""

import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from depesche.web.page.drafts import HEADLINE
from depesche.web.page.kept import Kept, opened
from depesche.web.page.store import Row, Store
from tests.rpc.support import GERMAN, serving
from tests.server.clock import Clock
from tests.support import until
from tests.web.page.support import BRIEF, draft, served
from tests.web.support import violations

pytestmark = pytest.mark.asyncio(loop_scope="module")
_PATH = "/page/kept"
_DAY = 86_400
_START = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service() -> AsyncIterator[str]:
    async with serving() as (server, _):
        yield server.address


@pytest.fixture
def clock() -> Clock:
    clock = Clock()
    clock.now = _START.timestamp()
    return clock


@pytest.fixture
def kept(tmp_path: Path, clock: Clock) -> Iterator[Kept]:
    found = Kept(Store(tmp_path / "kept.db", max_bytes=20_000), 2, clock)
    yield found
    found.close()


@pytest_asyncio.fixture(loop_scope="module")
async def client(service: str, kept: Kept) -> AsyncIterator[httpx2.AsyncClient]:
    async with served(service, kept=kept, max_body_bytes=50_000) as found:
        yield found


async def keep(client: httpx2.AsyncClient, value: Any) -> dict[str, str]:
    """Have a draft kept that must be."""
    answer = await client.post(_PATH, json=value)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, str] = answer.json()
    assert answer.headers["location"] == f"{_PATH}/{found['id']}"
    return found


async def test_what_is_kept_comes_back(client: httpx2.AsyncClient) -> None:
    """The brief as it came, its edits with what the service finds in them, and the times."""
    value = draft((HEADLINE, "Bridge open"), (0, "It cost 13 million euros."), name="r.docx")
    made = await keep(client, value)
    answer = await client.get(f"{_PATH}/{made['id']}")

    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", made["id"])
    assert made["address"] == f"/briefs/{made['id']}"
    assert (await client.get(made["address"])).headers["content-type"].startswith("text/html")
    assert made["expires"] == "2026-11-29T12:00:00Z"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    found = answer.json()
    assert list(found) == ["brief", "edits", "name", "created", "expires"]
    assert found["brief"]["headline"]["text"] == BRIEF["headline"]["text"]
    assert [(e["place"], e["text"]) for e in found["edits"]] == [
        (HEADLINE, "Bridge open"),
        (0, "It cost 13 million euros."),
    ]
    assert "FINDING_KIND_AMOUNT_MISSING" in {f["kind"] for f in found["edits"][1]["findings"]}
    assert (found["name"], found["created"]) == ("r.docx", "2026-11-27T12:00:00Z")
    assert found["expires"] == made["expires"]


async def test_a_brief_as_the_edge_delivers_it(client: httpx2.AsyncClient) -> None:
    """Is the same afterwards, and can be exported."""
    asked = {"release": {"text": GERMAN}}
    brief = (await client.post("/v1/briefs", json=asked)).json()["brief"]
    made = await keep(client, {"brief": brief})
    found = (await client.get(f"{_PATH}/{made['id']}")).json()

    assert found["brief"] == brief
    again = {"brief": found["brief"], "edits": []}
    assert (await client.post("/page/exports/text", json=again)).status_code == 200


async def test_every_brief_has_an_address_of_its_own(client: httpx2.AsyncClient) -> None:
    """The same one twice has two."""
    ids = {(await keep(client, draft()))["id"] for _ in range(3)}

    assert len(ids) == 3


async def test_its_time_is_over(client: httpx2.AsyncClient, clock: Clock) -> None:
    """Then it is as if it had never been."""
    made = await keep(client, draft())
    clock.now += 2 * _DAY - 1
    assert (await client.get(f"{_PATH}/{made['id']}")).status_code == 200

    clock.now += 1
    for answer in (
        await client.get(f"{_PATH}/{made['id']}"),
        await client.delete(f"{_PATH}/{made['id']}"),
    ):
        assert answer.status_code == 404
        expected = "no brief is kept at this address, or not any more"
        assert answer.json() == {"code": 5, "message": expected, "details": []}


async def test_deleting(client: httpx2.AsyncClient) -> None:
    """Who has the address may; then there is nothing at it."""
    made = await keep(client, draft())
    path = f"{_PATH}/{made['id']}"

    gone = await client.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await client.delete(path)).status_code == 404
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(
    "id_", ["x", "A" * 22, "A" * 23, "A" * 21 + "%22", "A" * 21 + "%0a", "%c3%a9" * 22, "%00" * 22]
)
async def test_addresses_that_are_none(client: httpx2.AsyncClient, id_: str) -> None:
    """Whatever they look like."""
    for method in ("GET", "DELETE"):
        assert (await client.request(method, f"{_PATH}/{id_}")).status_code == 404


async def test_pages_of_other_sites_may_neither_keep_nor_delete(client: httpx2.AsyncClient) -> None:
    """The guards stand before these paths too."""
    path = f"{_PATH}/{(await keep(client, draft()))['id']}"
    foreign = {"origin": "https://evil.example"}

    assert (await client.post(_PATH, json=draft(), headers=foreign)).status_code == 403
    assert (await client.delete(path, headers=foreign)).status_code == 403
    assert (await client.get(path, headers={"host": "evil.example"})).status_code == 421
    assert (await client.get(path)).status_code == 200


async def test_what_is_no_draft_is_not_kept(client: httpx2.AsyncClient) -> None:
    """By the rules of exports."""
    answer = await client.post(_PATH, json=draft((7, "x")))
    assert answer.status_code == 400
    assert list(violations(answer)) == ["edits[0].place"]
    assert (await client.post(_PATH, content=b"{}")).status_code == 415
    assert (await client.post(_PATH, json=draft((0, "x" * 60_000)))).status_code == 413


async def test_no_room(client: httpx2.AsyncClient) -> None:
    """The answer says so; what is there stays."""
    made = await keep(client, draft())
    large = draft() | {"brief": {**BRIEF, "id": "x" * 20_000}}
    answer = await client.post(_PATH, json=large)

    assert answer.status_code == 507
    assert answer.json()["code"] == 8
    assert answer.json()["message"].startswith("no room for another brief; the limit is ")
    assert (await client.get(f"{_PATH}/{made['id']}")).status_code == 200


async def test_a_store_that_fails(client: httpx2.AsyncClient, tmp_path: Path) -> None:
    """Who asks may come again, and learns nothing of the file."""
    _execute(tmp_path, "DROP TABLE briefs")
    id_ = "A" * 22
    headers = {"x-request-id": "r1"}
    with capture_logs() as logs:
        answers = (
            await client.post(_PATH, json=draft(), headers=headers),
            await client.get(f"{_PATH}/{id_}", headers=headers),
            await client.delete(f"{_PATH}/{id_}", headers=headers),
        )

    event = {"event": "store not usable", "reason": "SQLITE_ERROR", "log_level": "error"}
    assert logs == [{**event, "request_id": "r1"}] * 3
    for answer in answers:
        assert answer.status_code == 503
        expected = "the store can't be used now; request id r1"
        assert answer.json() == {"code": 14, "message": expected, "details": []}


async def test_without_a_store_nothing_is_kept(service: str) -> None:
    """The answer says why, and the settings say it before."""
    async with served(service) as client:
        answers = [
            await client.post(_PATH, json=draft()),
            await client.get(f"{_PATH}/x"),
            await client.delete(f"{_PATH}/x"),
        ]
    assert {answer.status_code for answer in answers} == {404}
    messages = {answer.json()["message"] for answer in answers}
    assert messages == {"no store is configured: nothing is kept here"}


async def test_the_settings_tell_of_the_store(client: httpx2.AsyncClient) -> None:
    """And for how many days it keeps."""
    found = (await client.get("/page/settings")).json()

    assert (found["keeps"], found["keepDays"]) == (True, 2)


async def test_sweeping(kept: Kept, clock: Clock, tmp_path: Path) -> None:
    """What nobody asks for any more goes too, at the start and again and again."""
    await kept.keep(b"{}")
    async with kept.swept(0.001):
        clock.now += 2 * _DAY
        await until(lambda: _count(tmp_path) == 0)
        await kept.keep(b"{}")
        clock.now += 2 * _DAY
        await until(lambda: _count(tmp_path) == 0)


async def test_sweeping_goes_on_after_a_failure(kept: Kept, clock: Clock, tmp_path: Path) -> None:
    """The operator is told of it."""
    await kept.keep(b"{}")
    clock.now += 2 * _DAY
    _execute(tmp_path, "ALTER TABLE briefs RENAME TO away")
    with capture_logs() as logs:
        async with kept.swept(0.001):
            await until(lambda: bool(logs))
            _execute(tmp_path, "ALTER TABLE away RENAME TO briefs")
            await until(lambda: logs[-1]["event"] == "kept briefs expired")

    assert _count(tmp_path) == 0
    first = {"event": "kept briefs not expired", "reason": "SQLITE_ERROR", "log_level": "error"}
    assert logs[0] == first
    assert logs[-1]["briefs"] == 1


def _execute(folder: Path, statement: str) -> None:
    db = sqlite3.connect(folder / "kept.db")
    db.execute(statement)
    db.close()


def _count(folder: Path) -> int:
    db = sqlite3.connect(folder / "kept.db")
    count = int(db.execute("SELECT count(*) FROM briefs").fetchone()[0])
    db.close()
    return count


async def test_opened(tmp_path: Path) -> None:
    """A file that is named is there for a while, and what it holds stays."""
    with opened(None, 30) as none:
        assert none is None
    path = tmp_path / "kept.db"
    with opened(path, 30) as first:
        assert first is not None
        assert first.days == 30
        id_, _ = await first.keep(b'{"a":1}')
    with opened(path, 30) as second:
        assert second is not None
        found = await second.find(id_)
        assert isinstance(found, Row)
        assert found.body == b'{"a":1}'
