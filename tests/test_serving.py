"""The three ways to start the service, as processes, with the real parser."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from prometheus_client.parser import text_string_to_metric_families

from humanparse.client import Client
from tests.redis_server import free_port

ROOT = Path(__file__).parent.parent
PATIENCE_S = 60


@contextmanager
def running(
    command: list[str], port: int, folder: Path, killed: bool = False, log: IO[bytes] | None = None, **environ: str
) -> Iterator[str]:
    """The command as a process, from when it is ready until it has ended; what it writes is under `folder`.

    killed: it ends as if the power had gone.
    """
    folders = {f"HUMANPARSE_{name.upper()}_DIR": str(folder / name) for name in ("jobs", "results", "cache")}
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, **folders, **environ},
        start_new_session=True,
        stderr=log,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and process.poll() is None:
            try:
                get(f"{address}/readyz")
                break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail(f"{command} was not ready within {PATIENCE_S} s")
        yield address
    finally:
        if killed:
            os.killpg(process.pid, signal.SIGKILL)
        process.terminate()
        assert process.wait(PATIENCE_S) in ((-9,) if killed else (0, -15))


def get(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=PATIENCE_S) as response:
        return json.load(response)


def commands(port: int) -> dict[str, list[str]]:
    return {
        "python app.py": ["app.py"],
        "flask run": ["-m", "flask", "--app", "app", "run", "--port", str(port)],
        "gunicorn": ["-m", "gunicorn", "-w", "2", "-b", f"127.0.0.1:{port}", "app:app"],
    }


@pytest.mark.parametrize("way", ["python app.py", "flask run", "gunicorn"])
def test_each_way_to_start_serves_a_true_answer(way: str, astronaut: NDArray[np.uint8], tmp_path: Path) -> None:
    port = free_port()
    data = cv2.imencode(".jpg", astronaut[..., ::-1])[1].tobytes()
    with running(commands(port)[way], port, tmp_path, HUMANPARSE_PORT=str(port)) as address:
        request = urllib.request.Request(f"{address}/api/parse", data, {"Content-Type": "image/jpeg"})
        answer = get(request)  # type: ignore[arg-type]
        with pytest.raises(urllib.error.HTTPError, match="415"):
            bad = urllib.request.Request(f"{address}/api/parse", b"no photo", {"Content-Type": "image/jpeg"})
            urllib.request.urlopen(bad, timeout=PATIENCE_S)
        again = get(request)  # type: ignore[arg-type]
    assert answer["parser"]["name"] == "compact"
    assert {"Face", "Hair"} <= set(answer["parts_detected"])
    assert answer["people"] == again["people"]


@pytest.mark.parametrize(("killed", "lease_s"), [(True, "2"), (False, "600")], ids=["killed", "stopped in order"])
def test_an_accepted_job_survives_a_restart(
    killed: bool, lease_s: str, astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    photo = cv2.imencode(".jpg", astronaut[..., ::-1])[1].tobytes()
    port = free_port()
    command = commands(port)["gunicorn"]
    own = {"HUMANPARSE_JOB_LEASE_S": lease_s, "HUMANPARSE_CACHE_BYTES": "0"}  # each photo takes its time
    with (
        running(command, port, tmp_path, killed, **own) as address,
        Client(address) as client,
    ):
        long = client.submit_many([photo] * 16, overlay="none")
        short = client.submit(photo, overlay="none")
        other = client.submit(photo, overlay="none")
        while client.job(long).done < 2:
            time.sleep(0.02)
        before = client.job(long)
        assert not before.ended
    with running(command, port, tmp_path, **own) as address, Client(address) as client:
        for job in (long, short, other):
            ended = client.wait(job, timeout_s=PATIENCE_S)
            assert (ended.state, ended.done, ended.failed) == ("succeeded", job.total, 0)
        items = client.result(long)
        assert isinstance(items, list)
        assert [item.index for item in items] == list(range(16))
        assert all(item.result is not None and item.result.num_persons == 1 for item in items)
    names = [path.name.split("-")[0] for path in (tmp_path / "jobs").glob("*/*")]
    assert names == ["result"] * 3


def test_a_bad_setting_stops_the_start_with_words_and_no_traceback() -> None:
    for environ in ({"HUMANPARSE_PORT": "many"}, {"HUMANPARSE_PARSER": "magic"}):
        ended = subprocess.run(
            [sys.executable, "app.py"], cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True
        )
        assert ended.returncode == 1
        assert next(iter(environ)) in ended.stderr
        assert "Traceback" not in ended.stderr


def test_serving_imports_neither_torch_nor_training() -> None:
    script = (
        "import sys, numpy as np; from humanparse.config import Settings; from app import create_app;"
        "app = create_app(Settings()); service = app.extensions['humanparse'];"
        "service.pipeline.load().parse(np.zeros((64, 64, 3), np.uint8));"
        "print([m for m in ('torch', 'training', 'modelscope') if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def metrics(address: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample of /metrics by name and labels."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=PATIENCE_S) as response:
        text = response.read().decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_gunicorn_imports_before_the_fork_starts_no_thread_and_tells_nobody() -> None:
    script = (
        "import os, sys, threading, app; from humanparse.parsers.compact import parser;"
        "print(len(os.listdir('/proc/self/task')), threading.active_count(), sys.modules['openvino_telemetry'])"
    )
    environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}  # as gunicorn.conf.py has it
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert ended.stdout.split() == ["1", "1", "None"], ended.stderr


def test_counts_are_right_under_two_workers_and_when_one_is_killed(
    astronaut: NDArray[np.uint8], tmp_path: Path
) -> None:
    """Whichever worker answers, it tells of all; what a dead one had counted stays, what it was doing does not."""
    photo = cv2.imencode(".jpg", astronaut[..., ::-1])[1].tobytes()
    port = free_port()
    log = tmp_path / "log"
    own = {"HUMANPARSE_CACHE_BYTES": "0", "TMPDIR": str(tmp_path), "HUMANPARSE_LOG_FORMAT": "json"}
    with log.open("wb") as written, running(commands(port)["gunicorn"], port, tmp_path, log=written, **own) as address:
        parsed = ("humanparse_photos_total", (("parser", "compact"),))
        for _ in range(12):
            request = urllib.request.Request(f"{address}/api/parse", photo, {"Content-Type": "image/jpeg"})
            get(request)  # type: ignore[arg-type]
        first = metrics(address)
        assert all(metrics(address)[parsed] == 12 for _ in range(6))
        served = ("humanparse_requests_total", (("endpoint", "/api/parse"), ("method", "POST"), ("status", "200")))
        assert first[served] == 12
        assert first["humanparse_queue_places", ()] == 32
        assert (
            first["humanparse_processes", ()] == 6
        )  # gunicorn's own, two workers, a decoder of each, and what those are forked from
        assert (
            0
            < first["humanparse_memory_bytes", (("kind", "pss"),)]
            < first["humanparse_memory_bytes", (("kind", "rss"),)]
        )
        assert 0 < first["humanparse_model_load_seconds", (("parser", "compact"),)] < 60
        (folder,) = tmp_path.glob("humanparse-metrics-*")
        ours = {pid: psutil.Process(pid).parents() for pid in pids(folder)}
        workers = {pid for pid, above in ours.items() if above[1].pid == os.getpid()}  # gunicorn's own has files, too
        assert len(workers) == 2
        os.kill(min(workers), signal.SIGKILL)
        end = time.monotonic() + PATIENCE_S
        while metrics(address)["humanparse_queue_places", ()] != 32 or min(workers) in pids(folder):
            assert time.monotonic() < end, "the dead worker's gauges are still there"
            time.sleep(0.1)
        assert metrics(address)[parsed] == 12
    assert not folder.exists()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert sum(line.get("path") == "/api/parse" and line["status"] == 200 for line in lines) == 12
    assert {line["logger"] for line in lines} >= {"gunicorn.error", "humanparse.requests"}


def pids(folder: Path) -> set[int]:
    return {int(path.stem.rsplit("_", 1)[1]) for path in folder.glob("gauge_livesum_*.db")}
