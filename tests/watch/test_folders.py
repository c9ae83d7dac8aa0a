import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from depesche.documents import DEFAULT
from depesche.watch.config import Folder
from depesche.watch.folders import look
from tests.watch.support import TEXTS, Desk, FakeClock


@pytest.fixture
def inbox(desk: Desk) -> Path:
    folder = desk.folder / "in"
    folder.mkdir()
    return folder


def _watched(inbox: Path, **keys: object) -> dict[str, object]:
    return {"name": "inbox", "path": inbox, **keys}


async def test_files_are_briefed_once(desk: Desk, inbox: Path) -> None:
    """Text and HTML; another look finds nothing, one at a new file that alone."""
    plan = desk.plan(folder=[_watched(inbox)])
    (inbox / "a.txt").write_text(TEXTS[0])
    (inbox / "b.html").write_text(f"<p>{TEXTS[1]}</p>")
    assert await desk.once(plan)
    assert await desk.once(plan)
    assert len(desk.files()) == 2
    (inbox / "c.txt").write_text(TEXTS[2])
    assert await desk.once(plan)

    assert sorted(d["link"] for d in desk.briefs()) == ["a.txt", "b.html", "c.txt"]
    assert all(d["version"] == 1 for d in desk.briefs())


async def test_what_is_no_release_is_left_alone(desk: Desk, inbox: Path) -> None:
    """Hidden files, links, folders, other kinds of names, and briefs of the command."""
    (inbox / ".hidden.txt").write_text(TEXTS[0])
    (inbox / "a.brief.md").write_text(TEXTS[0])
    (inbox / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    (inbox / "folder.txt").mkdir()
    (desk.folder / "outside.txt").write_text(TEXTS[0])
    (inbox / "link.txt").symlink_to(desk.folder / "outside.txt")
    os.mkfifo(inbox / "pipe.txt")

    assert await desk.once(desk.plan(folder=[_watched(inbox)]))

    assert not desk.files()
    assert desk.counts()["failed"] == 0


async def test_a_file_that_is_still_written_waits(desk: Desk, inbox: Path) -> None:
    """It is read at a later look, when it has come to rest, and whole."""
    path = inbox / "a.txt"
    path.write_text(TEXTS[0][:20])

    class Writing(FakeClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            if len(path.read_text()) < len(TEXTS[0]):
                path.write_text(TEXTS[0])

    desk.clock = Writing()
    plan = desk.plan(folder=[_watched(inbox)])
    assert await desk.once(plan)
    assert not desk.files()
    assert await desk.once(plan)

    assert desk.briefs()[0]["brief"]["keySentences"][0]["text"] == TEXTS[0].upper()


async def test_a_file_that_goes_while_it_is_looked_at_is_none(desk: Desk, inbox: Path) -> None:
    """Nothing is made of it."""
    (inbox / "a.txt").write_text(TEXTS[0])

    class Deleting(FakeClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            (inbox / "a.txt").unlink()

    desk.clock = Deleting()

    assert await desk.once(desk.plan(folder=[_watched(inbox)]))
    assert not desk.files()


@pytest.mark.parametrize(("changes", "count"), [("brief", 2), ("ignore", 1)])
async def test_a_changed_file_is_another_version(
    desk: Desk, inbox: Path, changes: str, count: int
) -> None:
    """One that was only touched says the same and is none."""
    path = inbox / "a.txt"
    plan = desk.plan(folder=[_watched(inbox, changes=changes)])
    for text, time in ((TEXTS[0], 1), (TEXTS[0], 2), (TEXTS[1], 3)):
        path.write_text(text)
        os.utime(path, (time, time))
        assert await desk.once(plan)

    assert sorted(d["version"] for d in desk.briefs()) == list(range(1, count + 1))


async def test_backfill_counts_the_newest(desk: Desk, inbox: Path) -> None:
    """Where the plan has it; else all files are briefed."""
    for time, text in enumerate(TEXTS, start=1):
        (inbox / f"{time}.txt").write_text(text)
        os.utime(inbox / f"{time}.txt", (time, time))

    assert await desk.once(desk.plan(folder=[_watched(inbox, backfill=1)]))

    assert [d["link"] for d in desk.briefs()] == ["4.txt"]
    assert desk.counts()["skipped"] == 3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n", "is an image"),
        (b"x" * (DEFAULT.file_bytes + 1), "the limit is"),
        (b" ", "must hold more than white space"),
    ],
)
async def test_a_bad_file_fails_once(
    desk: Desk, inbox: Path, content: bytes, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its reason."""
    (inbox / "a.txt").write_bytes(content)
    plan = desk.plan(folder=[_watched(inbox)])

    assert await desk.once(plan)
    assert reason in capsys.readouterr().out
    assert await desk.once(plan)
    assert "item failed" not in capsys.readouterr().out
    assert desk.counts()["failed"] == 1


async def test_a_folder_that_is_not_there_is_told(
    desk: Desk, inbox: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And looked for again; so is what is no folder."""
    (inbox / "a.txt").write_text(TEXTS[0])
    for path in (desk.folder / "none", inbox / "a.txt"):
        plan = desk.plan(folder=[_watched(path)], watch={"patience": 0.0})
        desk.clock.time += 1000
        assert not await desk.once(plan)
    log = capsys.readouterr().out
    assert "the folder isn't there" in log
    assert "the folder can't be read: Not a directory" in log


@contextmanager
def _without_privileges() -> Iterator[None]:
    """Let permissions count, though the tests be run by root."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65_534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


@pytest.fixture
def shut() -> Iterator[Path]:
    """Make a folder that all may enter, with a file that nobody may read."""
    with TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        (folder / "a.txt").write_text(TEXTS[0])
        (folder / "a.txt").chmod(0)
        yield folder


async def test_a_file_that_may_not_be_read_is_counted(shut: Path) -> None:
    """It is no item, and looks new at each look until it may be read."""
    folder = Folder(name="inbox", path=shut)
    with _without_privileges():
        found = await look(folder, {}, FakeClock())
    (shut / "a.txt").chmod(0o644)
    again = await look(folder, found.looks, FakeClock())

    assert (found.items, found.looks, found.unreadable) == ((), {}, 1)
    assert len(again.items) == 1
