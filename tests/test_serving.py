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
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from humanparse.client import Client
from tests.redis_server import free_port

ROOT = Path(__file__).parent.parent
PATIENCE_S = 60


@contextmanager
def running(command: list[str], port: int, folder: Path, killed: bool = False, **environ: str) -> Iterator[str]:
    """The command as a process, from when it is ready until it has ended; what it writes is under `folder`.

    killed: it ends as if the power had gone.
    """
    folders = {f"HUMANPARSE_{name.upper()}_DIR": str(folder / name) for name in ("jobs", "results", "cache")}
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env={**os.environ, **folders, **environ}, start_new_session=True
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
