"""What the state takes and gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from depesche.types import Release
from depesche.watch.folders import Look
from depesche.watch.items import Item

__all__ = ["Delivery", "Memory", "Polled", "Recorded", "Waiting"]


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a source.

    Attributes:
        etag: validator of its latest answer from the same address, or "".
        modified: another one, or "".
        looks: how the files of a folder looked when they were read.
        seen: whether it was ever read in full.
        failures: how often in a row it couldn't be read.
        due: when it may be asked again, in seconds since 1970; 0 for at once.
    """

    etag: str = ""
    modified: str = ""
    looks: Mapping[str, Look] = field(default_factory=dict)
    seen: bool = False
    failures: int = 0
    due: float = 0.0


@dataclass(frozen=True, slots=True)
class Polled:
    """What a look at a source found.

    Attributes:
        source: its name.
        items: what it holds, the newest first.
        url: its address, or "".
        etag: validator for the next time, or "".
        modified: another one, or "".
        looks: how a folder's files look.
        complete: whether all that it holds was read.
        backfill: how many items are briefed when it is first seen; None for all.
        ignore_changes: whether another version of an item is nothing new.
    """

    source: str
    items: Sequence[Item]
    url: str = ""
    etag: str = ""
    modified: str = ""
    looks: Mapping[str, Look] = field(default_factory=dict)
    complete: bool = True
    backfill: int | None = None
    ignore_changes: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many items of a look are to be briefed, were there before, and can't be briefed."""

    new: int
    skipped: int
    failed: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """An item to brief.

    Attributes:
        number: its row.
        source: its source's name.
        id: which item it is, as a digest.
        content: what it says, as a digest.
        version: how many versions of it there are up to this one.
        link: address of its page, or a file's name, or "".
        published: when it was published, as its feed says it, or "".
        first_seen: when it was found, in seconds since 1970.
        release: its text; None where the page at `link` is to be read.
        attempts: how often it was tried.
    """

    number: int
    source: str
    id: str
    content: str
    version: int
    link: str
    published: str
    first_seen: float
    release: Release | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A brief to deliver.

    Attributes:
        item: the item's row.
        target: the target's name.
        source: the source's name.
        id: which item it is, as a digest.
        content: what it says, as a digest.
        first_seen: when it was found, in seconds since 1970.
        body: the brief and what is known of its item, as JSON.
        state: "due", or "written" where a file may need no more than its name.
        place: that name with its folder, else "".
        attempts: how often it was tried.
    """

    item: int
    target: str
    source: str
    id: str
    content: str
    first_seen: float
    body: str
    state: str
    place: str
    attempts: int
