"""Requests to servers that nobody vouches for: bounded in size, time and where they lead."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import httpx2

from depesche import __version__
from depesche.errors import DepescheError

__all__ = ["AGENT", "FetchFailed", "Fetched", "Limits", "Refused", "fetch"]

AGENT = f"depesche/{__version__}"
"""What requests say who they are."""

_REDIRECTS = 5
_MOVED = (301, 302, 303, 307, 308)
_MOVED_FOR_GOOD = (301, 308)
# A header of gzip or of zlib, whichever there is.
_EITHER = zlib.MAX_WBITS | 32


class FetchFailed(DepescheError):
    """There is no answer, or none that is wanted; the message never has the address."""


class Refused(FetchFailed):
    """The server answered that it won't, or can't for now.

    Attributes:
        retry_after: seconds that it asks to wait, or None.
    """

    def __init__(self, status: int, retry_after: float | None) -> None:
        self.status = status
        self.retry_after = retry_after
        super().__init__(f"answered {status}")


@dataclass(frozen=True, slots=True)
class Limits:
    """What an answer may take.

    Attributes:
        max_bytes: its size, unpacked.
        seconds: time from the request to its end, with all redirects.
    """

    max_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer.

    Attributes:
        status: its status.
        headers: its headers.
        content: its body, unpacked; empty unless the status is 200.
        url: the address that gave it.
        moved: where the first address has moved for good, or "".
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str
    moved: str = ""


async def fetch(
    client: httpx2.AsyncClient,
    url: str,
    limits: Limits,
    headers: Mapping[str, str] = MappingProxyType({}),
    *,
    allowed: Callable[[httpx2.URL], bool] = lambda _: True,
) -> Fetched:
    """Get what is at an address, following redirects that stay with http and https.

    Args:
        client: what connects.
        url: the address.
        limits: what the answer may take.
        headers: headers of the request.
        allowed: whether an address may be asked; redirects are checked too.

    Raises:
        FetchFailed: nothing came, or too much or too late, or it led where it may not.
    """
    try:
        async with asyncio.timeout(limits.seconds):
            return await _follow(client, url, limits, headers, allowed)
    except TimeoutError:
        raise FetchFailed(f"took more than {limits.seconds:g} s") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, zlib.error) as error:
        # Messages of the library may hold the address.
        raise FetchFailed(f"no answer ({type(error).__name__})") from error


async def _follow(
    client: httpx2.AsyncClient,
    url: str,
    limits: Limits,
    headers: Mapping[str, str],
    allowed: Callable[[httpx2.URL], bool],
) -> Fetched:
    here, moved, for_good = httpx2.URL(url), "", True
    asked = {"user-agent": AGENT, "accept-encoding": "gzip, deflate", **headers}
    for _ in range(_REDIRECTS + 1):
        if here.scheme not in ("http", "https") or not here.host or not allowed(here):
            raise FetchFailed("leads to an address that isn't allowed")
        async with client.stream("GET", here, headers=asked, follow_redirects=False) as response:
            target = response.headers.get("location")
            if response.status_code not in _MOVED or not target:
                body = await _body(response, limits.max_bytes) if _is_ok(response) else b""
                return Fetched(response.status_code, response.headers, body, str(here), moved)
            there = here.join(target)
            if here.scheme == "https" and there.scheme != "https":
                raise FetchFailed("leads from https to another scheme")
            # What comes after a redirect for now may change.
            for_good = for_good and response.status_code in _MOVED_FOR_GOOD
            here, moved = there, str(there) if for_good else moved
    raise FetchFailed(f"leads on more than {_REDIRECTS} times")


def _is_ok(response: httpx2.Response) -> bool:
    return response.status_code == httpx2.codes.OK


async def _body(response: httpx2.Response, most: int) -> bytes:
    """Read a body, unpacked, and no more of it than is allowed."""
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise FetchFailed("is packed in a way that wasn't asked for")
    chunks = response.aiter_raw()
    parts = _plain(chunks) if coding in ("identity", "") else _unpacked(chunks, most)
    content = bytearray()
    async for part in parts:
        content += part
        if len(content) > most:
            raise FetchFailed(f"has more than {most} bytes")
    return bytes(content)


async def _plain(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield chunk


async def _unpacked(chunks: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    """Unpack what is never larger than a little above the limit, however small it was packed."""
    unpacker = zlib.decompressobj(_EITHER)
    async for chunk in chunks:
        yield unpacker.decompress(chunk, most + 1)
    if not unpacker.eof:
        raise FetchFailed("is packed and cut off")
