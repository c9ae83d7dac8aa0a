"""What `depesche web` keeps: one file of SQLite, with a row for each brief that an editor shares.

Rows go when their time is over or somebody deletes them, and then their place in the file is
overwritten.
"""

import errno
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from depesche.errors import ConfigurationError, DepescheError

__all__ = ["Row", "Store", "StoreFull"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS briefs (
    id TEXT PRIMARY KEY,
    body BLOB NOT NULL,
    bytes INTEGER NOT NULL,
    created REAL NOT NULL,
    expires REAL NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS briefs_expiring ON briefs (expires);
"""
_VERSION = 1
# "Depe" in ASCII: another program's file, or the watcher's, isn't written to.
_APPLICATION = 0x44657065
_MIB = 1024 * 1024
_LOG_BYTES = 16 * _MIB
_OTHERS = 0o077


class StoreFull(DepescheError):
    """There is no room for another brief."""


@dataclass(frozen=True, slots=True)
class Row:
    """A brief that is kept.

    Attributes:
        body: what is kept of it.
        created: when it came, in seconds since 1970.
        expires: until when it is kept, as well.
    """

    body: bytes
    created: float
    expires: float


class Store:
    """The file; its methods block, and one thread at a time may call them."""

    def __init__(self, path: Path, *, max_bytes: int = 1024 * _MIB) -> None:
        """Open or make the file, which nobody but its owner may read.

        Args:
            path: the file.
            max_bytes: most bytes of all briefs together.

        Raises:
            ConfigurationError: it can't be used.
        """
        self._max_bytes = max_bytes
        try:
            _make(path)
            self._db = sqlite3.connect(path, isolation_level="IMMEDIATE", check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise _unusable(path, error) from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._db.close()
            raise _unusable(path, error) from error

    def _prepare(self) -> None:
        found = self._pragma("application_id"), self._pragma("user_version")
        is_new = self._pragma("schema_version") == 0
        if not is_new and found != (_APPLICATION, _VERSION):
            raise sqlite3.DatabaseError("it is another program's, or of another version")
        self._db.execute("PRAGMA journal_mode = WAL")
        # With WAL, the lesser levels may lose the latest steps when the power goes.
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA secure_delete = ON")
        self._db.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        marks = f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {_VERSION};"
        self._db.executescript(f"BEGIN; {_SCHEMA} {marks} COMMIT;")

    def _pragma(self, name: str) -> int:
        return int(self._db.execute(f"PRAGMA {name}").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def keep(self, id_: str, row: Row) -> None:
        """Keep a brief.

        Raises:
            StoreFull: there is no room.
            sqlite3.Error: the file can't be written.
        """
        self.expire(row.created)
        with self._db:
            taken = self._db.execute("SELECT coalesce(sum(bytes), 0) FROM briefs").fetchone()[0]
            if taken + len(row.body) > self._max_bytes:
                limit = f"the limit is {self._max_bytes // _MIB} MiB"
                raise StoreFull(f"no room for another brief; {limit} for all that are kept")
            values = (id_, row.body, len(row.body), row.created, row.expires)
            self._db.execute("INSERT INTO briefs VALUES (?, ?, ?, ?, ?)", values)

    def find(self, id_: str, now: float) -> Row | None:
        """Give a brief, unless there is none or its time is over.

        Raises:
            sqlite3.Error: the file can't be read.
        """
        row = self._db.execute(
            "SELECT body, created, expires FROM briefs WHERE id = ? AND expires > ?", [id_, now]
        ).fetchone()
        return None if row is None else Row(*row)

    def delete(self, id_: str, now: float) -> bool:
        """Delete a brief; gives whether it was there, and its time not over.

        Raises:
            sqlite3.Error: the file can't be written.
        """
        return self._delete("id = ? AND expires > ?", id_, now) > 0

    def expire(self, now: float) -> int:
        """Delete what has been kept for its time; gives how many briefs that were.

        Raises:
            sqlite3.Error: the file can't be written.
        """
        return self._delete("expires <= ?", now)

    def _delete(self, condition: str, *values: str | float) -> int:
        with self._db:
            count = self._db.execute(f"DELETE FROM briefs WHERE {condition}", values).rowcount  # noqa: S608 - our own words
        if count:
            # The log has what was written before; cut to nothing, it has no text either.
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return count


def _make(path: Path) -> None:
    """Make the file before SQLite does, which would let others read it and its log.

    Raises:
        OSError: it can't be made, or is there and others may read it.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        mode = os.fstat(descriptor).st_mode
    finally:
        os.close(descriptor)
    if mode & _OTHERS:
        raise PermissionError(errno.EPERM, "others may read it; chmod 600 it first")


def _unusable(path: Path, error: OSError | sqlite3.Error) -> ConfigurationError:
    reason = error.strerror if isinstance(error, OSError) else error
    return ConfigurationError(f"--keep: {path} can't be used: {reason}")
