"""The command in a process of its own: killed, told to stop, started twice."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import pytest

from depesche.cli import main
from tests.rpc.support import WatchedBackend, serving
from tests.support import held
from tests.watch.support import SECRET, TEXTS, Entry, rss
from tests.watch.web import Reply, Seen, WebServer

_KILLS = int(os.environ.get("DEPESCHE_KILLS", "12"))
_PLAN = """
[[feed]]
name = "city"
url = "{url}/feed"
every = 3600
[[output]]
name = "desk"
path = "out"
[[webhook]]
name = "cms"
url = "{url}/hook"
secret_file = "secret"
[watch]
grace = {grace}
"""

# A process takes seconds to start, and many on a busy machine.
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(autouse=True)
def _feed(web: WebServer) -> None:
    entries = [Entry(guid=str(n), text=text) for n, text in enumerate(TEXTS[:2])]
    web.serve("/feed", Reply(rss(entries), headers={"content-type": "application/rss+xml"}))
    web.serve("/hook", Reply(status=204))


def _planned(folder: Path, web: WebServer, grace: float = 20.0) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "secret").write_text(SECRET)
    (folder / "feeds.toml").write_text(_PLAN.format(url=web.url, grace=grace))
    return str(folder / "feeds.toml")


def _visible(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "out").glob("[!.]*"))


def _by_key(posts: Sequence[Seen]) -> dict[str, set[bytes]]:
    """Group bodies by the key that says that they are the same."""
    bodies = defaultdict(set)
    for post in posts:
        bodies[post.headers["idempotency-key"]].add(post.body)
    return bodies


@asynccontextmanager
async def _watching(
    plan: str, server: str, *options: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "depesche", "watch", plan, "--server", server, *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _line(process: asyncio.subprocess.Process, event: str) -> dict[str, Any]:
    """Read the log up to an event."""
    assert process.stdout is not None
    async for line in process.stdout:
        found: dict[str, Any] = json.loads(line)
        if found["event"] == event:
            return found
    raise AssertionError(f"no event '{event}'")


async def _met(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 60)


async def _run(plan: str, server: str) -> None:
    async with _watching(plan, server, "--once") as process:
        output, errors = await process.communicate()
        assert process.returncode == 0, (output, errors)


@pytest.mark.parametrize("stage", ["feed", "brief", "hook"])
async def test_a_kill_loses_and_doubles_nothing(tmp_path: Path, web: WebServer, stage: str) -> None:
    """While a feed, the service or a webhook takes its time; the next start goes on there."""
    gate = threading.Event()
    waiting = Reply(status=204, gate=gate)
    if stage != "brief":
        web.script(f"/{stage}", waiting)
    backend = WatchedBackend()
    plan = _planned(tmp_path, web)
    async with serving(backend) as (server, _):
        await backend.batches(1)
        async with _watching(plan, server.address) as process:
            if stage == "brief":
                with held(backend):
                    await backend.batches(1)
                    process.kill()
                    await process.wait()
            else:
                await _met(waiting.arrived)
                process.kill()
                await process.wait()
        gate.set()
        before = set(_visible(tmp_path))
        await _run(plan, server.address)
        await _run(plan, server.address)

    posts = _by_key(web.asked("/hook"))
    assert before <= set(_visible(tmp_path))
    assert len(_visible(tmp_path)) == len(posts) == 2
    assert all(len(bodies) == 1 for bodies in posts.values())
    # The post beside the one that was held may have been under way as well.
    assert len(web.asked("/hook")) in ((3, 4) if stage == "hook" else (2,))


# Watches in a process that is killed as it is about to do the nth thing to the file system, the
# network or the state, for each n that is asked for; and tells how many things there were.
_PROGRAM = """
import json, os, signal, sqlite3, sys
from depesche.cli import main
from depesche.inference.fake import FakeBackend
from tests.support import fake_loader
from depesche.text import language
import depesche.commands, depesche.watch.app

language.detect("Was geladen ist, muss nicht in jedem Prozess geladen werden.")
WATCHED = {"os.rename", "os.mkdir", "socket.connect"}

def run(plan, limit):
    count = 0
    def step(*_):
        nonlocal count
        count += 1
        if count == limit:
            os.kill(os.getpid(), signal.SIGKILL)
    def meet(event, arguments):
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & 3
        if event in WATCHED or writes:
            step()
    def connect(*arguments, **options):
        connection = opened(*arguments, **options)
        connection.set_trace_callback(step)
        return connection
    opened, sqlite3.connect = sqlite3.connect, connect
    sys.addaudithook(meet)
    output = os.open(os.devnull, os.O_WRONLY)
    kept = os.dup(1)
    os.dup2(output, 1)
    code = main(["watch", plan, "--once"], loader=fake_loader(FakeBackend(str.upper)))
    os.dup2(kept, 1)
    return [code, count]

