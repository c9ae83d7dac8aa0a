"""Frames of HTTP/2 by hand, for what no library of gRPC would send (RFC 9113, section 4)."""

import asyncio
import struct
from dataclasses import dataclass

__all__ = [
    "END_HEADERS",
    "GOAWAY",
    "HEADERS",
    "PING",
    "PREFACE",
    "RST_STREAM",
    "SETTINGS",
    "Frame",
    "connect",
    "frame",
    "header_block",
    "read",
]

HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 1, 3, 4, 6, 7


END_HEADERS = 4

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client says first; its settings follow."""

_HEAD_BYTES = 9
_ONE_BYTE_LENGTH = 127


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that the server sent."""

    kind: int
    stream: int
    payload: bytes


def frame(kind: int, stream: int = 0, payload: bytes = b"", flags: int = 0) -> bytes:
    """Make a frame."""
    length = struct.pack(">I", len(payload))[1:]
    return length + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def header_block(path: str, **more: str) -> bytes:
    """Make the headers of a call, each a literal without Huffman's code (RFC 7541, 6.2.2)."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": "localhost",
        "te": "trailers",
        "content-type": "application/grpc",
        **more,
    }
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in fields.items())


def _text(text: str) -> bytes:
    if len(text) >= _ONE_BYTE_LENGTH:
        raise AssertionError("the length of a longer text has several bytes")
    return bytes((len(text),)) + text.encode()


async def connect(
    address: str, greeting: bytes = PREFACE + frame(SETTINGS)
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection and say something, by default that it is HTTP/2."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(greeting)
    return reader, writer


async def read(reader: asyncio.StreamReader) -> Frame | None:
    """Give the next frame, or None when the server has closed the connection."""
    try:
        head = await reader.readexactly(_HEAD_BYTES)
        payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return Frame(head[3], int.from_bytes(head[5:], "big"), payload)
