import sqlite3
from pathlib import Path

import pytest

from depesche.errors import DepescheError
from depesche.types import ContentFormat, Language, Release
from depesche.watch.app import opened
from depesche.watch.items import Item, Version
from depesche.watch.records import Polled

_NOW = 1_800_000_000.0


def test_a_release_is_kept_as_it_is(tmp_path: Path) -> None:
    """With its title, its format and its language, over the process's end."""
    releases = [
        Release("<p>A</p>", ContentFormat.HTML, "T", Language.KHMER),
        Release("B \0 \n ሴ"),
        None,
    ]
    items = [Item(Version(str(n), "c"), release) for n, release in enumerate(releases)]
    with opened(tmp_path / "watch.db") as state:
        state.record(Polled("city", items), _NOW)
    with opened(tmp_path / "watch.db") as state:
        waiting = state.waiting(["city"], _NOW, 9)

    assert [item.release for item in reversed(waiting)] == releases


def test_only_what_the_plan_names_is_due(tmp_path: Path) -> None:
    """Items of a source that was left out wait until it is there again."""
    with opened(tmp_path / "watch.db") as state:
        state.record(Polled("old", [Item(Version("i", "c"), Release("A"))]), _NOW)

        assert state.waiting(["new"], _NOW, 9) == []
        assert state.next_item(["new"], 0.0) is None
        assert len(state.waiting(["new", "old"], _NOW, 9)) == 1


def test_what_all_targets_have_takes_no_room(tmp_path: Path) -> None:
    """A brief is kept as long as one of them hasn't it, or has given it up."""
    path = tmp_path / "watch.db"
    with opened(path) as state:
        state.record(Polled("city", [Item(Version("i", "c"), Release("A"))]), _NOW)
        (item,) = state.waiting(["city"], _NOW, 9)
        state.briefed(item.number, "body", ["a", "b"])
        (first,), (second,) = (state.deliveries(name, _NOW, 9) for name in "ab")
        state.delivered(first)
        state.dead(second, "answered 410")
        kept = _bodies(path)
        revived = state.revive(_NOW)
        (again,) = state.deliveries("b", _NOW, 9)
        state.delivered(again)

        assert (kept, revived, again.body) == (["body"], 1, "body")
        assert _bodies(path) == [None]


def _bodies(path: Path) -> list[str | None]:
    with sqlite3.connect(path) as other:
        found = [row[0] for row in other.execute("SELECT body FROM items")]
    other.close()
    return found


def test_two_cannot_have_one_state(tmp_path: Path) -> None:
    """The second is refused, until the first has ended."""
    path = tmp_path / "deep" / "watch.db"
    refused = pytest.raises(DepescheError, match="another process watches with it")
    with opened(path), refused, opened(path):
        pass
    with opened(path) as state:
        assert state.counts()["waiting"] == 0


def test_a_file_that_is_no_state_is_refused(tmp_path: Path) -> None:
    """So is one of a version that isn't known, and a place where none can be."""
    (tmp_path / "text.db").write_text("no database, but long enough to be one" * 30)
    with pytest.raises(DepescheError, match="file is not a database"), opened(tmp_path / "text.db"):
        pass
    with sqlite3.connect(tmp_path / "new.db") as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with (
        pytest.raises(DepescheError, match="its version is 99, not 1"),
        opened(tmp_path / "new.db"),
    ):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(DepescheError, match="can't be used"), opened(tmp_path / "file" / "a.db"):
        pass
