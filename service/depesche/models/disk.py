"""What writing models to a disk needs to know of it."""

import errno
import os
import shutil
from pathlib import Path

__all__ = ["is_full", "room_fault", "sync_folder"]

_FULL = (errno.ENOSPC, errno.EDQUOT)


def is_full(error: OSError) -> bool:
    """Tell whether a write failed for want of room."""
    return error.errno in _FULL


def room_fault(folder: Path, needed: int) -> str | None:
    """Tell why so many bytes don't fit the disk of a folder, or None where they do."""
    free = shutil.disk_usage(folder).free
    if needed <= free:
        return None
    return (
        f"{needed} more bytes are needed and the disk of {folder} has {free};"
        " make room and try again"
    )


def sync_folder(folder: Path) -> None:
    """See that names that were just given in a folder are on the disk for good."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
