"""Bytes by key: bounded, shared, and never a reason to fail."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from humanparse.cache import sqlite_blobs
from humanparse.cache.redis_blobs import RedisBlobs
from humanparse.cache.sqlite_blobs import FILE, SqliteBlobs
from humanparse.errors import StorageError


class Clock:
    now = 1000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(sqlite_blobs, "time", made)
    return made


@pytest.fixture
def blobs(tmp_path: Path, clock: Clock) -> SqliteBlobs:
    del clock
    return SqliteBlobs(tmp_path / "cache", max_bytes=4000, max_age_s=500)


def test_what_is_put_is_got_by_others_too(blobs: SqliteBlobs, tmp_path: Path) -> None:
    assert blobs.get("a") is None
    assert blobs.put("a", b"one")
    assert blobs.put("a", b"two")
    assert SqliteBlobs(tmp_path / "cache", 4000, 500).get("a") == b"two"
    assert blobs.get("b") is None


def test_what_is_too_old_is_not_got_and_goes(blobs: SqliteBlobs, clock: Clock, tmp_path: Path) -> None:
    blobs.put("old", b"x")
    clock.now += 501
    assert blobs.get("old") is None
    blobs.put("new", b"x")
    with sqlite3.connect(tmp_path / "cache" / FILE) as db:
        assert db.execute("SELECT key FROM entries").fetchall() == [("new",)]
    db.close()


def test_use_does_not_make_anything_younger(blobs: SqliteBlobs, clock: Clock) -> None:
    blobs.put("a", b"x")
    for _ in range(5):
        clock.now += 99
        assert blobs.get("a") == b"x"
    clock.now += 99
    assert blobs.get("a") is None


def test_bytes_are_bounded_and_what_was_not_used_for_longest_goes(blobs: SqliteBlobs, clock: Clock) -> None:
    for name in "abcd":
        blobs.put(name, bytes(1000))
        clock.now += 1
    clock.now += sqlite_blobs.TOUCH_S
    assert blobs.get("a") == bytes(1000)
    blobs.put("e", bytes(1000))
    assert [name for name in "abcde" if blobs.get(name)] == ["a", "c", "d", "e"]
    assert not blobs.put("large", bytes(1001))  # it would push out all the others
    assert [name for name in "abcde" if blobs.get(name)] == ["a", "c", "d", "e"]


def test_the_file_itself_is_bounded(tmp_path: Path) -> None:
    blobs = SqliteBlobs(tmp_path, max_bytes=400_000, max_age_s=500)
    for place in range(60):
        blobs.put(str(place), bytes(50_000))
    assert (tmp_path / FILE).stat().st_size < 2 * 400_000


@pytest.mark.parametrize("where", ["all", "middle"])
def test_a_damaged_file_is_thrown_away_and_the_next_works(
    tmp_path: Path, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    blobs = SqliteBlobs(tmp_path, max_bytes=4_000_000, max_age_s=500)
    for place in range(40):
        blobs.put(str(place), bytes(9000))
    path = tmp_path / FILE
    data = bytearray(path.read_bytes())
    start = 0 if where == "all" else 4096
    data[start:] = b"\xff" * (len(data) - start)
    path.write_bytes(data)
    for suffix in ("-wal", "-shm"):
        path.with_name(FILE + suffix).unlink(missing_ok=True)
    found = [blobs.get(str(place)) for place in range(40)]
    assert all(each in (None, bytes(9000)) for each in found)
    assert "damaged" in caplog.text
    assert blobs.put("a", b"x")
    assert blobs.get("a") == b"x"


def test_a_folder_that_cannot_be_used_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    blobs = SqliteBlobs(tmp_path / "file", 4000, 500)
    assert not blobs.put("a", b"x")
    assert blobs.get("a") is None


def test_a_cache_that_cannot_be_cleared_says_so(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(StorageError, match="cannot be deleted"):
        SqliteBlobs(tmp_path, 4000, 500).clear()


def test_a_lock_that_is_held_for_too_long_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_blobs, "PATIENCE_S", 0.01)
    blobs = SqliteBlobs(tmp_path, 4000, 500)
    blobs.put("a", b"x")
    db = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    assert not blobs.put("b", b"x")
    assert blobs.get("a") == b"x"
    db.close()
    assert blobs.put("b", b"x")


def test_many_may_use_it_at_once(tmp_path: Path) -> None:
    barrier = threading.Barrier(4)

    def use(who: str) -> bool:
        barrier.wait()
        blobs = SqliteBlobs(tmp_path, 10**6, 500)
        for place in range(20):
            blobs.put(f"{who}{place}", bytes(100))
        return all(blobs.get(f"{who}{place}") == bytes(100) for place in range(1, 20))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(use, "abcd")) == [True] * 4


def test_redis_keeps_bytes_for_as_long_as_told(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
        blobs = RedisBlobs(redis_url, max_age_s=500)
        assert blobs.get("a") is None
        assert blobs.put("a", b"\x00one")
        assert RedisBlobs(redis_url, 500).get("a") == b"\x00one"
        (key,) = client.keys()
        assert 490 < client.ttl(key) <= 500


def test_redis_that_is_away_is_no_error() -> None:
    blobs = RedisBlobs("redis://127.0.0.1:9/0", 500)
    assert blobs.get("a") is None
    assert not blobs.put("a", b"x")
