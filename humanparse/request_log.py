"""The request log: what was asked, when, how long it took, how it ended. Never a photo, never a file name.

Rows go through a bounded line to a thread that writes them, many in one transaction, so that no
request waits for the disk; where the line is full or the file cannot be written, rows are dropped and
counted. One SQLite file for all processes of a machine.
"""

from __future__ import annotations

import atexit
import csv
import io
import json
import logging
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

from humanparse import metrics, shared_database
from humanparse.config import Settings
from humanparse.errors import StorageError

log = logging.getLogger(__name__)

FILE: Final = "requests.sqlite3"
OFF: Final = "There is no request log; HUMANPARSE_REQUEST_LOG_ROWS turns it on."
LINE: Final = 2000  # rows that may wait to be written
PATIENCE_S: Final = 5.0  # for other processes' writes
CLOSE_S: Final = 3.0  # longest wait for the last rows when the process ends
TRIM_S: Final = 10.0  # how often too many or too old rows go
SCHEMA: Final = """
CREATE TABLE requests (
    number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, request_id TEXT NOT NULL, method TEXT NOT NULL,
    endpoint TEXT NOT NULL, status INTEGER NOT NULL, code TEXT, parser TEXT, cache TEXT, options TEXT NOT NULL,
    photos INTEGER NOT NULL, people INTEGER NOT NULL, ms REAL NOT NULL, stages_ms TEXT NOT NULL,
    bytes_in INTEGER NOT NULL, bytes_out INTEGER
);
CREATE INDEX requests_by_time ON requests (at);
"""
JSON_COLUMNS: Final = ("options", "stages_ms")


@dataclass(frozen=True)
class Entry:
    """One request. endpoint: its route, without ids; options: those that were not the default; times in ms."""

    at: float
    request_id: str
    method: str
    endpoint: str
    status: int
    code: str | None
    parser: str | None
    cache: str | None
    photos: int
    people: int
    ms: float
    bytes_in: int
    bytes_out: int | None
    options: dict[str, Any] = field(default_factory=dict)
    stages_ms: dict[str, float] = field(default_factory=dict)
    number: int = 0


COLUMNS: Final = tuple(item.name for item in fields(Entry) if item.name != "number")


@dataclass(frozen=True)
class EndpointSummary:
    """What one endpoint's rows come to; milliseconds are medians and 95th percentiles, errors are 4xx and 5xx."""

    endpoint: str
    requests: int
    refused: int
    failed: int
    photos: int
    people: int
    median_ms: float
    p95_ms: float


