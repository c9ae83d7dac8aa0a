"""Briefs that are kept for who has their address."""

import asyncio
import json
import re
import secrets
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import structlog
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from starlette.responses import Response
from starlette.routing import Route

from depesche.web.page.checks import CheckedEdit, Checks
from depesche.web.page.drafts import Body, Draft
from depesche.web.page.store import Row, Store, StoreFull
from depesche.web.page.values import moment, plain
from depesche.web.refusals import Refusal
from depesche.web.resources import Exchange, Resource

__all__ = ["Kept", "kept_routes", "opened"]

_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_ID_BYTES = 16
_DAY_SECONDS = 86_400.0
_SWEEP_SECONDS = 3_600.0
_CREATED, _NO_CONTENT, _NO_ROOM = 201, 204, 507

_T = TypeVar("_T")
_log = structlog.get_logger()


class Kept:
    """The briefs that are kept, for coroutines: a thread of its own reads and writes the file.

    Attributes:
        days: how many days a brief is kept.
    """

    def __init__(self, store: Store, days: int, clock: Callable[[], float] = time.time) -> None:
        """Take over a store.

        Args:
            store: the store.
            days: how many days a brief is kept; 1 or more.
            clock: tells the seconds since 1970.
        """
        self.days = days
        self._store = store
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, "store")

    def close(self) -> None:
        """End the thread once it has done what was asked, and close the store."""
        self._thread.shutdown()
        self._store.close()

    async def keep(self, body: bytes) -> tuple[str, float]:
        """Keep a brief; gives its id, and until when it is kept in seconds since 1970."""
        id_, now = secrets.token_urlsafe(_ID_BYTES), self._clock()
        row = Row(body, now, now + self.days * _DAY_SECONDS)
        await self._run(lambda: self._store.keep(id_, row))
        return id_, row.expires

    async def find(self, id_: str) -> Row | None:
        """Give a brief, unless there is none or its time is over."""
        return await self._run(lambda: self._store.find(id_, self._clock()))

    async def delete(self, id_: str) -> bool:
        """Delete a brief; gives whether it was there."""
        return await self._run(lambda: self._store.delete(id_, self._clock()))

    @asynccontextmanager
    async def swept(self, seconds: float = _SWEEP_SECONDS) -> AsyncIterator[None]:
        """Delete briefs whose time is over: now, and every so many seconds until the end."""
        sweeping = asyncio.create_task(self._sweep(seconds))
        try:
            yield
        finally:
            sweeping.cancel()
            await asyncio.wait({sweeping})

    async def _sweep(self, seconds: float) -> None:
        while True:
            try:
                count = await self._run(lambda: self._store.expire(self._clock()))
            except sqlite3.Error as error:
                _log.error("kept briefs not expired", reason=_reason(error))
            else:
                if count:
                    _log.info("kept briefs expired", briefs=count)
            await asyncio.sleep(seconds)

    async def _run(self, work: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


@contextmanager
def opened(path: Path | None, days: int) -> Iterator[Kept | None]:
    """Have the briefs of a file for a while; None where no file is named.

    Raises:
        ConfigurationError: the file can't be used.
    """
    if path is None:
        yield None
        return
    kept = Kept(Store(path), days)
    try:
        yield kept
    finally:
        kept.close()


def kept_routes(kept: Kept | None, checks: Checks, body: Body) -> list[Route]:
    """Make the routes of kept briefs; without a store they say that there is none."""
    if kept is None:
        return [
            Route("/page/kept", Resource({"POST": _no_store})),
            Route("/page/kept/{id}", Resource({"GET": _no_store, "DELETE": _no_store})),
        ]
    paths = _Paths(kept, checks, body)
    one = Resource({"GET": paths.get, "DELETE": paths.delete})
    return [
        Route("/page/kept", Resource({"POST": paths.create})),
        Route("/page/kept/{id}", one),
    ]


async def _no_store(exchange: Exchange) -> None:
    del exchange
    raise _not_found("no store is configured: nothing is kept here")


class _Paths:
    """The endpoints."""

    def __init__(self, kept: Kept, checks: Checks, body: Body) -> None:
        self._kept = kept
        self._checks = checks
        self._body = body

    async def create(self, exchange: Exchange) -> None:
        """Keep a brief with its edits, each of which is checked."""
        draft = await self._body.read(exchange)
        edits = await self._checks.check(exchange, draft)
        content = await asyncio.to_thread(_written, draft, edits)
        with _readable(exchange):
            id_, expires = await self._kept.keep(content)
        address = f"/briefs/{id_}"
        answer = {"id": id_, "address": address, "expires": moment(expires)}
        headers = {**exchange.headers, "location": f"/page/kept/{id_}"}
        written = json.dumps(answer)
        await exchange.answer(Response(written, _CREATED, headers, "application/json"))

    async def get(self, exchange: Exchange) -> None:
        """Give a brief."""
        id_ = _id(exchange)
        with _readable(exchange):
            row = await self._kept.find(id_)
        if row is None:
            raise _unknown()
        times = {"created": moment(row.created), "expires": moment(row.expires)}
        # What is kept is an object of JSON; the times are its last fields.
        written = row.body[:-1] + b"," + json.dumps(times).encode()[1:]
        headers = dict(exchange.headers)
        await exchange.answer(Response(written, 200, headers, "application/json"))

    async def delete(self, exchange: Exchange) -> None:
        """Delete a brief."""
        id_ = _id(exchange)
        with _readable(exchange):
            if not await self._kept.delete(id_):
                raise _unknown()
        await exchange.answer(Response(None, _NO_CONTENT, dict(exchange.headers)))


def _written(draft: Draft, edits: Sequence[CheckedEdit]) -> bytes:
    value: dict[str, Any] = {
        "brief": plain(draft.brief),
        "edits": [
            {"place": e.place, "text": e.after, "findings": [plain(f) for f in e.findings]}
            for e in edits
        ],
        "name": draft.name,
    }
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _id(exchange: Exchange) -> str:
    id_ = str(exchange.request.path_params["id"])
    if not _ID.fullmatch(id_):
        raise _unknown()
    return id_


def _unknown() -> Refusal:
    return _not_found("no brief is kept at this address, or not any more")


def _not_found(message: str) -> Refusal:
    return Refusal(Status(code=code_pb2.NOT_FOUND, message=message))


@contextmanager
def _readable(exchange: Exchange) -> Iterator[None]:
    """Answer what goes wrong with the store; the operator learns more than the client."""
    try:
        yield
    except StoreFull as error:
        status = Status(code=code_pb2.RESOURCE_EXHAUSTED, message=str(error))
        raise Refusal(status, _NO_ROOM) from None
    except sqlite3.Error as error:
        _log.error("store not usable", reason=_reason(error), request_id=exchange.id)
        message = f"the store can't be used now; request id {exchange.id}"
        raise Refusal(Status(code=code_pb2.UNAVAILABLE, message=message)) from None


def _reason(error: sqlite3.Error) -> str:
    """Name what is wrong without what was to be written."""
    return str(getattr(error, "sqlite_errorname", type(error).__name__))
