"""Ends of a pull at any moment, and two pulls at once, in processes of their own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from depesche.models.shelf import Wish
from depesche.models.store import LOCK, ModelStore
from tests.hub.server import HubServer, Pause
from tests.models.hubbed import FILES, MODEL, REPOSITORY, entry, make_store, pull_from

_KILLS = int(os.environ.get("DEPESCHE_KILLS", "100"))
_WAIT = 60  # seconds; only a hanging test takes them
_NEWER = {**FILES, "decoder.yml": FILES["decoder.yml"] + b"# newer\n"}

# Pulls in a process that is killed as it is about to do the nth thing to the store or the network,
# for each n that is asked for; and tells after each how many things there were.
_PROGRAM = """
import json, os, signal, sys
from pathlib import Path
from depesche.models.pull import Place, pull
from depesche.models.shelf import Wish
from depesche.models.store import ModelStore

folder, endpoint, name = sys.argv[1:]
WATCHED = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "shutil.rmtree",
           "fcntl.flock", "socket.connect", "subprocess.Popen", "progress"}

def run(limit, delay):
    count = 0
    def meet(event, arguments):
        nonlocal count
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & 3
        if event in WATCHED or writes:
            count += 1
            if count == limit:
                os.kill(os.getpid(), signal.SIGKILL)
            if event == "subprocess.Popen" and delay:
                signal.setitimer(signal.ITIMER_REAL, delay)
    sys.addaudithook(meet)
    progress = lambda *_: meet("progress", ())
    place = Place(endpoint=endpoint, backoff=0.01)
    pull(ModelStore(Path(folder)), name, Wish(update=True), place, progress, lambda _: None)
    return count

for line in sys.stdin:
    limit, delay = json.loads(line)
    child = os.fork()
    if child == 0:
        print(json.dumps({"count": run(limit, delay)}), flush=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(json.dumps({"killed": os.WIFSIGNALED(status)}), flush=True)
"""

_PULL = "import sys; from depesche.cli import main; sys.exit(main())"


class _Program:
    """The program above, asked line by line."""

    def __init__(self, store: ModelStore, hub: HubServer) -> None:
        folder = str(store.pulled_dir.parent)
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, folder, hub.endpoint, MODEL],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, limit: int = 0, delay: float = 0.0) -> int | None:
        """Pull; gives how many things were done, or None where it was killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([limit, delay]) + "\n")
        self._process.stdin.flush()
        count = None
        while True:
            answer = json.loads(self._process.stdout.readline())
            if "killed" in answer:
                assert answer["killed"] == (count is None)
                return count
            count = answer["count"]

    def close(self) -> None:
        self._process.communicate(timeout=_WAIT)


@pytest.mark.timeout(60 + 5 * _KILLS)
def test_a_kill_at_any_moment_leaves_the_store_usable(hub: HubServer, tmp_path: Path) -> None:
    """An update is killed at moments spread over its course, and at once tried again.

    After each kill the model is here whole, as it was before or as it is to be.
    """
    before = hub.add(REPOSITORY, FILES)
    pristine = tmp_path / "pristine"
    pull_from(hub, make_store(pristine))
    after = hub.add(REPOSITORY, _NEWER)
    folder = tmp_path / "models"
    shutil.copytree(pristine, folder)
    store = ModelStore(folder)
    program = _Program(store, hub)
    count = program.run()
    assert count is not None
    assert count > 40
    met, kills, step = set(), 0, 0
    while kills < _KILLS:
        if store.lock.models[MODEL].commit == after:
            shutil.rmtree(folder)
            shutil.copytree(pristine, folder)
        step += 1
        # Moments at which something is done, and in between some of the conversion's second.
        limit, delay = (step * 7) % (count + 1), 0.0
        if step % 4 == 0:
            limit, delay = 0, 0.07 * (step % 13 + 1)
        killed = program.run(limit, delay) is None
        kills += killed
        store = ModelStore(folder)
        model = store.verify(MODEL)
        assert model.revision in {before[:12], after[:12]}
        met.add((model.revision, killed))
    program.close()
    assert (before[:12], True) in met

    if store.lock.models[MODEL].commit == after:
        shutil.rmtree(folder)
        shutil.copytree(pristine, folder)
    store = ModelStore(folder)
    done = pull_from(hub, store, wish=Wish(update=True))
    assert done.revision == after[:12]
    assert pull_from(hub, store, wish=Wish("float32")) == store.verify(MODEL)
    assert len(list(done.path.parent.iterdir())) == 2, "nothing is left behind"
    assert sorted(p.name for p in store.pulled_dir.iterdir()) == [".locks", LOCK, MODEL]


