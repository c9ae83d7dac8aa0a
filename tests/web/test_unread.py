"""Bodies that nobody reads, over the wire."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio

from depesche.web.limits import Limits, guarded
from tests.web.support import edge, scripted

pytestmark = pytest.mark.asyncio(loop_scope="module")
_LIMIT = 10_000
_JSON = {"content-type": "application/json"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    limits = Limits(concurrent=10)
    async with (
        scripted() as service,
        edge(service, lambda app: guarded(app, limits), max_body_bytes=_LIMIT) as found,
    ):
        yield found


async def connected(
    client: httpx2.AsyncClient, head: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect, and send the head of a request."""
    address = (client.base_url.host, client.base_url.port)
    reader, writer = await asyncio.open_connection(*address)
    start = f"POST /v1/briefs HTTP/1.1\n{head}content-type: application/json\n\n"
    writer.write(start.replace("\n", "\r\n").encode())
    return reader, writer


async def _send_for_ever(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize("host", ["localhost", "evil.example"])
async def test_a_body_without_end_has_one(client: httpx2.AsyncClient, host: str) -> None:
    """The connection ends soon after the refusal, whoever refuses."""
    _, writer = await connected(client, f"host: {host}\ntransfer-encoding: chunked\n")

    with pytest.raises(ConnectionError):
        await _send_for_ever(writer)
    assert (await client.post("/v1/briefs", json={})).status_code == 501


async def test_who_sends_somewhat_too_much_sees_why(client: httpx2.AsyncClient) -> None:
    """The answer comes whole, and the connection stays."""
    for size in (_LIMIT + 1, 300_000):
        answer = await client.post("/v1/briefs", content=b" " * size, headers=_JSON)
        assert answer.status_code == 413
        assert answer.json()["code"] == 3
        assert "connection" not in answer.headers


async def test_who_sends_far_too_much_is_told_to_go(client: httpx2.AsyncClient) -> None:
    """By a header, where the body is more than is worth reading."""
    reader, writer = await connected(client, "host: localhost\ncontent-length: 1000000000\n")
    answer = await reader.read()
    writer.close()

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nconnection: close\r\n" in answer.lower()
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == 3


async def test_who_asks_first_need_not_send(client: httpx2.AsyncClient) -> None:
    """As curl does before a long body: it gets the refusal in place of the leave."""
    wait = "expect: 100-continue\ncontent-length: 1000000\n"
    reader, writer = await connected(client, f"host: localhost\n{wait}")
    answer = await reader.read()
    writer.close()

    assert answer.startswith(b"HTTP/1.1 413 ")
