"""Folders: files that have come to rest are items."""

import asyncio
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from depesche.documents import DEFAULT, SUFFIXES, extract
from depesche.errors import InvalidRequest
from depesche.sources import BRIEF_SUFFIXES
from depesche.types import Release
from depesche.watch.config import Folder
from depesche.watch.fetching import FetchFailed
from depesche.watch.items import Item, Version, digest
from depesche.watch.waiting import Clock

__all__ = ["Found", "Look", "look"]


class Look(NamedTuple):
    """By what a change of a file is seen: when it was changed, in nanoseconds, and its size."""

    changed: int
    size: int


@dataclass(frozen=True, slots=True)
class Found:
    """What is new in a folder.

    Attributes:
        items: the files, the newest first.
        looks: all files that were read, now or before, with how they look.
    unreadable: how many files can't be read.
    """

    items: tuple[Item, ...]
    looks: Mapping[str, Look]
    unreadable: int = 0


async def look(folder: Folder, known: Mapping[str, Look], clock: Clock) -> Found:
    """Read the files of a folder that are new or changed, and at rest.

    A file is at rest when nothing about it changes for the folder's `settle`; others are left for
    the next time. Hidden files, links, folders, briefs, and names of other kinds are no releases.

    Args:
        folder: the folder.
        known: how its files looked when they were read.
        clock: what waits.

    Raises:
        FetchFailed: the folder can't be read.
    """
    before = await asyncio.to_thread(_looks, folder.path)
    fresh = {name for name, seen in before.items() if known.get(name) != seen}
    if fresh:
        await clock.sleep(folder.settle)
        after = await asyncio.to_thread(_looks, folder.path)
        fresh = {name for name in fresh if after.get(name) == before[name]}
    kept = {name: seen for name, seen in known.items() if name in before}
    items, unreadable = [], 0
    for name in sorted(fresh, key=lambda name: before[name], reverse=True):
        try:
            item = await _item(folder, name, before[name].size)
        except FileNotFoundError:
            continue
        except OSError:
            unreadable += 1
            continue
        if item is not None:
            items.append(item)
            kept[name] = before[name]
    return Found(tuple(items), kept, unreadable)


def _looks(path: Path) -> dict[str, Look]:
    found = {}
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if _may_be_release(entry.name):
                    status = entry.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode):
                        found[entry.name] = Look(status.st_mtime_ns, status.st_size)
    except FileNotFoundError:
        if not path.is_dir():
            raise FetchFailed("the folder isn't there") from None
        return {}  # a file went while it was looked at: the next time will tell
    except OSError as error:
        raise FetchFailed(f"the folder can't be read: {error.strerror}") from error
    return found


def _may_be_release(name: str) -> bool:
    return (
        not name.startswith(".")
        and not name.endswith(tuple(BRIEF_SUFFIXES.values()))
        and Path(name).suffix.lower() in SUFFIXES
    )


async def _item(folder: Folder, name: str, size: int) -> Item | None:
    """Read a file; None if its size isn't what it was."""
    content = await asyncio.to_thread(_read, folder.path / name)
    if len(content) != min(size, DEFAULT.file_bytes + 1):
        return None
    shown = os.fsencode(name).decode(errors="replace")
    version = Version(digest("file", shown), digest(content))
    try:
        document = await extract(content, shown)
    except InvalidRequest as error:
        return Item(version, None, link=shown, reason=str(error))
    release = Release(
        document.text, document.content_format, document.title, folder.language_or_none
    )
    return Item(version, release, link=shown)


def _read(path: Path) -> bytes:
    """Read a file, of one that is too large no more than tells it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(DEFAULT.file_bytes + 1)
