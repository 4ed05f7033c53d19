"""The request log: kept, bounded, shared, and never in anybody's way."""

from __future__ import annotations

import csv
import io
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from humanparse import metrics
from humanparse.config import Settings
from humanparse.errors import StorageError
from humanparse.request_log import FILE, LINE, Entry, RequestLog, open_request_log, write_csv

ROOT = Path(__file__).parent.parent
ENTRY = Entry(
    at=time.time(),
    request_id="r-1",
    method="POST",
    endpoint="/api/parse",
    status=200,
    code=None,
    parser="bands",
    cache="miss",
    photos=1,
    people=2,
    ms=12.5,
    bytes_in=100,
    bytes_out=None,
    options={"alpha": 0.3, "include": ["masks", "rle"]},
    stages_ms={"decode": 1.0, "parse": 9.5},
)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[RequestLog]:
    made = RequestLog(tmp_path / "logs", 1000, 3600)
    yield made
    made.close()


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def dropped() -> float:
    return metrics.REGISTRY.get_sample_value("humanparse_request_log_dropped_total") or 0.0


def test_what_is_added_is_read_again_the_newest_first(log: RequestLog) -> None:
    for status in (200, 415, 503):
        log.add(replace(ENTRY, status=status))
    log.close()
    assert [entry.status for entry in log.latest(10)] == [503, 415, 200]
    assert log.latest(10)[-1] == replace(ENTRY, number=1)
    assert [entry.number for entry in log.latest(1, before=3)] == [2]
    assert [entry.status for entry in log.latest(10, failed_only=True)] == [503, 415]
    log.add(ENTRY)  # after the close it begins anew
    log.close()
    assert len(log.latest(10)) == 4


def test_the_summary_is_by_endpoint(log: RequestLog) -> None:
    for ms in range(1, 101):
        log.add(replace(ENTRY, ms=float(ms), status=500 if ms <= 3 else 404 if ms <= 5 else 200))
    log.add(replace(ENTRY, endpoint="/", photos=0, people=0))
    log.add(replace(ENTRY, endpoint="/old", at=ENTRY.at - 500))
    log.close()
    first, second = log.summary(ENTRY.at - 100)
    assert (first.endpoint, first.requests, first.refused, first.failed) == ("/api/parse", 100, 2, 3)
    assert (first.photos, first.people, first.median_ms, first.p95_ms) == (100, 200, 51, 96)
    assert second.endpoint == "/"


def test_too_many_and_too_old_rows_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("humanparse.request_log.TRIM_S", 0)
    log = RequestLog(tmp_path, 5, 3600)
    for place in range(20):
        log.add(replace(ENTRY, ms=place))
    log.close()
    log.add(replace(ENTRY, at=time.time() - 4000, ms=20.0))
    log.close()
    log.add(replace(ENTRY, ms=21.0))
    log.close()
    assert [entry.ms for entry in log.latest(100)] == [21, 19, 18, 17]


def test_processes_share_it(log: RequestLog, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from dataclasses import replace;"
        "from humanparse.request_log import RequestLog; from tests.test_request_log import ENTRY;"
        "log = RequestLog(Path(sys.argv[1]), 1000, 3600);"
        "[log.add(replace(ENTRY, request_id=sys.argv[2])) for _ in range(50)]"  # the exit writes what waits
    )
    folder = str(tmp_path / "logs")
    started = [subprocess.Popen([sys.executable, "-c", script, folder, name], cwd=ROOT) for name in "abc"]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    assert sorted(entry.request_id for entry in log.each()) == ["a"] * 50 + ["b"] * 50 + ["c"] * 50


def test_a_fork_writes_its_own_rows_and_none_of_the_parents(log: RequestLog) -> None:
    log.add(ENTRY)
    log.close()
    child = os.fork()
    if child == 0:
        log.add(replace(ENTRY, request_id="child"))
        log.close()
        os._exit(0)
    os.waitpid(child, 0)
    log.add(replace(ENTRY, request_id="parent"))
    log.close()
    assert [entry.request_id for entry in log.each()] == ["r-1", "child", "parent"]


def test_a_locked_file_holds_up_nobody_and_drops_are_counted(
    log: RequestLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("humanparse.request_log.PATIENCE_S", 0.05)
    log.add(ENTRY)
    log.close()
    before = dropped()
    with sqlite3.connect(tmp_path / "logs" / FILE, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        log.add(replace(ENTRY, request_id="dropped"))
        wait_until(lambda: dropped() > before)
        other.execute("ROLLBACK")
    other.close()
    log.add(replace(ENTRY, request_id="after"))
    log.close()
    assert [entry.request_id for entry in log.each()] == ["r-1", "after"]


def test_a_full_line_drops_at_once(log: RequestLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "_run", lambda line: None)  # nobody writes
    before = dropped()
    for _ in range(LINE + 3):
        log.add(ENTRY)
    assert dropped() == before + 3


def test_a_folder_that_cannot_be_written_fails_no_request(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("not a folder")
    log = RequestLog(tmp_path / "file" / "logs", 10, 10)
    log.add(ENTRY)
    log.close()
    assert "cannot be written" in caplog.text
    with pytest.raises(StorageError):
        log.latest(1)


def test_a_damaged_file_begins_anew(log: RequestLog, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / FILE).write_bytes(b"no database at all, but long enough to be taken for one" * 100)
    log.add(ENTRY)
    log.close()
    log.add(replace(ENTRY, request_id="second"))
    log.close()
    assert [entry.request_id for entry in log.each()] == ["second"]


def test_the_csv_has_a_line_for_each_row(tmp_path: Path) -> None:
    log = RequestLog(tmp_path, 1000, max_age_s=1e12)
    assert len("".join(write_csv(log.each())).splitlines()) == 1
    log.add(replace(ENTRY, at=0.0))
    log.add(replace(ENTRY, code="busy", status=503))
    log.close()
    first, second = csv.DictReader(io.StringIO("".join(write_csv(log.each()))))
    assert first["time"] == "1970-01-01T00:00:00.000+00:00"
    assert first["options"] == '{"alpha": 0.3, "include": ["masks", "rle"]}'
    assert (second["status"], second["code"]) == ("503", "busy")


def test_it_is_off_unless_asked_for(tmp_path: Path) -> None:
    assert open_request_log(Settings()) is None
    assert open_request_log(Settings(request_log_rows=1, request_log_dir=tmp_path)) is not None