def _start(
    store: ModelStore, hub: HubServer, *arguments: str, **settings: str
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _PULL, "models", *arguments],
        env={
            **os.environ,
            **settings,
            "HF_ENDPOINT": hub.endpoint,
            "DEPESCHE_MODELS_DIR": str(store.pulled_dir.parent),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _ends(processes: Sequence["subprocess.Popen[str]"]) -> list[tuple[int, str, str]]:
    return [(p.wait(_WAIT), *p.communicate()) for p in processes]


def test_two_processes_pull_the_same_model(hub: HubServer, tmp_path: Path) -> None:
    """One does the work, the other waits and finds it done."""
    hub.add(REPOSITORY, FILES)
    store = make_store(tmp_path / "models")
    pause = Pause(1000)
    hub.script("opus.npz", pause)
    first = _start(store, hub, "pull", MODEL)
    assert pause.reached.wait(_WAIT)
    second = _start(store, hub, "pull", MODEL)
    assert second.stderr is not None
    assert second.stderr.readline() == f"another process is changing '{MODEL}', waiting\n"
    pause.resume.set()
    ends = _ends([first, second])

    assert [code for code, _, _ in ends] == [0, 0]
    assert ends[0][1] == ends[1][1]
    assert f"{MODEL}: here in int8" in ends[0][1]
    assert len(hub.asked("opus.npz")) == 1
    store.refresh()
    store.verify(MODEL)


def test_one_that_waits_goes_on_when_the_other_is_killed(hub: HubServer, tmp_path: Path) -> None:
    """From where that one was."""
    hub.add(REPOSITORY, FILES)
    store = make_store(tmp_path / "models")
    pause = Pause(100_000)
    hub.script("opus.npz", pause)
    first = _start(store, hub, "pull", MODEL)
    assert pause.reached.wait(_WAIT)
    second = _start(store, hub, "pull", MODEL)
    assert second.stderr is not None
    second.stderr.readline()
    first.kill()
    ((code, _, _),) = _ends([second])
    pause.resume.set()
    first.communicate()

    assert code == 0
    store.refresh()
    store.verify(MODEL)
    starts = [r.headers.get("range") for r in hub.asked("opus.npz")]
    assert len(starts) == 2
    assert starts[1] is not None
    assert starts[1] != "bytes=0-"


def test_one_waits_for_the_conversion_of_one_that_was_killed(
    hub: HubServer, tmp_path: Path
) -> None:
    """It goes on without its parent, and nobody gets in its way."""
    hub.add(REPOSITORY, FILES)
    store = make_store(tmp_path / "models")
    begun, goes_on, python = tmp_path / "begun", tmp_path / "goes_on", tmp_path / "python"
    os.mkfifo(begun)
    os.mkfifo(goes_on)
    python.write_text(f'#!/bin/sh\n: > {begun}\n: < {goes_on}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    first = _start(store, hub, "pull", MODEL, DEPESCHE_CONVERT_PYTHON=str(python))
    begun.read_bytes()
    first.kill()
    first.wait(_WAIT)
    second = _start(store, hub, "pull", MODEL)
    assert second.stderr is not None
    assert second.stderr.readline() == f"another process is changing '{MODEL}', waiting\n"
    goes_on.write_bytes(b"")
    first.communicate()
    ((code, _, _),) = _ends([second])

    assert code == 0
    store.refresh()
    store.verify(MODEL)


def test_pulls_of_two_models_meet_in_the_lock(hub: HubServer, tmp_path: Path) -> None:
    """Neither entry is lost."""
    hub.add(REPOSITORY, FILES)
    names = ["opus", "opus-b", "opus-c"]
    manifest = "".join(entry(name=name) for name in names)
    store = make_store(tmp_path / "models", manifest)
    ends = _ends([_start(store, hub, "pull", name) for name in names])

    assert [code for code, _, _ in ends] == [0, 0, 0]
    store.refresh()
    assert sorted(store.lock.models) == names
    for name in names:
        store.verify(name)
