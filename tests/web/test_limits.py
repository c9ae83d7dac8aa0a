"""The guards, around an application that is reached only by what they let through."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from depesche.web.limits import STRICT_POLICY, Limits, guarded, hosts_of
from tests.server.clock import Clock

_METHODS = ["GET", "POST"]


async def _here(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{request.method} {request.url.path}")


def application() -> ASGIApp:
    return Starlette(routes=[Route("/{path:path}", _here, methods=_METHODS)])


async def ask(
    app: ASGIApp,
    method: str = "POST",
    path: str = "/v1/briefs",
    *,
    client: tuple[str, int] = ("192.0.2.1", 50000),
    headers: Mapping[str, str] | None = None,
) -> httpx2.Response:
    """Send one request from an address."""
    transport = httpx2.ASGITransport(app, client=client)
    base = "http://localhost:8080"
    async with httpx2.AsyncClient(transport=transport, base_url=base) as http:
        return await http.request(method, path, headers=headers)


@pytest.mark.parametrize(("path", "is_api"), [("/", False), ("/v1", True), ("/v1/models", True)])
async def test_browsers_are_told_what_they_may_do(path: str, *, is_api: bool) -> None:
    """Nothing, with an answer of JSON; a page has a policy of its own."""
    page = "default-src 'self'"
    answer = await ask(guarded(application(), Limits(page_policy=page)), "GET", path)

    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == (STRICT_POLICY if is_api else page)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_refusals_have_the_same_headers() -> None:
    """Whoever refuses."""
    answer = await ask(guarded(application(), Limits()), headers={"host": "evil.example"})

    assert answer.status_code == 421
    assert answer.headers["content-security-policy"] == STRICT_POLICY


async def test_the_application_may_say_more_itself() -> None:
    """A header that it has set stays."""

    async def own(request: Request) -> PlainTextResponse:
        del request
        return PlainTextResponse("", headers={"referrer-policy": "same-origin"})

    answer = await ask(guarded(Starlette(routes=[Route("/x", own)]), Limits()), "GET", "/x")

    assert answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "[::1]", "briefs.example:"]
)
async def test_own_names(host: str) -> None:
    """In any case and with any port."""
    app = guarded(application(), Limits(hosts=hosts_of("127.0.0.1:8080", ["Briefs.example"])))

    assert (await ask(app, headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.2", "[::2]", "", "localhost:x"]
)
async def test_other_names_are_refused(host: str) -> None:
    """A page elsewhere may have its name stand for this machine, and would read the answers."""
    for method in ("GET", "POST"):
        answer = await ask(guarded(application(), Limits()), method, headers={"host": host})

        assert answer.status_code == 421
        assert answer.json()["code"] == 7


async def test_any_name_if_it_is_asked_for() -> None:
    """Where a proxy checks it."""
    app = guarded(application(), Limits(hosts=frozenset("*")))

    assert (await ask(app, headers={"host": "evil.example"})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"origin": "http://localhost:8080"},
        {"origin": "https://localhost:8080"},
        {"origin": "http://localhost", "host": "localhost"},
        {"origin": "https://localhost", "host": "localhost:443"},
    ],
)
async def test_own_pages_and_programs_may_ask(headers: dict[str, str]) -> None:
    """Programs send neither header."""
    answer = await ask(guarded(application(), Limits()), headers=headers)

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "origin": "http://localhost:8080"},
        {"origin": "http://evil.example"},
        {"origin": "http://localhost"},
        {"origin": "http://localhost:8081"},
        {"origin": "http://localhost.evil.example:8080"},
        {"origin": "http://localhost:x"},
        {"origin": "chrome-extension://localhost:8080"},
        {"origin": "null"},
        {"origin": ""},
    ],
)
async def test_pages_of_other_sites_may_not_ask(headers: dict[str, str]) -> None:
    """Not even those of another port of this machine; but whoever follows a link gets the page."""
    app = guarded(application(), Limits())
    answer = await ask(app, headers=headers)

    assert answer.status_code == 403
    assert answer.json()["code"] == 7
    assert (await ask(app, "GET", "/", headers=headers)).status_code == 200


async def test_an_address_may_ask_so_often() -> None:
    """Ten seconds' requests at once; then the answer tells when to come again."""
    clock = Clock()
    app = guarded(application(), Limits(requests_per_minute=12), clock=clock)

    assert [(await ask(app)).status_code for _ in range(3)] == [200, 200, 429]
    refused = await ask(app)
    assert refused.headers["retry-after"] == "5"
    assert refused.json()["code"] == 8
    assert refused.json()["details"][0]["reason"] == "QuotaExceeded"
    clock.now = 5.0
    assert (await ask(app)).status_code == 200


async def test_addresses_have_quotas_of_their_own() -> None:
    """In IPv6, networks have: a household has more addresses than anybody could count."""
    app = guarded(application(), Limits(requests_per_minute=1), clock=Clock())

    async def status(address: str) -> int:
        return (await ask(app, client=(address, 1))).status_code

    assert [await status(a) for a in ("192.0.2.1", "192.0.2.2", "192.0.2.1")] == [200, 200, 429]
    assert [await status(a) for a in ("2001:db8::1", "2001:db8::2")] == [200, 429]
    assert await status("2001:db8:0:1::1") == 200
    assert await status("::ffff:192.0.2.1") == 429
    assert await status("") == 200


async def test_what_costs_nothing_is_not_counted() -> None:
    """A page and its parts are many requests."""
    app = guarded(application(), Limits(requests_per_minute=1), clock=Clock())

    assert [(await ask(app, "GET", "/")).status_code for _ in range(5)] == [200] * 5


async def test_no_number_of_addresses_fills_the_memory() -> None:
    """Who asked longest ago is forgotten first."""
    app = guarded(application(), Limits(requests_per_minute=1, addresses=2), clock=Clock())

    async def status(last: int) -> int:
        return (await ask(app, client=(f"192.0.2.{last}", 1))).status_code

    assert [await status(n) for n in (1, 2, 1, 3)] == [200, 200, 429, 200]
    assert [await status(n) for n in (1, 2)] == [429, 200]


async def test_no_more_than_so_many_at_a_time() -> None:
    """Others are told to come again; a page still comes."""
    begun, end = asyncio.Event(), asyncio.Event()

    async def slow(request: Request) -> PlainTextResponse:
        if request.method == "POST":
            begun.set()
            await end.wait()
        return PlainTextResponse("")

    routes = [Route("/v1/briefs", slow, methods=_METHODS)]
    app = guarded(Starlette(routes=routes), Limits(concurrent=1))
    first = asyncio.ensure_future(ask(app))
    await begun.wait()

    refused = await ask(app)
    assert refused.status_code == 429
    assert refused.headers["retry-after"] == "1"
    assert (await ask(app, "GET")).status_code == 200
    end.set()
    assert (await first).status_code == 200
    assert (await ask(app)).status_code == 200


async def test_what_is_no_request_passes() -> None:
    """The start and end of the application, which have no headers."""
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        del receive, send
        seen.append(scope["type"])

    await guarded(app, Limits())({"type": "lifespan"}, None, None)  # type: ignore[arg-type]

    assert seen == ["lifespan"]
