"""Files that are dropped on the page: read into text and sent back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from urllib.parse import unquote_to_bytes

import structlog
from starlette.responses import Response

from depesche.documents import Document, Limits, extract
from depesche.errors import InvalidRequest, OperatorError, QueueFull, Violation
from depesche.server.status import to_status
from depesche.web.events import unless_gone
from depesche.web.refusals import Refusal, invalid
from depesche.web.requests import read_bytes
from depesche.web.resources import Exchange

__all__ = ["MAX_NAME", "Documents", "shown_name"]

MAX_NAME = 255
"""Most characters of a file's name."""

_NAME = "x-document-name"
_FORMS = ("multipart/", "application/x-www-form-urlencoded")
_RETRY_SECONDS = 2.0

_log = structlog.get_logger()


class Documents:
    """The endpoint that takes a file and gives its text.

    Nothing is written to disk. Each request holds a file's bytes, so there are few at a time.
    """

    def __init__(self, limits: Limits, *, at_once: int = 8, body_seconds: float = 60.0) -> None:
        """Take what is allowed.

        Args:
            limits: what a file and the reading of it may take.
            at_once: files that come or are read at a time; more are refused.
            body_seconds: longest time that a file may take to come.
        """
        self._limits = limits
        self._at_once = at_once
        self._body_seconds = body_seconds
        self._under_way = 0

    async def __call__(self, exchange: Exchange) -> None:
        """Answer a request."""
        request = exchange.request
        name = _name(request.headers.get(_NAME, ""))
        media_type = request.headers.get("content-type", "")
        if media_type.strip().lower().startswith(_FORMS):
            raise invalid(Violation("content-type", "must be the file's, not a form's"), http=415)
        with self._place():
            most = self._limits.file_bytes
            content = await read_bytes(request, most, self._body_seconds)
            reading = self._read(content, name, media_type, exchange.id)
            document = await unless_gone(reading, request.receive)
        answer = {"text": document.text, "title": document.title, "kind": document.kind}
        written = json.dumps({**answer, "name": name}, ensure_ascii=False).encode()
        headers = dict(exchange.headers)
        await exchange.answer(Response(written, 200, headers, "application/json"))

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._under_way >= self._at_once:
            full = QueueFull(f"{self._at_once} files at a time, and not more", _RETRY_SECONDS)
            raise Refusal(to_status(full, ""))
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    async def _read(self, content: bytes, name: str, media_type: str, id_: str) -> Document:
        try:
            return await extract(content, name, media_type, limits=self._limits, plain=True)
        except InvalidRequest as error:
            raise Refusal(to_status(error, id_)) from None
        except OperatorError as error:
            _log.error("document not read", reason=str(error), request_id=id_)
            raise Refusal(to_status(error, id_)) from None


def _name(header: str) -> str:
    """Read a name that is percent-encoded UTF-8."""
    try:
        name = unquote_to_bytes(header.encode("ascii")).decode()
    except UnicodeError:
        raise invalid(Violation(_NAME, "must be percent-encoded UTF-8")) from None
    if len(name) > MAX_NAME:
        raise invalid(Violation(_NAME, f"has {len(name)} characters; the limit is {MAX_NAME}"))
    return shown_name(name)


def shown_name(name: str) -> str:
    """Give a file's name as it may be shown: without its folders and what doesn't print."""
    last = PurePosixPath(name.replace("\\", "/")).name
    last = "" if last == ".." else last
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in last)
