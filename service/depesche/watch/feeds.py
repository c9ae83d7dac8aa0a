"""Feeds: asked for what is new, and read as far as they can be read."""

from collections.abc import Sequence
from dataclasses import dataclass

import httpx2

from depesche.watch.config import Feed
from depesche.watch.fetching import Fetched, Limits, Refused, fetch
from depesche.watch.items import Item, entry_item, unique
from depesche.watch.parser import CUT_OFF
from depesche.watch.parsing import parse
from depesche.watch.waiting import retry_after

__all__ = ["Answer", "ask"]

_OK, _NOT_MODIFIED = 200, 304
_ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, */*;q=0.1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a feed said.

    Attributes:
        items: what it holds, the newest first; None where nothing has changed.
        etag: validator for the next time, or "".
        modified: another one, or "".
        warning: what is wrong with it, or "".
        moved: where it has moved for good, or "".
        complete: whether all that it holds could be read.
    """

    items: Sequence[Item] | None
    etag: str = ""
    modified: str = ""
    warning: str = ""
    moved: str = ""
    complete: bool = True


async def ask(
    client: httpx2.AsyncClient, feed: Feed, limits: Limits, etag: str, modified: str, now: float
) -> Answer:
    """Ask a feed for what it holds, unless it hasn't changed.

    Args:
        client: what connects.
        feed: the feed.
        limits: what its answer may take.
        etag: the validator of its latest answer, or "".
        modified: the other one, or "".
        now: the time, in seconds since 1970.

    Raises:
        FetchFailed: there is no answer, or it isn't a feed.
        Refused: the status says so.
    """
    headers = {"accept": _ACCEPT}
    if etag:
        headers["if-none-match"] = etag
    if modified:
        headers["if-modified-since"] = modified
    fetched = await fetch(client, feed.url, limits, headers)
    if fetched.status == _NOT_MODIFIED:
        return Answer(None, etag, modified, moved=fetched.moved)
    if fetched.status != _OK:
        raise Refused(fetched.status, retry_after(fetched.headers.get("retry-after"), now))
    return await _read(fetched, feed)


async def _read(fetched: Fetched, feed: Feed) -> Answer:
    known = {"content-location": fetched.url}
    if kind := fetched.headers.get("content-type"):
        known["content-type"] = kind
    parsed = await parse(fetched.content, known)
    language = feed.language_or_none
    items = unique(entry_item(entry, language, fetch=feed.fetch) for entry in parsed.entries)
    if parsed.warning:  # the next answer may be better, though the server calls it the same
        complete = parsed.warning != CUT_OFF
        return Answer(items, warning=parsed.warning, moved=fetched.moved, complete=complete)
    return Answer(
        items,
        etag=fetched.headers.get("etag", ""),
        modified=fetched.headers.get("last-modified", ""),
        moved=fetched.moved,
    )
