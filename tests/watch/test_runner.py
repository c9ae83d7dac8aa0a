"""The watcher in this process, against a server that misbehaves and a pipeline of fakes."""

import asyncio
import gzip
import json
import threading
from email.utils import formatdate

import httpx2
import pytest

from depesche.errors import (
    DepescheError,
    FeatureUnavailable,
    LoadError,
    QueueFull,
    RequestError,
    Unauthenticated,
)
from depesche.types import BriefOptions, Priority, Release
from depesche.v1 import types_pb2
from depesche.watch.app import opened
from tests.support import until
from tests.watch.support import SECRET, TEXTS, Desk, Entry, pipeline, rss
from tests.watch.web import Reply, WebServer

_XML = {"content-type": "application/rss+xml"}


def _feed(web: WebServer, **keys: object) -> dict[str, object]:
    return {"name": "city", "url": f"{web.url}/feed", **keys}


def _headlines(desk: Desk) -> list[str]:
    return [brief["brief"]["headline"]["text"] for brief in desk.briefs()]


async def test_what_is_new_is_briefed_once(web: WebServer, desk: Desk) -> None:
    """A second look at the same feed does nothing; one with an item more briefs that alone."""
    plan = desk.plan(feed=[_feed(web)])
    entries = [Entry(guid=str(n), text=text) for n, text in enumerate(TEXTS[:2])]
    web.serve("/feed", Reply(rss(entries), headers=_XML))

    assert await desk.once(plan)
    first = desk.files()
    assert await desk.once(plan)
    assert desk.files() == first
    web.serve("/feed", Reply(rss([Entry(guid="2", text=TEXTS[2]), *entries]), headers=_XML))
    assert await desk.once(plan)

    assert len(first) == 2
    assert len(desk.files()) == 3
    assert set(first) < set(desk.files())
    assert desk.counts() == {
        "waiting": 0, "failed": 0, "due": 0, "delivered": 3, "dead": 0, "briefed": 3
    }  # fmt: skip


async def test_a_brief_comes_with_its_item(web: WebServer, desk: Desk) -> None:
    """A JSON file has the item's address, its time and its version, and the API's brief."""
    date = formatdate(1_799_990_000, usegmt=True)
    entry = Entry(guid="a", link=f"{web.url}/page?id=1", date=date)
    web.serve("/feed", Reply(rss([entry]), headers=_XML))

    await desk.once(desk.plan(feed=[_feed(web)]))

    (data,) = desk.briefs()
    assert (data["source"], data["version"]) == ("city", 1)
    assert (data["link"], data["published"]) == (f"{web.url}/page?id=1", date)
    assert data["found"] == "2027-01-15T08:00:00Z"
    assert data["brief"]["keySentences"][0]["text"] == TEXTS[0].upper()
    assert data["brief"]["detection"]["language"] == "de"


async def test_briefs_are_asked_for_in_bulk(web: WebServer, desk: Desk) -> None:
    """No person waits, and the same release is to give the same brief."""
    asked: list[BriefOptions | None] = []
    web.serve("/feed", Reply(rss([Entry(guid="a")]), headers=_XML))
    async with pipeline() as pipe:

        class Spy:
            async def brief(
                self, release: Release, options: BriefOptions | None = None, *, release_id: str = ""
            ) -> types_pb2.Brief:
                asked.append(options)
                return await pipe.brief(release, options, release_id=release_id)

        await desk.once(desk.plan(feed=[_feed(web)], brief={"sentences": 2}), Spy())

    assert asked == [BriefOptions(2, priority=Priority.BULK, reproducible=True)]


@pytest.mark.parametrize("name", ["etag", "modified"])
async def test_a_feed_that_has_not_changed_says_so(web: WebServer, desk: Desk, name: str) -> None:
    """The validator of the latest answer is sent, and 304 means nothing is new."""
    value = {"etag": '"v1"', "modified": formatdate(1_700_000_000, usegmt=True)}[name]
    web.serve("/feed", Reply(rss([Entry(guid="a")]), headers=_XML, **{name: value}))  # type: ignore[arg-type]
    plan = desk.plan(feed=[_feed(web)])

    assert await desk.once(plan)
    assert await desk.once(plan)

    header = {"etag": "if-none-match", "modified": "if-modified-since"}[name]
    assert [seen.headers.get(header) for seen in web.asked("/feed")] == [None, value]
    assert len(desk.files()) == 1