class RequestLog:
    """`add` from any thread, at once and without errors; the readers raise StorageError."""

    def __init__(self, folder: Path, max_rows: int, max_age_s: float) -> None:
        self._path, self._max_rows, self._max_age_s = folder / FILE, max_rows, max_age_s
        self._lock = threading.Lock()
        self._process: int | None = None
        self._line: queue.Queue[Entry | None] = queue.Queue(LINE)
        self._thread: threading.Thread | None = None
        self._trimmed_at = 0.0

    def add(self, entry: Entry) -> None:
        """Keep a row, soon; or drop it where too many wait already."""
        self._start()
        try:
            self._line.put_nowait(entry)
        except queue.Full:
            metrics.REQUEST_LOG_DROPPED.inc()

    def close(self) -> None:
        """Write what waits, for a few seconds at most. The next `add` begins anew."""
        with self._lock:
            thread, self._thread = self._thread, None
            if thread is None or self._process != os.getpid():
                return
            self._process = None
        try:
            self._line.put(None, timeout=CLOSE_S)
        except queue.Full:
            return
        thread.join(CLOSE_S)

    def latest(self, limit: int, before: int | None = None, failed_only: bool = False) -> list[Entry]:
        """Rows, the newest first, with numbers below `before`; failed_only: of status 400 and above."""
        where, values = ["number < ?"] if before else ["1"], [before] if before else []
        if failed_only:
            where.append("status >= 400")
        with self._read() as db:
            rows = db.execute(
                f"SELECT * FROM requests WHERE {' AND '.join(where)} ORDER BY number DESC LIMIT ?", (*values, limit)
            )
            return [_entry(row) for row in rows]

    def each(self) -> Iterator[Entry]:
        """All rows, the oldest first."""
        with self._read() as db:
            for row in db.execute("SELECT * FROM requests ORDER BY number"):
                yield _entry(row)

    def summary(self, since: float) -> list[EndpointSummary]:
        """A row for each endpoint, the most asked first."""
        with self._read() as db:
            rows = db.execute("SELECT endpoint, status, photos, people, ms FROM requests WHERE at >= ?", (since,))
            by_endpoint: dict[str, list[sqlite3.Row]] = {}
            for row in rows:
                by_endpoint.setdefault(row["endpoint"], []).append(row)
        made = [_summarize(endpoint, found) for endpoint, found in by_endpoint.items()]
        return sorted(made, key=lambda row: (-row.requests, row.endpoint))

    def _start(self) -> None:
        with self._lock:
            if self._process == os.getpid():
                return
            self._process = os.getpid()  # a fork has neither the thread nor the parent's rows
            self._line = queue.Queue(LINE)
            self._thread = threading.Thread(target=self._run, args=(self._line,), name="request-log", daemon=True)
            self._thread.start()
        atexit.register(self.close)

    def _run(self, line: queue.Queue[Entry | None]) -> None:
        while True:
            entries = [line.get()]
            while not line.empty():
                entries.append(line.get())
            kept = [entry for entry in entries if entry is not None]
            try:
                self._write(kept)
            except (sqlite3.Error, OSError, ValueError, ArithmeticError) as error:
                metrics.REQUEST_LOG_DROPPED.inc(len(kept))
                log.warning("the request log cannot be written: %s", error)
                if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
                    shared_database.remove(self._path)  # damaged: it begins anew
            if len(kept) < len(entries):
                return

    def _write(self, entries: list[Entry]) -> None:
        rows = [tuple(_text(name, getattr(entry, name)) for name in COLUMNS) for entry in entries]
        with closing(shared_database.connect(self._path, SCHEMA, patience_s=PATIENCE_S)) as db:
            db.execute("PRAGMA synchronous = OFF")  # after a power cut some rows may be missing
            db.execute("BEGIN IMMEDIATE")
            marks = ", ".join("?" for _ in COLUMNS)
            db.executemany(f"INSERT INTO requests ({', '.join(COLUMNS)}) VALUES ({marks})", rows)
            if time.monotonic() - self._trimmed_at > TRIM_S or not self._trimmed_at:
                self._trimmed_at = time.monotonic()
                self._trim(db)
            db.execute("COMMIT")

    def _trim(self, db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM requests WHERE at < ?", (time.time() - self._max_age_s,))
        db.execute("DELETE FROM requests WHERE number <= (SELECT max(number) FROM requests) - ?", (self._max_rows,))

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(shared_database.connect(self._path, SCHEMA, patience_s=PATIENCE_S)) as db:
                db.row_factory = sqlite3.Row
                yield db
        except (sqlite3.Error, OSError) as exc:
            raise StorageError(f"The request log cannot be read: {exc}") from exc


def open_request_log(settings: Settings) -> RequestLog | None:
    """The request log of a service with these settings; None where it is off."""
    if settings.request_log_rows == 0:
        return None
    return RequestLog(settings.request_log_dir, settings.request_log_rows, settings.request_log_age_s)


def write_csv(entries: Iterator[Entry]) -> Iterator[str]:
    """A head line, then a line for each row; times in UTC."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(("number", "time", *COLUMNS[1:]))
    for entry in entries:
        values = [_text(name, getattr(entry, name)) for name in COLUMNS[1:]]
        when = datetime.fromtimestamp(entry.at, timezone.utc).isoformat(timespec="milliseconds")
        writer.writerow((entry.number, when, *values))
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue()  # the head line, where there was nothing


def _text(name: str, value: Any) -> Any:
    return json.dumps(value, default=sorted) if name in JSON_COLUMNS else value


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(**{name: json.loads(row[name]) if name in JSON_COLUMNS else row[name] for name in row.keys()})  # noqa: SIM118


def _summarize(endpoint: str, rows: list[sqlite3.Row]) -> EndpointSummary:
    times = sorted(row["ms"] for row in rows)
    return EndpointSummary(
        endpoint,
        requests=len(rows),
        refused=sum(400 <= row["status"] < 500 for row in rows),
        failed=sum(row["status"] >= 500 for row in rows),
        photos=sum(row["photos"] for row in rows),
        people=sum(row["people"] for row in rows),
        median_ms=times[len(times) // 2],
        p95_ms=times[min(len(times) - 1, int(len(times) * 0.95))],
    )