for line in sys.stdin:
    plan, limit = json.loads(line)
    child = os.fork()
    if child == 0:
        print(json.dumps(run(plan, limit)), flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        print(json.dumps([None, limit]), flush=True)
"""


class _Program:
    """The program above, asked line by line."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={k: v for k, v in os.environ.items() if k != "DEPESCHE_KILLS"},  # no setting
        )

    def run(self, plan: str, limit: int = 0) -> tuple[int | None, int]:
        """Watch once; gives the exit code, None where it was killed, and how far it came."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([plan, limit]) + "\n")
        self._process.stdin.flush()
        code, count = json.loads(self._process.stdout.readline())
        return code, count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=60)


@pytest.mark.timeout(120 + 10 * _KILLS)
def test_a_kill_at_any_step_loses_and_doubles_nothing(tmp_path: Path, web: WebServer) -> None:
    """Of the file system, the network and the state; though files are taken once they are seen.

    Each file comes once, and a webhook gets each brief under one key, with one body.
    """
    with _Program() as program:
        code, steps = program.run(_planned(tmp_path / "whole", web))
        assert code == 0
        assert steps > 40
        for limit in range(1, steps + 1, max(1, steps // _KILLS)):
            web.seen.clear()
            taken = _killed_at(limit, program, tmp_path / str(limit), web)
            posts = _by_key(web.asked("/hook"))
            assert len(taken) == len(set(taken)) == len(posts) == 2, limit
            assert all(len(bodies) == 1 for bodies in posts.values()), limit


def _killed_at(limit: int, program: _Program, folder: Path, web: WebServer) -> list[str]:
    """Watch until killed, and twice until all is done; gives the files that were there."""
    plan = _planned(folder, web)
    taken = []
    for allowed in (limit, 0, 0):
        code, _ = program.run(plan, allowed)
        # The last steps of a run aren't always as many.
        assert code == 0 or (allowed and code is None), limit
        for name in _visible(folder):
            taken.append(name)
            (folder / "out" / name).unlink()
    assert not list((folder / "out").iterdir()), limit
    return taken


def _states(folder: Path) -> set[str]:
    with sqlite3.connect(folder / "feeds.db") as state:
        found = {row[0] for row in state.execute("SELECT state FROM deliveries")}
    state.close()
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_stop_it_finishes_what_runs(
    tmp_path: Path, web: WebServer, number: signal.Signals
) -> None:
    """And exits with 0; the log tells what it did, and holds nothing of the releases."""
    posts = [Reply(status=204, gate=threading.Event()) for _ in range(2)]
    web.script("/hook", *posts)
    plan = _planned(tmp_path, web)
    async with serving() as (server, _), _watching(plan, server.address) as process:
        for post in posts:
            await _met(post.arrived)
        process.send_signal(number)
        stopping = await _line(process, "stopping")
        for post in posts:
            assert post.gate is not None
            post.gate.set()
        stopped = await _line(process, "stopped")
        assert await process.wait() == 0

    assert stopping["jobs"] >= 2
    assert (stopped["delivered"], stopped["due"]) == (4, 0)
    assert _states(tmp_path) == {"delivered"}


async def test_what_takes_too_long_is_left_for_the_next_start(
    tmp_path: Path, web: WebServer
) -> None:
    """When the plan's grace is over."""
    posts = [Reply(status=204, gate=threading.Event()) for _ in range(2)]
    web.script("/hook", *posts)
    plan = _planned(tmp_path, web, grace=0.0)
    async with serving() as (server, _):
        async with _watching(plan, server.address) as process:
            for post in posts:
                await _met(post.arrived)
            process.send_signal(signal.SIGTERM)
            await _line(process, "stopped")
            assert await process.wait() == 0
        assert "due" in _states(tmp_path)
        await _run(plan, server.address)

    assert _states(tmp_path) == {"delivered"}
    assert len(_visible(tmp_path)) == 2


async def test_a_second_process_is_refused(tmp_path: Path, web: WebServer) -> None:
    """In one line that names the state, while the first goes on."""
    plan = _planned(tmp_path, web)
    async with serving() as (server, _), _watching(plan, server.address) as first:
        await _line(first, "watching")
        async with _watching(plan, server.address, "--once") as second:
            output, errors = await second.communicate()
        assert first.returncode is None

    assert (second.returncode, output) == (1, b"")
    assert errors.decode() == f"depesche: {tmp_path}/feeds.db: another process watches with it\n"


async def test_the_log_holds_nothing_of_a_release(tmp_path: Path, web: WebServer) -> None:
    """Nor a secret, nor an address; not even on failures."""
    web.script("/hook", Reply(status=400), Reply(status=400))
    plan = _planned(tmp_path, web)
    async with serving() as (server, _), _watching(plan, server.address, "--once") as process:
        output, errors = await process.communicate()
        async with _watching(plan, server.address, "--once", "--retry-dead") as again:
            retried, _errors = await again.communicate()

    log = (output + errors).decode()
    assert '"delivery given up"' in log
    assert '"given_up_now": 2' in log
    for word in (*" ".join(TEXTS[:2]).split(), SECRET, web.url):
        assert len(word) < 7 or word.lower() not in log.lower()
    assert (process.returncode, again.returncode) == (1, 0)
    assert b'"deliveries": 2' in retried
    assert len(web.asked("/hook")) == 4


def test_a_plan_that_is_wrong_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, before anything is made."""
    (tmp_path / "feeds.toml").write_text("[[feed]]\n")

    assert main(["watch", str(tmp_path / "feeds.toml")]) == 1

    assert "feed 1.name: Field required" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["feeds.toml"]
