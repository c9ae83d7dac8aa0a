"""Connections and calls that no honest client makes, and what they may cost the others."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc
import grpc.aio
import pytest
from bench.server_process import server_process
from grpc import StatusCode
from pydantic import SecretStr

from depesche.config import load_settings
from depesche.server.app import _GUARDS, _options
from tests.rpc import http2
from tests.rpc.support import Stubs, failure, page_with, request, serving

_BRIEF = "/depesche.v1.BriefService/CreateBrief"
_CALM = (11).to_bytes(4, "big")  # ENHANCE_YOUR_CALM of RFC 9113, section 7


@pytest.mark.parametrize("method", ["CreateBrief", "StreamBrief", "BriefReleases"])
async def test_without_a_token_no_message_is_read(method: str) -> None:
    """The call is refused before its message comes, so that strangers' messages hold no memory."""
    never = asyncio.Event()

    async def nothing() -> AsyncIterator[bytes]:
        await never.wait()
        yield b""

    async with serving(token=SecretStr("geheim")) as (_, stubs):
        call = stubs.channel.stream_unary(f"/depesche.v1.BriefService/{method}")
        refused = await failure(call(nothing(), timeout=60))

    assert refused.code is StatusCode.UNAUTHENTICATED
    assert refused.reason == "Unauthenticated"
    assert "x-request-id" in refused.metadata


@pytest.mark.parametrize("name", ["x-padding", "authorization", "x-request-id"])
async def test_metadata_have_a_limit(name: str) -> None:
    """What is sent beside a message can't be large either."""
    async with serving() as (_, stubs):
        refused = await failure(
            stubs.briefs.CreateBrief(request(), metadata=((name, "a" * 20_000),))
        )
        await stubs.briefs.CreateBrief(request())

    assert refused.code is StatusCode.RESOURCE_EXHAUSTED


async def test_a_message_that_unpacks_to_more_than_the_limit_is_refused() -> None:
    """A small message that grows when it is unpacked is measured by what it grows to."""
    async with serving() as (_, stubs):
        bomb = request("a" * 17_000_000)
        refused = await failure(stubs.briefs.CreateBrief(bomb, compression=grpc.Compression.Gzip))
        reply = await stubs.briefs.CreateBrief(request(), compression=grpc.Compression.Gzip)

    assert refused.code is StatusCode.RESOURCE_EXHAUSTED
    assert reply.brief.headline.text


async def test_pings_without_end_end_the_connection() -> None:
    """Who pings faster than anybody needs to is sent away, and others notice nothing."""
    async with serving() as (server, stubs):
        reader, writer = await http2.connect(server.address)
        writer.write(http2.frame(http2.PING, payload=b"8 bytes.") * 20)
        frames = [frame async for frame in _frames(reader)]
        writer.close()
        await stubs.briefs.CreateBrief(request())

    (last,) = (frame for frame in frames if frame.kind == http2.GOAWAY)
    assert last.payload[4:8] == _CALM


async def _frames(reader: asyncio.StreamReader) -> AsyncIterator[http2.Frame]:
    """Give what the server sends until it closes the connection."""
    while frame := await http2.read(reader):
        yield frame


async def test_calls_opened_and_reset_without_end_leave_nothing() -> None:
    """Thousands of calls that are taken back at once hold nothing, and others are served."""
    headers = http2.header_block(_BRIEF)
    async with serving() as (server, stubs):
        reader, writer = await http2.connect(server.address)
        flood = asyncio.ensure_future(_reset(writer, headers))
        replies = [await stubs.briefs.CreateBrief(request(), timeout=60) for _ in range(5)]
        await asyncio.gather(flood, return_exceptions=True)
        writer.close()
        async for _ in _frames(reader):
            pass
        await page_with(server, "depesche_requests_in_flight 0.0\n")

    assert all(reply.brief.headline.text for reply in replies)


async def _reset(writer: asyncio.StreamWriter, headers: bytes) -> None:
    cancel = (8).to_bytes(4, "big")
    for stream in range(1, 10_000, 2):
        writer.write(http2.frame(http2.HEADERS, stream, headers, http2.END_HEADERS))
        writer.write(http2.frame(http2.RST_STREAM, stream, cancel))
        await writer.drain()


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00", b"\0" * 100_000]
)
async def test_what_is_not_http_2_ends_its_connection(data: bytes) -> None:
    """Another protocol on the port gets no further, and others notice nothing."""
    async with serving() as (server, stubs):
        reader, writer = await http2.connect(server.address, data)
        async for _ in _frames(reader):
            pass
        writer.close()
        assert (await stubs.briefs.CreateBrief(request())).brief.headline.text


@pytest.mark.timeout(300)
async def test_connections_have_a_limit_and_probes_still_get_in() -> None:
    """Who opens connections without end keeps some out, but neither probes nor those within."""
    limit = dict(_options(load_settings()))["grpc.max_allowed_incoming_connections"]
    listeners = {"listen": "127.0.0.1:0", "metrics": "127.0.0.1:0"}
    program = ("-m", "tests.rpc.slow_server", "0")
    async with (
        server_process(program, **listeners, health_listen="127.0.0.1:0") as server,
        grpc.aio.insecure_channel(server.listen) as channel,
    ):
        await Stubs(channel).briefs.CreateBrief(request())
        opened = [await http2.connect(server.listen) for _ in range(limit + 20)]
        shut = 0
        for reader, _ in opened[limit:]:
            shut += await http2.read(reader) is None
        reply = await Stubs(channel).briefs.CreateBrief(request())
        async with grpc.aio.insecure_channel(server.health) as probe:
            assert await Stubs(probe).is_serving("readiness")
        for _, writer in opened:
            writer.close()

    assert shut == 20
    assert reply.brief.headline.text


_FASTER = 50


@pytest.mark.parametrize(
    ("greeting", "without"),
    [
        (b"", "keepalive"),
        (http2.PREFACE, "keepalive"),
        (http2.PREFACE + http2.frame(http2.SETTINGS), "handshake"),
    ],
    ids=["says nothing", "says what and not how", "answers no ping"],
)
async def test_a_connection_that_answers_nothing_is_closed(greeting: bytes, without: str) -> None:
    """Who says nothing, or answers no ping as a machine that is gone, is let go in time.

    With the service's own options, whose times, of 10 to 80 seconds, are a fiftieth here.
    """
    options = [
        (name, value // _FASTER if name.endswith("_ms") else value)
        for name, value in _GUARDS
        if without not in name
    ]
    async with _bare_server(options) as address:
        reader, writer = await http2.connect(address, greeting)
        async with asyncio.timeout(20):
            async for _ in _frames(reader):
                pass
        writer.close()


@asynccontextmanager
async def _bare_server(options: Sequence[tuple[str, int]]) -> AsyncIterator[str]:
    """Run a server without services; gives its address."""
    server = grpc.aio.server(options=options)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
