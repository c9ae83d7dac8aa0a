"""Feeds of both clients, against a server that answers by a table."""

import asyncio
import itertools
import threading
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from depesche import errors
from depesche.client import Client, SyncClient
from depesche.client.feed import Backlog
from depesche.types import BriefOptions, Release
from tests.client.support import INVALID, RELEASE, Service, connected, opened

Kind = type[Client | SyncClient]


def _releases(*ids: str) -> Iterator[tuple[str, Release]]:
    return ((id_, RELEASE) for id_ in ids)


async def test_one_bad_release_fails_alone(kind: Kind) -> None:
    """Each release gets its brief or its error, under its id even where the service has lost it."""
    items = iter([("good", RELEASE), ("bad", Release("")), ("fine", RELEASE)])
    async with connected(kind, Service()) as call:
        replies = dict([reply async for reply in call.replies("briefs", call.source(items))])

    assert replies["good"].headline.text == replies["fine"].headline.text == "Good day."
    assert isinstance(replies["bad"], errors.InvalidRequest)
    assert replies["bad"].violations == INVALID.violations


async def test_ids_need_not_differ(kind: Kind) -> None:
    """Replies are matched by their place, so that every release has one."""
    async with connected(kind, Service()) as call:
        source = call.source(_releases("", "", "a"))
        ids = [id_ async for id_, _ in call.replies("briefs", source)]

    assert ids == ["", "", "a"]


async def test_the_source_is_read_as_the_service_takes_it(kind: Kind) -> None:
    """A source without an end is fed while replies come, and is left when they are."""
    numbers = itertools.count()
    endless = ((f"r{number}", RELEASE) for number in numbers)
    async with (
        connected(kind, Service()) as call,
        aclosing(call.replies("briefs", call.source(endless))) as replies,
    ):
        ids = [(await anext(replies))[0] for _ in range(5)]

    assert ids == ["r0", "r1", "r2", "r3", "r4"]


@pytest.mark.parametrize("resume", [False, True])
async def test_an_error_of_the_source_is_raised_as_it_is(kind: Kind, resume: bool) -> None:
    """It comes after the replies to the releases before it."""

    def broken() -> Iterator[tuple[str, Release]]:
        yield "a", RELEASE
        raise OSError("the disk is gone")

    ids = []
    async with connected(kind, Service()) as call:
        with pytest.raises(OSError, match="the disk is gone"):  # noqa: PT012 - replies come first
            async for id_, _ in call.replies("briefs", call.source(broken()), resume=resume):
                ids.append(id_)

    assert ids == ["a"]


async def test_a_feed_ends_with_its_server(kind: Kind) -> None:
    """Unless it is to be resumed."""
    service = Service()
    service.ends = [1]
    async with connected(kind, service) as call:
        with pytest.raises(errors.ShuttingDown):
            [id_ async for id_, _ in call.replies("briefs", call.source(_releases("a", "b")))]


@pytest.mark.parametrize("ends", [0, 1])
async def test_a_feed_fails_by_what_its_server_says(kind: Kind, ends: int) -> None:
    """However many releases are being sent meanwhile."""
    service = Service()
    service.ends = [ends] * 20
    ids = [f"r{number}" for number in range(40)]
    async with connected(kind, service, retries=False) as call:
        for _ in range(20):
            with pytest.raises(errors.ShuttingDown) as caught:
                [reply async for reply in call.replies("briefs", call.source(_releases(*ids)))]
            assert caught.value.request_id == "r1"

    assert service.calls == 20


async def test_a_feed_that_is_resumed(kind: Kind) -> None:
    """Only releases without a reply are sent again, in order, over any number of servers."""
    service = Service()
    service.ends = [2, 1, 1, 1, 1, 1, 1]
    ids = [f"r{number}" for number in range(10)]
    async with connected(kind, service) as call:
        source = call.source(_releases(*ids))
        found = [id_ async for id_, _ in call.replies("briefs", source, resume=True)]

    assert found == ids
    assert [feed[:2] for feed in service.feeds[:3]] == [["r0", "r1"], ["r2"], ["r3"]]


async def test_a_release_is_not_lost_between_two_calls(kind: Kind) -> None:
    """One that comes while a call ends goes to the next one, which doesn't wait for it."""
    goes_on = threading.Event()

    def slow() -> Iterator[tuple[str, Release]]:
        yield from _releases("a", "b")
        goes_on.wait()
        yield from _releases("c", "d")

    service = Service()
    service.ends = [1]
    ids = []
    async with connected(kind, service) as call:
        async for id_, _ in call.replies("briefs", call.source(slow()), resume=True):
            ids.append(id_)
            if id_ == "b":  # the second call is under way, and the first one's reading waits
                goes_on.set()

    assert ids == ["a", "b", "c", "d"]
    assert service.feeds == [["a"], ["b", "c", "d"]]


async def test_a_feed_that_nobody_takes(kind: Kind) -> None:
    """After five further calls in a row without a reply its error is raised."""
    service = Service(*[errors.QueueFull("full", 0.01)] * 99)
    async with connected(kind, service, retries=False) as call:
        with pytest.raises(errors.QueueFull):
            [
                reply
                async for reply in call.replies("briefs", call.source(_releases("a")), resume=True)
            ]

    assert service.calls == 6


@pytest.mark.parametrize("resume", [False, True])
async def test_the_deadline_of_a_feed(kind: Kind, resume: bool) -> None:
    """It holds for the whole feed, and ends it for good."""
    service = Service()
    service.hold = asyncio.Event().wait
    async with connected(kind, service) as call:
        source = call.source(_releases("a"))
        with pytest.raises(errors.DeadlineExceeded):
            async for _ in call.replies("briefs", source, resume=resume, timeout=0.3):
                pass

    assert service.calls == 1


async def test_no_call_begins_that_the_deadline_would_end() -> None:
    """The error that came is more telling than the deadline."""
    backlog = Backlog(timeout=1.0)
    with pytest.raises(errors.QueueFull):
        backlog.pause(errors.QueueFull("full", 30.0))


async def test_bad_options_of_a_feed(kind: Kind) -> None:
    """They are refused before any release is read."""
    options = BriefOptions(sentence_count=2**40)
    async with opened(kind, "127.0.0.1:1") as call:
        with pytest.raises(errors.InvalidRequest, match=r"^options\.sentence_count: "):
            [reply async for reply in call.replies("briefs", call.source(_releases("a")), options)]