async def test_another_address_has_no_use_for_a_validator(web: WebServer, desk: Desk) -> None:
    """Under a feed's name at another address, all is asked for; what was briefed stays briefed."""
    for path in ("/feed", "/other"):
        web.serve(path, Reply(rss([Entry(guid="a")]), headers=_XML, etag='"v1"'))
    await desk.once(desk.plan(feed=[_feed(web)]))

    await desk.once(desk.plan(feed=[_feed(web, url=f"{web.url}/other")]))

    assert "if-none-match" not in web.asked("/other")[0].headers
    assert len(desk.files()) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_asks_for_time_gets_it(web: WebServer, desk: Desk, status: int) -> None:
    """Retry-After, in seconds or as a date, is minded where it is longer than the own wait."""
    date = formatdate(desk.clock.time + 1000 + 2000, usegmt=True)
    refusals = [Reply(status=status, headers={"retry-after": w}) for w in ("1000", date, "1")]
    web.script("/feed", *refusals)
    web.serve("/feed", Reply(rss([Entry(guid="a")]), headers=_XML))

    assert await desk.once(desk.plan(feed=[_feed(web)]))

    assert desk.clock.waits == [1000, 2000, 120]
    assert len(desk.files()) == 1


async def test_time_that_was_asked_for_outlives_the_process(web: WebServer, desk: Desk) -> None:
    """A source that may not be asked yet isn't, and the run says that something is left."""
    web.script("/feed", Reply(status=429, headers={"retry-after": "5000"}))
    web.serve("/feed", Reply(rss([Entry(guid="a")]), headers=_XML))
    plan = desk.plan(feed=[_feed(web)], watch={"patience": 60.0})

    assert not await desk.once(plan)
    assert not await desk.once(plan)
    asked_early = len(web.asked("/feed"))
    desk.clock.time += 5000
    assert await desk.once(plan)

    assert asked_early == 1
    assert len(desk.files()) == 1


