import os
from pathlib import Path

from depesche.server.files import WatchedFiles
from tests.server.clock import Clock


def test_a_file_that_stays_has_not_changed(tmp_path: Path) -> None:
    """Only changes are told, and each once."""
    file, clock = tmp_path / "file", Clock()
    file.write_text("a")
    watched = WatchedFiles([file], clock)

    clock.now = 1.0
    assert not watched.changed()
    file.write_text("longer")
    clock.now = 2.0
    assert watched.changed()
    clock.now = 3.0
    assert not watched.changed()


def test_a_file_is_looked_at_once_a_second_at_most(tmp_path: Path) -> None:
    """A change within a second is told after it."""
    file, clock = tmp_path / "file", Clock()
    watched = WatchedFiles([file], clock)
    file.write_text("new")

    clock.now = 0.99
    assert not watched.changed()
    clock.now = 1.0
    assert watched.changed()


def test_the_second_of_several_files_counts(tmp_path: Path) -> None:
    """Any of the files may change, or go away."""
    first, second, clock = tmp_path / "first", tmp_path / "second", Clock()
    first.write_text("1")
    second.write_text("2")
    watched = WatchedFiles([first, second], clock)

    second.unlink()
    clock.now = 1.0
    assert watched.changed()


def test_a_change_that_hides_is_seen(tmp_path: Path) -> None:
    """Neither an equal size nor an old time of modification, as copies have it, hides a change."""
    file, clock = tmp_path / "file", Clock()
    file.write_text("old")
    os.utime(file, (1, 1))
    watched, before = WatchedFiles([file], clock), file.stat().st_ctime_ns

    while file.stat().st_ctime_ns == before:  # its clock ticks every few milliseconds
        file.write_text("new")
        os.utime(file, (1, 1))
    clock.now = 1.0
    assert watched.changed()


def test_a_link_is_followed(tmp_path: Path) -> None:
    """Kubernetes changes a mounted secret by pointing a link at another folder."""
    for name in ("old", "new"):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (1, 1))
    link, clock = tmp_path / "link", Clock()
    link.symlink_to("old")
    watched = WatchedFiles([link], clock)

    (tmp_path / "next").symlink_to("new")
    (tmp_path / "next").replace(link)
    clock.now = 1.0
    assert watched.changed()
