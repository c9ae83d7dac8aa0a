import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from depesche.errors import ConfigurationError
from depesche.watch.state import State
from depesche.web.page.store import Row, Store, StoreFull

_TEXT = b"Der Stadtrat hat beraten. " * 1000
_ROW = Row(b'{"a":1}', 100.0, 200.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "kept.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    found = Store(path, max_bytes=100_000)
    yield found
    found.close()


def files(path: Path) -> list[Path]:
    """Give the file and those that SQLite has beside it."""
    return sorted(path.parent.iterdir())


def test_what_is_kept_is_found(store: Store, path: Path) -> None:
    """Until its time is over, by another process too."""
    store.keep("a", _ROW)

    assert store.find("a", 199.9) == _ROW
    assert store.find("a", 200.0) is None
    assert store.find("b", 100.0) is None
    other = Store(path)
    assert other.find("a", 100.0) == _ROW
    other.close()


def test_nobody_else_may_read_it(store: Store, path: Path) -> None:
    """Neither the file, nor what SQLite puts beside it, nor a folder that is made for it."""
    store.keep("a", _ROW)

    assert {each.name for each in files(path)} >= {"kept.db", "kept.db-wal"}
    assert {stat.S_IMODE(each.stat().st_mode) for each in files(path)} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("how", ["deleted", "expired", "at the next one"])
def test_what_goes_is_overwritten(store: Store, path: Path, how: str) -> None:
    """Nothing of its text is left in the file or beside it."""
    store.keep("a", Row(_TEXT, 100.0, 200.0))
    assert any(_TEXT[:100] in each.read_bytes() for each in files(path))

    if how == "deleted":
        assert store.delete("a", 150.0)
    elif how == "expired":
        assert store.expire(200.0) == 1
    else:
        store.keep("b", Row(b"{}", 200.0, 300.0))

    assert not any(b"Stadtrat" in each.read_bytes() for each in files(path))


def test_deleting(store: Store) -> None:
    """It tells whether there was something to delete."""
    store.keep("a", _ROW)

    assert not store.delete("b", 150.0)
    assert not store.delete("a", 200.0)
    assert store.delete("a", 150.0)
    assert not store.delete("a", 150.0)
    assert store.expire(1000.0) == 0


def test_it_has_an_end(store: Store) -> None:
    """What finds no room is refused, and comes in when something has gone."""
    store.keep("a", Row(b"x" * 60_000, 100.0, 200.0))
    with pytest.raises(StoreFull, match=r"^no room for another brief; the limit is 0 MiB"):
        store.keep("b", Row(b"x" * 60_000, 150.0, 300.0))
    assert store.find("b", 150.0) is None

    store.keep("b", Row(b"x" * 60_000, 200.0, 300.0))
    assert store.find("b", 250.0) is not None


def _make_open(path: Path) -> None:
    path.touch(0o644)


def _make_other(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE mine (x)")
    db.close()
    path.chmod(0o600)


def _make_watcher(path: Path) -> None:
    State(str(path)).close()
    path.chmod(0o600)


def _make_text(path: Path) -> None:
    path.write_bytes(_TEXT)
    path.chmod(0o600)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_make_open, "others may read it; chmod 600 it first"),
        (_make_other, "it is another program's, or of another version"),
        (_make_watcher, "it is another program's, or of another version"),
        (_make_text, "file is not a database"),
        (Path.mkdir, "Is a directory"),
    ],
)
def test_files_that_are_none(tmp_path: Path, make: object, reason: str) -> None:
    """They stay as they are, and the error says why."""
    path = tmp_path / "x"
    make(path)  # type: ignore[operator]
    before = path.read_bytes() if path.is_file() else None

    with pytest.raises(ConfigurationError) as caught:
        Store(path)

    assert str(caught.value) == f"--keep: {path} can't be used: {reason}"
    assert before is None or path.read_bytes() == before


def test_another_version(path: Path) -> None:
    """A file of a later version isn't written to."""
    Store(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 2")
    db.close()

    with pytest.raises(ConfigurationError, match=r"or of another version$"):
        Store(path)


class _Machine(RuleBasedStateMachine):
    """The store beside a dictionary."""

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        self.store = Store(Path(self.folder.name) / "kept.db")
        self.rows: dict[str, Row] = {}
        self.now = 0.0

    ids = st.sampled_from("abc")

    @rule(id_=ids, seconds=st.integers(1, 5))
    def keep(self, id_: str, seconds: int) -> None:
        row = Row(id_.encode(), self.now, self.now + seconds)
        if id_ not in self.rows:
            self.store.keep(id_, row)
            self.rows[id_] = row

    @rule(id_=ids)
    def delete(self, id_: str) -> None:
        assert self.store.delete(id_, self.now) == (self.rows.pop(id_, None) is not None)

    @rule(seconds=st.integers(0, 3), expire=st.booleans())
    def pass_time(self, seconds: int, *, expire: bool) -> None:
        self.now += seconds
        gone = [id_ for id_, row in self.rows.items() if row.expires <= self.now]
        for id_ in gone:
            del self.rows[id_]
        if expire:
            self.store.expire(self.now)

    @invariant()
    def finds_what_is_there(self) -> None:
        assert {id_: self.store.find(id_, self.now) for id_ in "abc"} == {
            id_: self.rows.get(id_) for id_ in "abc"
        }

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()


TestStore = _Machine.TestCase
TestStore.settings = settings(max_examples=30, stateful_step_count=20)
