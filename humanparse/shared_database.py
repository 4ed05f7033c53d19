"""SQLite files that several processes and threads share: made whole, or not at all."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final
from uuid import uuid4

NEW: Final = ".new"


def connect(path: Path, schema: str, *, patience_s: float) -> sqlite3.Connection:
    """A connection in autocommit mode that waits `patience_s` for others' writes; the file is made if it is missing.

    `schema` is the script that makes the tables. The file is kept in SQLite's write-ahead mode, in which readers
    never wait; it must lie on a disk of this machine, since SQLite's locks do not hold on network folders.
    Raises sqlite3.Error and OSError.
    """
    if not path.exists():
        _make(path, schema)
    return sqlite3.connect(path, timeout=patience_s, isolation_level=None)


def _make(path: Path, schema: str) -> None:
    """Under another name first: the change to write-ahead mode does not wait for others, it fails if there are any."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{uuid4().hex}{NEW}")
    try:
        with closing(sqlite3.connect(new, isolation_level=None)) as db:
            db.execute("PRAGMA auto_vacuum = FULL")  # room that is given back shrinks the file
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(schema)
        os.link(new, path)  # unlike a rename, never over the file of one who was faster
    except FileExistsError:
        pass
    finally:
        new.unlink(missing_ok=True)


def remove(path: Path) -> None:
    """The file and what SQLite keeps beside it; no error if there is none."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
