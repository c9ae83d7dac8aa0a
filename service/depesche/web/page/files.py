"""The files of the page, as they lie in the package; they are read once, at the start."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.responses import Response

from depesche.web.resources import Endpoint, Exchange

__all__ = ["MEDIA_TYPES", "File", "files", "sends"]

_FOLDER = Path(__file__).with_name("static")

MEDIA_TYPES: Mapping[str, str] = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
"""What may lie there, by the endings of names; anything else isn't served."""

_NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True)
class File:
    """A file.

    Attributes:
        content: its bytes.
        media_type: what it is.
        tag: its strong `ETag`, which another content hasn't.
    """

    content: bytes
    media_type: str
    tag: str


def files(folder: Path = _FOLDER) -> dict[str, File]:
    """Read the files of the page, by their names."""
    return {
        path.name: _read(path)
        for path in sorted(folder.iterdir())
        if path.suffix in MEDIA_TYPES and path.is_file()
    }


def _read(path: Path) -> File:
    content = path.read_bytes()
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return File(content, MEDIA_TYPES[path.suffix], tag)


def sends(file: File) -> Endpoint:
    """Make the endpoint that sends a file, unless the client has it already."""

    async def endpoint(exchange: Exchange) -> None:
        headers = {**exchange.headers, "cache-control": "no-cache", "etag": file.tag}
        if _has(exchange.request.headers.get("if-none-match", ""), file.tag):
            await exchange.answer(Response(None, _NOT_MODIFIED, headers))
        else:
            # Starlette would add a character set to every text.
            headers["content-type"] = file.media_type
            await exchange.answer(Response(file.content, 200, headers))

    return endpoint


def _has(known: str, tag: str) -> bool:
    """Tell whether `If-None-Match` names a tag, weakly compared (RFC 9110, section 13.1.2)."""
    return known.strip() == "*" or tag in {
        each.strip().removeprefix("W/") for each in known.split(",")
    }
