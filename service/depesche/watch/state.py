"""What the watcher remembers: one file of SQLite, in which every step is one transaction.

An item is `waiting`, then `briefed` or `failed`; one that was there before its source was watched
is `skipped`. With its brief come its deliveries: each is `due`, at a folder `written` for a moment,
then `delivered` or `dead`. What a step needs stays in the row until the step after is done.
"""

import json
import sqlite3
from collections.abc import Collection
from dataclasses import asdict
from typing import Any

from depesche.types import ContentFormat, Language, Release
from depesche.watch.folders import Look
from depesche.watch.items import Item
from depesche.watch.records import Delivery, Memory, Polled, Recorded, Waiting

__all__ = ["State"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sources (
    name TEXT PRIMARY KEY,
    url TEXT NOT NULL DEFAULT '',
    etag TEXT NOT NULL DEFAULT '',
    modified TEXT NOT NULL DEFAULT '',
    looks TEXT NOT NULL DEFAULT '{}',
    seen INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS items (
    number INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    content TEXT NOT NULL,
    version INTEGER NOT NULL,
    link TEXT NOT NULL,
    published TEXT NOT NULL,
    first_seen REAL NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    release TEXT,
    body TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0,
    UNIQUE (source, id, content)
) STRICT;
CREATE INDEX IF NOT EXISTS items_waiting ON items (due) WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS deliveries (
    item INTEGER NOT NULL REFERENCES items,
    target TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'due',
    place TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (item, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (target, due)
    WHERE state IN ('due', 'written');
"""
_VERSION = 1
_NAMES = "(SELECT value FROM json_each(?))"


class State:
    """The file; one process has it at a time, see `lock`."""

    def __init__(self, path: str) -> None:
        """Open or make the file.

        Raises:
            sqlite3.Error: it can't be used.
        """
        self._db = sqlite3.connect(path, isolation_level="IMMEDIATE")
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        # With WAL, the lesser levels may lose the latest steps when the power goes.
        self._db.execute("PRAGMA synchronous = FULL")
        found = self._db.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, _VERSION):
            self._db.close()
            raise sqlite3.DatabaseError(f"its version is {found}, not {_VERSION}")
        self._db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT;")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def memory(self, source: str, url: str = "") -> Memory:
        """Tell what is remembered of a source; validators only of the same address."""
        row = self._db.execute("SELECT * FROM sources WHERE name = ?", [source]).fetchone()
        if row is None:
            return Memory()
        etag, modified = (row["etag"], row["modified"]) if row["url"] == url else ("", "")
        looks = {name: Look(*seen) for name, seen in json.loads(row["looks"]).items()}
        return Memory(etag, modified, looks, bool(row["seen"]), row["failures"], row["due"])

    def record(self, polled: Polled, now: float) -> Recorded:
        """Remember what a source holds, and that it was read, in one step."""
        with self._db:
            row = self._db.execute("SELECT seen FROM sources WHERE name = ?", [polled.source])
            is_first = not next(row, [0])[0]
            known = [polled.source, polled.url, polled.etag, polled.modified]
            looks = json.dumps(dict(polled.looks))
            self._db.execute(
                "INSERT OR REPLACE INTO sources (name, url, etag, modified, looks, seen)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [*known, looks, int(polled.complete or not is_first)],
            )
            most = polled.backfill if is_first else None
            states = [
                self._add(polled, item, now, is_old=most is not None and place >= most)
                for place, item in reversed(list(enumerate(polled.items)))
            ]
        return Recorded(*(states.count(state) for state in ("waiting", "skipped", "failed")))

    def _add(self, polled: Polled, item: Item, now: float, *, is_old: bool) -> str:
        """Add an item unless it is known; gives its state, or ""."""
        key = [polled.source, item.version.id]
        versions = self._db.execute(
            "SELECT content FROM items WHERE source = ? AND id = ?", key
        ).fetchall()
        known = {row["content"] for row in versions}
        if item.version.content in known or (known and polled.ignore_changes):
            return ""
        state = "skipped" if is_old else "failed" if item.reason else "waiting"
        release = _release_json(item.release) if state == "waiting" else None
        known_of = (item.version.content, len(known) + 1, item.link, item.published)
        self._db.execute(
            "INSERT INTO items (source, id, content, version, link, published, first_seen, state,"
            " reason, release) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*key, *known_of, now, state, item.reason, release),
        )
        return state

    def postpone(self, source: str, failures: int, due: float) -> None:
        """Remember that a source couldn't be read, and when it may be asked again."""
        with self._db:
            self._db.execute(
                "INSERT INTO sources (name, failures, due) VALUES (?, ?, ?) ON CONFLICT (name)"
                " DO UPDATE SET failures = excluded.failures, due = excluded.due",
                [source, failures, due],
            )

    def waiting(self, sources: Collection[str], now: float, most: int) -> list[Waiting]:
        """Give the items that are due, the longest due first."""
        rows = self._db.execute(
            f"SELECT * FROM items WHERE state = 'waiting' AND source IN {_NAMES} AND due <= ?"  # noqa: S608
            " ORDER BY due, number LIMIT ?",
            [json.dumps(list(sources)), now, most],
        )
        return [_waiting(row) for row in rows]

    def briefed(self, item: int, body: str, targets: Collection[str]) -> None:
        """Keep an item's brief, and what is to be done with it."""
        with self._db:
            self._db.execute(
                "UPDATE items SET state = 'briefed', body = ?, release = NULL WHERE number = ?",
                [body, item],
            )
            self._db.executemany(
                "INSERT INTO deliveries (item, target) VALUES (?, ?)",
                [(item, target) for target in targets],
            )

    def failed(self, item: int, reason: str) -> None:
        """Remember that an item can't be briefed."""
        with self._db:
            self._db.execute(
                "UPDATE items SET state = 'failed', reason = ?, release = NULL WHERE number = ?",
                [reason, item],
            )

    def try_later(self, item: int, due: float, *, counted: bool) -> None:
        """Remember that an item couldn't be briefed for now, and whether that counts as a try."""
        with self._db:
            self._db.execute(
                "UPDATE items SET attempts = attempts + ?, due = ? WHERE number = ?",
                [int(counted), due, item],
            )

    def deliveries(self, target: str, now: float, most: int) -> list[Delivery]:
        """Give the deliveries to a target that are due, the longest due first."""
        rows = self._db.execute(
            "SELECT item, target, source, id, content, first_seen, body, d.state, place,"
            " d.attempts FROM deliveries AS d JOIN items ON number = item WHERE target = ?"
            " AND d.state IN ('due', 'written') AND d.due <= ? ORDER BY d.due, item LIMIT ?",
            [target, now, most],
        )
        return [Delivery(**dict(row)) for row in rows]

    def wrote(self, delivery: Delivery, place: str) -> None:
        """Remember that a file needs no more than its name, and which one."""
        with self._db:
            self._db.execute(
                "UPDATE deliveries SET state = 'written', place = ? WHERE item = ? AND target = ?",
                [place, delivery.item, delivery.target],
            )

    def delivered(self, delivery: Delivery) -> None:
        """Remember that a target has a brief; the last one to have it frees the room it took."""
        self._set(delivery, "delivered", "")

    def dead(self, delivery: Delivery, reason: str) -> None:
        """Remember that a target won't have a brief; the brief is kept."""
        self._set(delivery, "dead", reason)

    def deliver_later(self, delivery: Delivery, due: float, reason: str) -> None:
        """Remember that a target couldn't be reached for now."""
        with self._db:
            self._db.execute(
                "UPDATE deliveries SET attempts = attempts + 1, due = ?, reason = ?"
                " WHERE item = ? AND target = ?",
                [due, reason, delivery.item, delivery.target],
            )

    def revive(self, now: float) -> int:
        """Make all that is dead due again; gives how many there were."""
        with self._db:
            return self._db.execute(
                "UPDATE deliveries SET state = 'due', attempts = 0, due = ? WHERE state = 'dead'",
                [now],
            ).rowcount

    def _set(self, delivery: Delivery, state: str, reason: str) -> None:
        key = [delivery.item, delivery.target]
        with self._db:
            self._db.execute(
                "UPDATE deliveries SET state = ?, reason = ? WHERE item = ? AND target = ?",
                [state, reason, *key],
            )
            self._db.execute(
                "UPDATE items SET body = NULL WHERE number = ? AND NOT EXISTS"
                " (SELECT 1 FROM deliveries WHERE item = number AND state <> 'delivered')",
                [delivery.item],
            )

    def next_item(self, sources: Collection[str], after: float) -> float | None:
        """Tell when the next item is due after a time, in seconds since 1970; None for never."""
        row = self._db.execute(
            f"SELECT min(due) FROM items WHERE state = 'waiting' AND source IN {_NAMES}"  # noqa: S608
            " AND due > ?",
            [json.dumps(list(sources)), after],
        ).fetchone()
        due: float | None = row[0]
        return due

    def next_delivery(self, targets: Collection[str], after: float) -> float | None:
        """Tell when the next delivery is due after a time; see `next_item`."""
        row = self._db.execute(
            f"SELECT min(due) FROM deliveries WHERE state IN ('due', 'written')"  # noqa: S608
            f" AND target IN {_NAMES} AND due > ?",
            [json.dumps(list(targets)), after],
        ).fetchone()
        due: float | None = row[0]
        return due

    def counts(self) -> dict[str, int]:
        """Count items and deliveries by their states."""
        counts = dict.fromkeys(("waiting", "failed", "due", "delivered", "dead"), 0)
        for table in ("items", "deliveries"):
            for state, count in self._db.execute(
                f"SELECT state, count(*) FROM {table} GROUP BY state"  # noqa: S608
            ):
                key = "due" if state == "written" else state
                counts[key] = counts.get(key, 0) + count
        return counts


def _waiting(row: sqlite3.Row) -> Waiting:
    names = ("number", "source", "id", "content", "version", "link", "published", "first_seen")
    return Waiting(
        **{name: row[name] for name in names},
        release=_release(row["release"]),
        attempts=row["attempts"],
    )


def _release_json(release: Release | None) -> str | None:
    return None if release is None else json.dumps(asdict(release))


def _release(written: str | None) -> Release | None:
    if written is None:
        return None
    values: dict[str, Any] = json.loads(written)
    language = values["language"]
    return Release(
        values["text"],
        ContentFormat(values["content_format"]),
        values["title"],
        Language(language) if language else None,
    )
