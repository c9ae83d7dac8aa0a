"""What stands before every path: checks of who asks and how often, and headers for browsers.

`guarded` puts all of it around an application. Each guard is an ASGI application that refuses, or
hands the request on; refusals are those of the JSON edge.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from depesche.errors import QueueFull, QuotaExceeded
from depesche.server.quota import Bucket
from depesche.server.status import to_status
from depesche.web.refusals import Refusal
from depesche.web.unread import Unread

__all__ = ["LOOPBACK", "STRICT_POLICY", "Limits", "guarded", "hosts_of"]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""The names by which a browser finds its own machine."""

STRICT_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""A `Content-Security-Policy` that allows nothing."""

_API = "/v1"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_SITES = frozenset({"same-origin", "none"})  # none: a person typed the address
_PORTS = {"http": 80, "https": 443}
_RETRY_SECONDS = 1.0
_NETWORK_BITS = 64  # of an IPv6 address: what one household or office has
_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What `guarded` goes by.

    Attributes:
        hosts: names by which the service may be asked for, in lower case; `*` for any. Others are
            refused, or a page elsewhere could have its own name stand for this machine and read
            answers (DNS rebinding).
        requests_per_minute: requests that a client's address may make, but for safe ones; 0 for any
            number.
        addresses: how many addresses are told apart; the one that asked longest ago is forgotten.
        concurrent: requests at a time, but for safe ones.
        page_policy: `Content-Security-Policy` of all that isn't JSON.
    """

    hosts: frozenset[str] = LOOPBACK
    requests_per_minute: int = 0
    addresses: int = 10_000
    concurrent: int = 100
    page_policy: str = STRICT_POLICY


def hosts_of(listen: str, names: Iterable[str] = ()) -> frozenset[str]:
    """Give the names that are allowed where nobody says more: this machine's, and the listener's.

    Args:
        listen: where it listens, HOST:PORT.
        names: further names.
    """
    host = listen.rpartition(":")[0].lower()
    return LOOPBACK | {host, *(name.lower() for name in names)}


def guarded(
    app: ASGIApp, limits: Limits, *, clock: Callable[[], float] = time.monotonic
) -> ASGIApp:
    """Put every guard around an application."""
    guards: list[_Check] = [_one_framing, _Hosts(limits.hosts), _SameOrigin()]
    if limits.requests_per_minute:
        guards.append(_Rates(limits.requests_per_minute, limits.addresses, clock))
    checked = _Checked(_Concurrency(app, limits.concurrent), guards)
    return _SecurityHeaders(Unread(checked), limits.page_policy)


_Check = Callable[[Scope, Headers], None]
"""Raises `Refusal` for a request that may not go on."""


class _SecurityHeaders:
    """Tells browsers what they may do with an answer; what the application says itself counts."""

    def __init__(self, app: ASGIApp, page_policy: str) -> None:
        self._app = app
        self._page_policy = page_policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        policy = STRICT_POLICY if _is_api(scope["path"]) else self._page_policy
        headers = _HEADERS | {"content-security-policy": policy}
        await self._app(scope, receive, _with_headers(send, headers))


def _is_api(path: str) -> bool:
    return path == _API or path.startswith(f"{_API}/")


def _with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            found = MutableHeaders(scope=message)
            for name, value in headers.items():
                found.setdefault(name, value)
        await send(message)

    return send_with_headers


class _Checked:
    """Hands on only requests that pass every check."""

    def __init__(self, app: ASGIApp, checks: Iterable[_Check]) -> None:
        self._app = app
        self._checks = tuple(checks)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                for check in self._checks:
                    check(scope, Headers(scope=scope))
            except Refusal as refusal:
                await refusal.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _one_framing(scope: Scope, headers: Headers) -> None:
    """Refuse what a proxy may take for another number of requests (RFC 9112, section 6.3)."""
    del scope
    if {"content-length", "transfer-encoding"} <= set(headers):
        message = "content-length and transfer-encoding: there may be one of them"
        status = Status(code=code_pb2.INVALID_ARGUMENT, message=message)
        raise Refusal(status, headers={"connection": "close"})


class _Hosts:
    """Refuses requests for other names than those of this service."""

    def __init__(self, hosts: frozenset[str]) -> None:
        self._hosts = hosts

    def __call__(self, scope: Scope, headers: Headers) -> None:
        del scope
        if "*" not in self._hosts and _host(headers.get("host", "")) not in self._hosts:
            message = "host: this service isn't known by that name"
            raise Refusal(Status(code=code_pb2.PERMISSION_DENIED, message=message), 421)


def _host(netloc: str) -> str:
    """Give the name of HOST or HOST:PORT, in lower case; an IPv6 address keeps its brackets."""
    name, colon, port = netloc.lower().rpartition(":")
    return name if colon and (port.isdecimal() or not port) else netloc.lower()


class _SameOrigin:
    """Refuses what pages of other sites ask for, by all methods that change or cost something."""

    def __call__(self, scope: Scope, headers: Headers) -> None:
        if scope["method"] in _SAFE:
            return
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        foreign = site is not None and site not in _OWN_SITES
        if foreign or (origin is not None and not _is_own(origin, headers.get("host", ""))):
            message = "origin: pages of other sites may not use this service"
            raise Refusal(Status(code=code_pb2.PERMISSION_DENIED, message=message))


def _is_own(origin: str, host: str) -> bool:
    """Tell whether an origin is this service's, whichever scheme a proxy speaks for it."""
    try:
        theirs, ours = urlsplit(origin), urlsplit(f"//{host}")
        default = _PORTS[theirs.scheme]
        there, here = theirs.port or default, ours.port or default
    except (KeyError, ValueError):
        return False
    return (theirs.hostname, there) == (ours.hostname, here)


class _Rates:
    """Counts the requests of each address."""

    def __init__(self, per_minute: int, addresses: int, clock: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._addresses = addresses
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def __call__(self, scope: Scope, headers: Headers) -> None:
        del headers
        if scope["method"] in _SAFE:
            return
        address = _network(scope["client"][0] if scope.get("client") else "")
        bucket = self._buckets.pop(address, None) or Bucket(self._per_minute, self._clock)
        self._buckets[address] = bucket
        if len(self._buckets) > self._addresses:
            self._buckets.popitem(last=False)
        if wait := bucket.take():
            message = f"{address} may make {bucket.per_minute} requests per minute, not more"
            raise Refusal(to_status(QuotaExceeded(message, wait, address), ""))


def _network(address: str) -> str:
    """Give what stands for a client: its address, or its network in IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address  # a socket of Unix has none
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    bits = 128 - _NETWORK_BITS
    return str(IPv6Address(int(parsed) >> bits << bits))


class _Concurrency:
    """Refuses requests beyond a number at a time."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in _SAFE:
            await self._app(scope, receive, send)
            return
        if self._running >= self._most:
            full = QueueFull(f"{self._most} requests at a time, and not more", _RETRY_SECONDS)
            await Refusal(to_status(full, "")).response()(scope, receive, send)
            return
        self._running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._running -= 1
