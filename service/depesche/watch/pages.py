"""Pages that items link to: untrusted addresses, which lead to known hosts or nowhere."""

import httpx2

from depesche.documents import extract
from depesche.errors import InvalidRequest
from depesche.types import Release
from depesche.watch.config import Feed
from depesche.watch.fetching import FetchFailed, Limits, Refused, fetch
from depesche.watch.waiting import retry_after

__all__ = ["PageGone", "fetch_page"]

_OK = 200
_PASSING = frozenset({408, 425, 429})
_SERVER_ERROR = 500
_ACCEPT = "text/html, application/xhtml+xml, */*;q=0.1"
_STANDARD_PORTS = {"http": 80, "https": 443}


class PageGone(FetchFailed):
    """A page can't be read, today or tomorrow."""


async def fetch_page(
    client: httpx2.AsyncClient, feed: Feed, link: str, limits: Limits, now: float
) -> Release:
    """Read the page that an item links to.

    A link is whatever the feed's author wrote, so that it may lead to the feed's own host and those
    that the plan names, and nowhere else.

    Raises:
        PageGone: it will never be read.
        FetchFailed: it can't be read for now.
    """
    hosts = frozenset({_host(httpx2.URL(feed.url)), *map(str.lower, feed.fetch_hosts)})
    try:
        url = httpx2.URL(link)
    except httpx2.InvalidURL:
        raise PageGone("the link is no address") from None
    if not _is_among(url, hosts):
        raise PageGone("the link leads to a host that fetch_hosts doesn't name")
    fetched = await fetch(
        client, link, limits, {"accept": _ACCEPT}, allowed=lambda to: _is_among(to, hosts)
    )
    if fetched.status != _OK:
        if fetched.status in _PASSING or fetched.status >= _SERVER_ERROR:
            raise Refused(fetched.status, retry_after(fetched.headers.get("retry-after"), now))
        raise PageGone(f"the page answered {fetched.status}")
    kind = fetched.headers.get("content-type", "text/html")
    try:
        document = await extract(fetched.content, "", kind)
    except InvalidRequest as error:
        raise PageGone(f"the page can't be read: {error}") from error
    return Release(document.text, document.content_format, document.title, feed.language_or_none)


def _host(url: httpx2.URL) -> str:
    """Name a host as `fetch_hosts` does: with the port, unless it is a usual one."""
    usual = url.port is None or url.port in _STANDARD_PORTS.values()
    return url.host.lower() if usual else f"{url.host.lower()}:{url.port}"


def _is_among(url: httpx2.URL, hosts: frozenset[str]) -> bool:
    return url.scheme in _STANDARD_PORTS and _host(url) in hosts
