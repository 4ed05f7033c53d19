from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from humanparse import shared_database

SCHEMA = "CREATE TABLE things (name TEXT);"
MANY = 8


def names(path: Path) -> list[str]:
    return sorted(path.name for path in path.iterdir())


def test_all_may_be_the_first_and_nothing_is_lost(tmp_path: Path) -> None:
    for turn in range(20):
        path = tmp_path / str(turn) / "things.sqlite3"
        barrier = threading.Barrier(MANY)

        def add(number: int, path: Path = path, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            with closing(shared_database.connect(path, SCHEMA, patience_s=30)) as db:
                db.execute("INSERT INTO things VALUES (?)", (str(number),))

        with ThreadPoolExecutor(MANY) as pool:
            list(pool.map(add, range(MANY)))
        with closing(shared_database.connect(path, SCHEMA, patience_s=30)) as db:
            assert db.execute("SELECT count(*) FROM things").fetchone() == (MANY,)
            assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert names(path.parent) == ["things.sqlite3"]


def test_a_schema_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        shared_database.connect(tmp_path / "things.sqlite3", "CREATE NONSENSE", patience_s=1)
    assert names(tmp_path) == []


def test_room_that_is_given_back_shrinks_the_file(tmp_path: Path) -> None:
    path = tmp_path / "things.sqlite3"
    with closing(shared_database.connect(path, SCHEMA, patience_s=1)) as db:
        db.execute("INSERT INTO things VALUES (?)", ("x" * 1_000_000,))
    full = path.stat().st_size
    with closing(shared_database.connect(path, SCHEMA, patience_s=1)) as db:
        db.execute("DELETE FROM things")
    assert path.stat().st_size < full / 10


def test_remove_takes_everything_and_minds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "things.sqlite3"
    db = shared_database.connect(path, SCHEMA, patience_s=1)
    db.execute("INSERT INTO things VALUES ('a')")
    assert len(names(tmp_path)) == 3
    shared_database.remove(path)
    shared_database.remove(path)
    assert names(tmp_path) == []
    db.close()
