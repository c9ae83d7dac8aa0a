import pytest

from depesche.errors import ConfigurationError
from depesche.watch.app import opened, watch
from tests.watch.support import SECRET, Desk, Entry, pipeline, rss
from tests.watch.web import Reply, WebServer


async def test_all_is_put_together(
    web: WebServer, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a plan, a state and a client alone, with the machine's clock."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    web.serve("/feed", Reply(rss([Entry(guid="a")])))
    web.script("/hook", Reply(status=400))
    web.serve("/hook", Reply(status=204))
    hook = {"name": "cms", "url": f"{web.url}/hook", "secret_env": "HOOK_SECRET"}
    plan = desk.plan(feed=[{"name": "city", "url": f"{web.url}/feed"}], webhook=[hook])
    async with pipeline() as pipe:
        with opened(desk.folder / "watch.db") as state:
            assert not await watch(plan, state, pipe, once=True)
            assert state.counts()["dead"] == 1
            assert await watch(plan, state, pipe, once=True, retry_dead=True)

    assert len(desk.files()) == 1
    assert [post.headers["user-agent"].partition("/")[0] for post in web.asked("/hook")] == [
        "depesche",
        "depesche",
    ]


async def test_a_secret_is_needed_from_the_start(web: WebServer, desk: Desk) -> None:
    """Not only when there is something to post."""
    hook = {"name": "cms", "url": f"{web.url}/hook", "secret_env": "NO_SUCH_VARIABLE"}
    plan = desk.plan(feed=[{"name": "city", "url": f"{web.url}/feed"}], webhook=[hook])
    async with pipeline() as pipe:
        with opened(desk.folder / "watch.db") as state, pytest.raises(ConfigurationError):
            await watch(plan, state, pipe, once=True)

    assert not web.seen
