"""What is looked up when the metrics are read: for one process, and for several that count together."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from humanparse.config import Settings, shared_metrics_dir
from humanparse.errors import StorageError
from humanparse.memory import family
from humanparse.metrics.snapshot import Snapshot

ROOT = Path(__file__).parent.parent.parent


def no_jobs() -> dict[str, int]:
    return {"queued": 0}


def test_one_process_tells_of_itself() -> None:
    text = Snapshot(Settings(parser="compact"), no_jobs, None).text().decode()
    assert f"humanparse_processes {len(family(psutil.Process()))}.0" in text
    assert 'humanparse_jobs{state="queued"} 0.0' in text
    assert 'humanparse_build_info{parser="compact"' in text


def test_making_one_looks_nothing_up() -> None:
    def fail() -> dict[str, int]:
        raise AssertionError("asked too early")

    Snapshot(Settings(), fail, None).registry()


def test_jobs_that_cannot_be_counted_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> dict[str, int]:
        raise StorageError("gone")

    text = Snapshot(Settings(), fail, None).text().decode()
    assert "humanparse_jobs{" not in text
    assert "humanparse_memory_bytes" in text
    assert "gone" in caplog.text


def test_processes_that_share_a_folder_are_added_up(tmp_path: Path) -> None:
    count = "from humanparse import metrics; metrics.PHOTOS.labels('bands').inc(3); metrics.QUEUE_PLACES.inc(16);"
    read = (
        "from humanparse.config import Settings, shared_metrics_dir;"
        "from humanparse.metrics.snapshot import Snapshot;"
        "print(Snapshot(Settings(), dict, shared_metrics_dir()).text().decode())"
    )
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for script in (count, count):
        subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environ, check=True)
    told = subprocess.run(
        [sys.executable, "-c", count + read], cwd=ROOT, env=environ, check=True, capture_output=True, text=True
    ).stdout
    assert 'humanparse_photos_total{parser="bands"} 9.0' in told
    assert "humanparse_queue_places 48.0" in told


def test_the_folder_is_prometheus_clients_own_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    assert shared_metrics_dir() is None
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    assert shared_metrics_dir() == tmp_path