async def test_failures_in_a_row_make_waits_longer(web: WebServer, desk: Desk) -> None:
    """Half a minute, a minute, two; a success forgets them."""
    web.script("/feed", *[Reply(status=500)] * 4)
    web.serve("/feed", Reply(rss([Entry(guid="a")]), headers=_XML))
    plan = desk.plan(feed=[_feed(web)])

    assert await desk.once(plan)
    assert desk.clock.waits == [30, 60, 120, 240]
    web.script("/feed", Reply(status=404))
    assert await desk.once(plan)
    assert desk.clock.waits[4:] == [30]


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (
            Reply(b"<html><body>Wartung</body></html>", headers={"content-type": "text/html"}),
            "feed",
        ),
        (Reply(b"", headers=_XML), "feed"),
        (Reply(b"/etc/passwd", headers=_XML), "feed"),
        (Reply(rss([Entry(guid="a")]), headers=_XML, short=10), "no answer"),
        (Reply(rss([]), headers=_XML, endless=True), "more than"),
        (Reply(gzip.compress(b" " * 2**21), headers={"content-encoding": "gzip"}), "more than"),
        (Reply(b"no gzip", headers={"content-encoding": "gzip"}), "no answer"),
        (Reply(gzip.compress(b"x" * 99)[:-9], headers={"content-encoding": "gzip"}), "cut off"),
        (Reply(b"x", headers={"content-encoding": "br"}), "packed"),
        (Reply(status=301, headers={"location": "/feed"}), "more than 5 times"),
        (Reply(status=302, headers={"location": "file:///etc/passwd"}), "isn't allowed"),
        (Reply(status=302, headers={"location": "ftp://127.0.0.1/feed"}), "isn't allowed"),
        (Reply(status=302, headers={"location": "http://[/"}), "no answer"),
        (Reply(status=302), "answered 302"),
    ],
)
async def test_what_is_no_feed_is_asked_for_again(
    web: WebServer,
    desk: Desk,
    reply: Reply,
    problem: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing of it is taken for an item, the log says what is wrong, and the next time counts."""
    web.serve("/feed", reply)
    plan = desk.plan(feed=[_feed(web)], watch={"max_bytes": 2**20, "patience": 0.0})
    assert not await desk.once(plan)
    assert problem in capsys.readouterr().out
    web.serve("/feed", Reply(rss([Entry(guid="a")]), headers=_XML))
    desk.clock.time += 100

    assert await desk.once(plan)
    assert len(desk.files()) == 1


async def test_a_slow_feed_is_given_up(web: WebServer, desk: Desk) -> None:
    """The time that a request may take counts from its start to its end."""
    web.script("/feed", Reply(rss([]), gate=threading.Event()))
    plan = desk.plan(feed=[_feed(web)], watch={"timeout": 0.2, "patience": 0.0})

    assert not await desk.once(plan)


async def test_a_feed_may_be_packed(web: WebServer, desk: Desk) -> None:
    """Gzip is asked for and unpacked."""
    packed = {"content-encoding": "gzip", **_XML}
    web.serve("/feed", Reply(gzip.compress(rss([Entry(guid="a")])), headers=packed))

    assert await desk.once(desk.plan(feed=[_feed(web)]))
    assert len(desk.files()) == 1


async def test_a_feed_that_moved_is_followed(
    web: WebServer, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """The operator is told, without what might be secret in the address."""
    web.serve("/feed", Reply(status=301, headers={"location": "/new?key=hush"}))
    web.serve("/new?key=hush", Reply(rss([Entry(guid="a")]), headers=_XML))

    assert await desk.once(desk.plan(feed=[_feed(web)]))

    log = capsys.readouterr().out
    assert "moved for good" in log
    assert "hush" not in log
    assert len(desk.files()) == 1


async def test_broken_xml_is_read_as_far_as_it_goes(
    web: WebServer, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """All items of a feed with a bare ampersand are there; it is asked for in full next time."""
    entries = [Entry(guid=str(n), text=text) for n, text in enumerate(TEXTS[:2])]
    broken = rss(entries).replace(b"<title>F", b"<title>F & G")
    web.serve("/feed", Reply(broken, headers=_XML, etag='"v1"'))
    plan = desk.plan(feed=[_feed(web)])

    assert await desk.once(plan)
    assert await desk.once(plan)

    assert "broken XML" in capsys.readouterr().out
    assert [seen.headers.get("if-none-match") for seen in web.asked("/feed")] == [None, None]
    assert len(desk.files()) == 2


async def test_a_feed_that_is_cut_off_gives_no_half_text(web: WebServer, desk: Desk) -> None:
    """The last item may be cut and waits for the whole feed; then, old ones aren't new.

    The first sight lasts until a feed was read in full, so that those beyond the backfill stay out.
    """
    entries = [Entry(guid=str(n), text=f"{TEXTS[0]} Nummer {n}.") for n in range(5)]
    whole = rss(entries)
    web.script("/feed", Reply(whole[: whole.index(b"Nummer 1") + 4], headers=_XML))
    web.serve("/feed", Reply(whole, headers=_XML))
    plan = desk.plan(feed=[_feed(web, backfill=3)])

    assert await desk.once(plan)
    assert len(desk.files()) == 1
    assert await desk.once(plan)
    assert len(desk.files()) == 3
    assert desk.counts()["skipped"] == 2


async def test_the_first_sight_briefs_the_newest(web: WebServer, desk: Desk) -> None:
    """By their dates where all have one, whatever their order; the others are only remembered."""
    dates = [formatdate(1_700_000_000 + n * 86_400) for n in range(4)]
    entries = [Entry(guid=d, text=t, date=d) for t, d in zip(TEXTS, dates, strict=True)]
    web.serve("/feed", Reply(rss(entries), headers=_XML))
    plan = desk.plan(feed=[_feed(web, backfill=2)])

    assert await desk.once(plan)
    assert await desk.once(plan)

    assert {d["published"] for d in desk.briefs()} == {*dates[2:]}
    assert desk.counts()["skipped"] == 2


async def test_without_backfill_only_what_comes_later_is_briefed(
    web: WebServer, desk: Desk
) -> None:
    """What the feed held when it was first seen is remembered, though it was nothing."""
    web.script("/feed", Reply(rss([]), headers=_XML))
    web.serve("/feed", Reply(rss([Entry(guid="a")]), headers=_XML))
    plan = desk.plan(feed=[_feed(web, backfill=0)])

    assert await desk.once(plan)
    assert not desk.files()
    assert await desk.once(plan)
    assert len(desk.files()) == 1


async def test_items_that_say_the_same_under_one_id_are_one(web: WebServer, desk: Desk) -> None:
    """In one answer and over several; another text under the id of both is a version of it."""
    twice = [Entry(guid="a"), Entry(guid="a"), Entry(guid="a", text=TEXTS[1])]
    web.serve("/feed", Reply(rss(twice), headers=_XML))
    plan = desk.plan(feed=[_feed(web)])

    assert await desk.once(plan)
    assert await desk.once(plan)

    assert len(desk.files()) == 2
    assert {d["version"] for d in desk.briefs()} == {1, 2}


async def test_items_without_ids_are_told_by_links_or_words(web: WebServer, desk: Desk) -> None:
    """Without either, whatever says the same is the same, and a change makes another item."""
    linked = Entry(link="http://127.0.0.1/a")
    web.script("/feed", Reply(rss([linked, Entry(text=TEXTS[1])]), headers=_XML))
    changed = Entry(link="http://127.0.0.1/a", text=TEXTS[3])
    web.serve("/feed", Reply(rss([changed, Entry(text=TEXTS[1]), Entry(text=TEXTS[2])])))
    plan = desk.plan(feed=[_feed(web)])

    assert await desk.once(plan)
    assert await desk.once(plan)

    versions = {d["brief"]["keySentences"][0]["text"]: d["version"] for d in desk.briefs()}
    assert versions == {t.upper(): 2 if t == TEXTS[3] else 1 for t in TEXTS}


@pytest.mark.parametrize(("changes", "count"), [("brief", 2), ("ignore", 1)])
async def test_an_item_that_changed_is_briefed_again(
    web: WebServer, desk: Desk, changes: str, count: int
) -> None:
    """As another version, once; not where changes are ignored, nor where it is as it was before."""
    old, new = (Reply(rss([Entry(guid="a", text=t)]), headers=_XML) for t in TEXTS[:2])
    web.script("/feed", old, new, old, new)
    plan = desk.plan(feed=[_feed(web, changes=changes)])

    for _ in range(4):
        assert await desk.once(plan)

    assert sorted(d["version"] for d in desk.briefs()) == list(range(1, count + 1))


async def test_a_bad_item_fails_once_and_alone(
    web: WebServer, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """One in Ukrainian and one without text are told once, with the reason; others are briefed."""
    ukrainian = "Верховна Рада України ухвалила сьогодні новий закон про освіту та науку в країні."
    bad = [Entry(guid="u", text=ukrainian), Entry(guid="e", text=None)]
    web.serve("/feed", Reply(rss([*bad, Entry(guid="a")]), headers=_XML))
    plan = desk.plan(feed=[_feed(web)])

    assert await desk.once(plan)
    log = capsys.readouterr().out
    assert await desk.once(plan)

    assert "'uk' is not supported" in log
    assert "has no text" in log
    assert "item failed" not in capsys.readouterr().out
    assert ukrainian.split(maxsplit=1)[0] not in log
    assert desk.counts()["failed"] == 2
    assert len(desk.files()) == 1


class _Failing:
    """A service that fails so often before it works."""

    def __init__(self, *errors: DepescheError) -> None:
        self._errors = list(errors)
        self.asked = 0

    async def brief(
        self, release: Release, options: BriefOptions | None = None, *, release_id: str = ""
    ) -> types_pb2.Brief:
        self.asked += 1
        if self._errors:
            raise self._errors.pop(0)
        async with pipeline() as pipe:
            return await pipe.brief(release, options, release_id=release_id)


@pytest.mark.parametrize(
    "error",
    [
        LoadError("away"),
        Unauthenticated("no token"),
        FeatureUnavailable("options.translation_model", "no such model"),
        RequestError("not here"),
    ],
)
async def test_nothing_is_lost_while_the_service_is_away(
    web: WebServer, desk: Desk, error: DepescheError
) -> None:
    """It is left alone for longer each time, and as long as it takes; items don't pay for it."""
    web.serve("/feed", Reply(rss([Entry(guid="a")]), headers=_XML))
    briefer = _Failing(*[error] * 7, QueueFull("full", 200.0))

    assert await desk.once(desk.plan(feed=[_feed(web)]), briefer)

    assert desk.clock.waits == [1, 2, 4, 8, 16, 32, 64, 200]
    assert len(desk.files()) == 1


async def test_an_item_by_which_the_service_fails_is_given_up(web: WebServer, desk: Desk) -> None:
    """After five tries, for the service itself may be sound."""
    web.serve("/feed", Reply(rss([Entry(guid="a")]), headers=_XML))
    briefer = _Failing(*[DepescheError("the service failed")] * 9)

    assert await desk.once(desk.plan(feed=[_feed(web)]), briefer)

    assert briefer.asked == 5
    assert desk.counts()["failed"] == 1


async def test_what_is_left_is_for_the_next_run(web: WebServer, desk: Desk) -> None:
    """Patience ends, the run says so, and the next one has the item though its feed lost it."""
    web.script("/feed", Reply(rss([Entry(guid="a")]), headers=_XML))
    web.serve("/feed", Reply(rss([]), headers=_XML))
    plan = desk.plan(feed=[_feed(web)], watch={"patience": 10.0})

    assert not await desk.once(plan, _Failing(*[LoadError("away")] * 9))
    assert desk.counts()["waiting"] == 1
    assert not desk.files()
    desk.clock.time += 1000
    assert await desk.once(plan)
    assert len(desk.files()) == 1


_PAGE = f"<!doctype html><html><body><article><p>{TEXTS[0]}</p></article></body></html>"


def _linked(web: WebServer, link: str) -> None:
    web.serve("/feed", Reply(rss([Entry(guid="a", text="Anriss.", link=link)]), headers=_XML))


async def test_the_linked_page_is_briefed(web: WebServer, desk: Desk) -> None:
    """Where the plan says so; a page that is away for a while is asked for again."""
    _linked(web, web.serve("/page", Reply(_PAGE.encode(), headers={"content-type": "text/html"})))
    web.script("/page", Reply(status=503), Reply(status=429, headers={"retry-after": "500"}))

    assert await desk.once(desk.plan(feed=[_feed(web, fetch=True)]))

    assert desk.clock.waits == [30, 500]
    assert TEXTS[0].upper() in str(desk.briefs())
    assert "ANRISS" not in str(desk.briefs())


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(status=404), "answered 404"),
        (Reply(b"\x89PNG\r\n", headers={"content-type": "image/png"}), "is an image"),
    ],
)
async def test_a_page_that_is_none_fails_its_item(
    web: WebServer, desk: Desk, reply: Reply, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once, with the reason."""
    _linked(web, web.serve("/page", reply))

    assert await desk.once(desk.plan(feed=[_feed(web, fetch=True)]))

    assert reason in capsys.readouterr().out
    assert desk.counts()["failed"] == 1


async def test_a_page_that_stays_away_fails_its_item(web: WebServer, desk: Desk) -> None:
    """After as many tries as the plan allows."""
    _linked(web, web.serve("/page", Reply(status=500)))
    plan = desk.plan(feed=[_feed(web, fetch=True)], watch={"attempts": 3, "patience": 1e4})

    assert await desk.once(plan)

    assert len(web.asked("/page")) == 3
    assert desk.counts()["failed"] == 1


@pytest.mark.parametrize(
    "link",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://localhost:{port}/page",
        "http://127.0.0.1:1/page",
        "file:///etc/passwd",
        "http://127.0.0.1:{port}/away",
        "http://h:x/",
        None,
    ],
)
async def test_links_lead_nowhere_but_to_known_hosts(
    web: WebServer, desk: Desk, link: str | None
) -> None:
    """A feed's author can't have the watcher ask other hosts or ports, nor by a redirect."""
    web.serve("/away", Reply(status=302, headers={"location": f"http://localhost:{web.port}/page"}))
    web.serve("/page", Reply(_PAGE.encode()))
    entry = Entry(guid="a", link=link.format(port=web.port) if link else None)
    web.serve("/feed", Reply(rss([entry]), headers=_XML))
    plan = desk.plan(feed=[_feed(web, fetch=True)], watch={"attempts": 1})

    assert await desk.once(plan)

    assert not web.asked("/page")
    assert desk.counts()["failed"] == 1


async def test_more_hosts_can_be_named(web: WebServer, desk: Desk) -> None:
    """With the port, where it isn't a usual one."""
    web.serve("/page", Reply(_PAGE.encode(), headers={"content-type": "text/html"}))
    _linked(web, f"http://localhost:{web.port}/page")
    hosts = [f"LOCALHOST:{web.port}"]

    assert await desk.once(desk.plan(feed=[_feed(web, fetch=True, fetch_hosts=hosts)]))

    assert len(desk.files()) == 1


async def test_an_item_outlives_that_its_feed_became_a_folder(web: WebServer, desk: Desk) -> None:
    """Its page can't be asked for any more, and it fails instead of staying for ever."""
    _linked(web, web.serve("/page", Reply(status=500)))
    await desk.once(desk.plan(feed=[_feed(web, fetch=True)], watch={"patience": 0.0}))
    desk.clock.time += 1000
    folder = {"name": "city", "path": desk.folder}

    assert await desk.once(desk.plan(folder=[folder]))
    assert desk.counts()["failed"] == 1


@pytest.fixture
def hook(web: WebServer, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    web.serve("/feed", Reply(rss([Entry(guid="a")]), headers=_XML))
    web.serve("/hook", Reply(status=204))
    return {"name": "cms", "url": f"{web.url}/hook", "secret_env": "HOOK_SECRET"}


async def test_a_webhook_that_fails_twice_gets_the_same_message(
    web: WebServer, desk: Desk, hook: dict[str, object]
) -> None:
    """The key and the body stay, and the time and the signature are each try's own."""
    web.script("/hook", Reply(status=500), Reply(drop=True))

    assert await desk.once(desk.plan(feed=[_feed(web)], output=[], webhook=[hook]))

    tries = web.asked("/hook")
    names = ("idempotency-key", "webhook-id")
    assert len({tuple(seen.headers[n] for n in names) for seen in tries}) == 1
    assert len({seen.body for seen in tries}) == 1
    assert len({seen.headers["webhook-signature"] for seen in tries}) == len(tries)
    assert json.loads(tries[0].body)["type"] == "brief.created"
    assert desk.clock.waits == [5, 10]


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
async def test_what_a_webhook_will_never_take_is_dead_at_once(
    web: WebServer, desk: Desk, hook: dict[str, object], status: int
) -> None:
    """The run says so; the brief is kept, and can be delivered later."""
    web.script("/hook", Reply(status=status))
    plan = desk.plan(feed=[_feed(web)], output=[], webhook=[hook])

    assert not await desk.once(plan)
    assert desk.counts()["dead"] == 1
    assert await desk.once(plan)
    assert len(web.asked("/hook")) == 1


@pytest.mark.parametrize("status", [301, 408, 425, 429, 500])
async def test_a_webhook_that_stays_away_is_given_up(
    web: WebServer, desk: Desk, hook: dict[str, object], status: int
) -> None:
    """After as many tries as the plan allows; redirects aren't followed."""
    web.serve("/hook", Reply(status=status, headers={"location": "/feed"}))
    watch = {"attempts": 3, "patience": 1e4}

    assert not await desk.once(desk.plan(feed=[_feed(web)], output=[], webhook=[hook], watch=watch))

    assert len(web.asked("/hook")) == 3
    assert desk.counts()["dead"] == 1


async def test_a_webhook_that_does_not_answer_is_tried_again(
    web: WebServer, desk: Desk, hook: dict[str, object]
) -> None:
    """After the time that a request may take."""
    web.script("/hook", Reply(gate=threading.Event()))
    watch = {"timeout": 1.0, "patience": 60.0}

    assert await desk.once(desk.plan(feed=[_feed(web)], output=[], webhook=[hook], watch=watch))

    assert len(web.asked("/hook")) == 2


async def test_a_target_that_is_away_holds_no_other_up(
    web: WebServer, desk: Desk, hook: dict[str, object]
) -> None:
    """Each target has a state of its own, and what one has is kept until all have it."""
    web.script("/hook", *[Reply(status=500)] * 2)
    plan = desk.plan(feed=[_feed(web)], webhook=[hook], watch={"patience": 0.0})

    assert not await desk.once(plan)
    assert len(desk.files()) == 1
    desk.clock.time += 1000
    assert not await desk.once(plan)
    desk.clock.time += 1000
    assert await desk.once(plan)

    assert len(desk.files()) == 1
    assert desk.counts()["delivered"] == 2


async def test_a_source_chooses_its_targets(
    web: WebServer, desk: Desk, hook: dict[str, object]
) -> None:
    """Its briefs go there alone."""
    feed = _feed(web, deliver=["cms"])

    assert await desk.once(desk.plan(feed=[feed], webhook=[hook]))

    assert len(web.asked("/hook")) == 1
    assert not desk.files()


async def test_many_are_briefed_a_few_at_once(web: WebServer, desk: Desk) -> None:
    """Never more than the plan allows, and all in the end."""
    entries = [Entry(guid=str(n), text=f"{TEXTS[0]} Nummer {n}.") for n in range(9)]
    web.serve("/feed", Reply(rss(entries), headers=_XML))
    now = most = 0

    class Counting:
        async def brief(self, *_: object, **__: object) -> types_pb2.Brief:
            nonlocal now, most
            now += 1
            most = max(most, now)
            for _ in range(10):
                await asyncio.sleep(0)
            now -= 1
            return types_pb2.Brief()

    watch = {"briefs": 3}
    assert await desk.once(desk.plan(feed=[_feed(web)], watch=watch), Counting())

    assert most == 3
    assert len(desk.files()) == 9


async def test_it_looks_again_when_it_is_time(web: WebServer, desk: Desk) -> None:
    """Without end, until told to stop; intervals vary, so that feeds of one drift apart."""
    web.script("/feed", *[Reply(rss([Entry(guid=t, text=t)]), headers=_XML) for t in TEXTS[:2]])
    web.serve("/feed", Reply(rss([])))
    plan = desk.plan(feed=[_feed(web, every=100)])
    async with pipeline() as pipe, httpx2.AsyncClient() as client:
        with opened(desk.folder / "watch.db") as state:
            runner = desk.runner(plan, state, pipe, client, once=False)
            desk.clock.busy = lambda: any(runner._running.values())
            running = asyncio.create_task(runner.run())
            await until(lambda: len(web.asked("/feed")) > 2)
            runner.stop()
            assert await running

    assert desk.clock.waits[:2] == [pytest.approx(110.0)] * 2
    assert len(desk.files()) == 2


async def test_what_is_unforeseen_ends_the_process(web: WebServer, desk: Desk) -> None:
    """Whoever starts it again finds the item as it was, and the log says where it was."""

    class Broken:
        async def brief(self, *_: object, **__: object) -> types_pb2.Brief:
            raise ZeroDivisionError

    web.serve("/feed", Reply(rss([Entry(guid="a")]), headers=_XML))
    plan = desk.plan(feed=[_feed(web)])

    with pytest.raises(ExceptionGroup):
        await desk.once(plan, Broken())
    assert desk.counts()["waiting"] == 1
    assert await desk.once(plan)
    assert len(desk.files()) == 1
