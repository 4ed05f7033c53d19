"""Bytes by key in one SQLite file, shared by processes, bounded by bytes and age.

Not safe against a power cut, and need not be: a file that is damaged is thrown away.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, TypeVar

from humanparse import shared_database
from humanparse.errors import StorageError

log = logging.getLogger(__name__)
T = TypeVar("T")

FILE: Final = "parsings.sqlite3"
PATIENCE_S: Final = 2.0  # for another process's write; then the entry is not worth the wait
TOUCH_S: Final = 60.0  # how exactly the last use is known: not every hit has to write
LARGEST_SHARE: Final = 4  # an entry of more than this part of the room would push out too many others
SCHEMA: Final = """
CREATE TABLE entries (
    key TEXT PRIMARY KEY, stored_at REAL NOT NULL, used_at REAL NOT NULL, size INTEGER NOT NULL, data BLOB NOT NULL
);
CREATE INDEX entries_by_use ON entries (used_at, size);
"""


class SqliteBlobs:
    """See `parsings.Blobs`."""

    def __init__(self, folder: Path, max_bytes: int, max_age_s: float) -> None:
        self._path, self._max_bytes, self._max_age_s = folder / FILE, max_bytes, max_age_s

    def get(self, key: str) -> bytes | None:
        """The bytes, if they are here and not too old."""

        def read(db: sqlite3.Connection) -> bytes | None:
            row = db.execute("SELECT data, stored_at, used_at FROM entries WHERE key = ?", (key,)).fetchone()
            now = time.time()
            if row is None or now - row[1] > self._max_age_s:
                return None
            if now - row[2] > TOUCH_S:
                with suppress(sqlite3.OperationalError):  # somebody else writes: no matter
                    db.execute("UPDATE entries SET used_at = ? WHERE key = ?", (now, key))
            return bytes(row[0])

        return self._try(read, None)

    def put(self, key: str, data: bytes) -> bool:
        """Keep the bytes; those that are too old go, then those not used for longest. Were they kept?"""

        def write(db: sqlite3.Connection) -> bool:
            now = time.time()
            db.execute("BEGIN IMMEDIATE")
            db.execute("DELETE FROM entries WHERE stored_at < ?", (now - self._max_age_s,))
            db.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)", (key, now, now, len(data), data))
            self._make_room(db)
            db.execute("COMMIT")
            return True

        return len(data) <= self._max_bytes // LARGEST_SHARE and self._try(write, False)

    def expire(self) -> None:
        """Remove what is too old, also where nobody puts anything any more."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM entries WHERE stored_at < ?", (time.time() - self._max_age_s,))

        if self._path.exists():
            self._try(write, None)

    def clear(self) -> None:
        """Remove everything. Raises StorageError: who asks for this wants to know."""
        try:
            shared_database.remove(self._path)
        except OSError as exc:
            raise StorageError(f"{self._path} cannot be deleted: {exc.strerror}.") from exc

    def _make_room(self, db: sqlite3.Connection) -> None:
        over = db.execute("SELECT sum(size) FROM entries").fetchone()[0] - self._max_bytes
        if over <= 0:
            return
        oldest = []
        for rowid, size in db.execute("SELECT rowid, size FROM entries ORDER BY used_at"):
            oldest.append((rowid,))
            over -= size
            if over <= 0:
                break
        db.executemany("DELETE FROM entries WHERE rowid = ?", oldest)

    def _try(self, step: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """A step over a connection of its own, or `otherwise` where that goes wrong; a damaged file goes."""
        try:
            with closing(shared_database.connect(self._path, SCHEMA, patience_s=PATIENCE_S)) as db:
                db.execute("PRAGMA synchronous = OFF")
                return step(db)
        except sqlite3.OperationalError as error:  # locked for too long, disk full, folder not writable
            log.warning("the cache cannot be used now: %s", error)
        except sqlite3.DatabaseError as error:
            log.warning("the cache is damaged and begins anew: %s", error)
            shared_database.remove(self._path)
        except OSError as error:
            log.warning("the cache cannot be used: %s", error)
        return otherwise
