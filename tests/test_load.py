"""A real gunicorn under clients that hang up, trickle, stall, come in crowds, and under signals."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import cv2
import httpx
import numpy as np
import psutil
import pytest
from PIL import Image

from humanparse.client import Client
from humanparse.web.access import HEADERS
from humanparse.web.gunicorn_worker import signs_of_life
from tests.redis_server import free_port
from tests.test_serving import PATIENCE_S, running


class Served(NamedTuple):
    address: str
    port: int
    parses: Path

    def parsed(self) -> int:
        return len(self.parses.read_text().splitlines()) if self.parses.exists() else 0

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)


@contextmanager
def serving(folder: Path, parse_s: float, *options: str, **environ: str) -> Iterator[Served]:
    port, parses = free_port(), folder / "parses"
    command = ["-m", "gunicorn", "-w", "1", *options, "-b", f"127.0.0.1:{port}", "tests.slow_app:app"]
    own = {"PARSE_S": str(parse_s), "PARSES": str(parses), "HUMANPARSE_CACHE_BYTES": "0", **environ}
    with running(command, port, folder, **own) as address:
        yield Served(address, port, parses)


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def is_there(address: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{address}/healthz").status_code == 200
    return False


def post_head(photo: bytes) -> bytes:
    return b"POST /api/parse HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(photo)


def read_all(line: socket.socket) -> bytes:
    pieces = []
    try:
        while piece := line.recv(1 << 16):
            pieces.append(piece)
    except ConnectionError:
        pass
    return b"".join(pieces)


def test_a_crowd_is_told_to_come_back_and_whoever_was_let_in_is_answered(tmp_path: Path, photo: bytes) -> None:
    answers: list[httpx.Response] = []
    with serving(tmp_path, 0.3, HUMANPARSE_QUEUE_LENGTH="2") as served:

        def post() -> None:
            answers.append(httpx.post(f"{served.address}/api/parse", content=photo, timeout=PATIENCE_S))

        threads = [threading.Thread(target=post) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        parsed = served.parsed()
    statuses = sorted(answer.status_code for answer in answers)
    assert len(answers) == 12 and set(statuses) == {200, 503}
    assert statuses.count(200) == parsed >= 5  # one is parsed, two are on deck, two wait
    for answer in answers:
        if answer.status_code == 503:
            assert answer.json()["code"] == "busy"
            assert int(answer.headers["Retry-After"]) >= 1


def test_clients_that_hang_up_free_their_place_and_are_not_parsed(tmp_path: Path, photo: bytes) -> None:
    with serving(tmp_path, 4.0, HUMANPARSE_QUEUE_LENGTH="1") as served:
        lines = [served.connect() for _ in range(4)]
        for index, line in enumerate(lines):  # one is parsed, two are on deck, one waits
            line.sendall(post_head(photo) + photo)
            if index == 0:
                wait_until(lambda: served.parsed() == 1)
        time.sleep(1)
        assert httpx.post(f"{served.address}/api/parse", content=photo, timeout=PATIENCE_S).status_code == 503
        for line in lines[1:]:
            line.close()
        time.sleep(1)
        assert httpx.post(f"{served.address}/api/parse", content=photo, timeout=PATIENCE_S).status_code == 200
        lines[0].shutdown(socket.SHUT_WR)
        assert b" 200 OK" in read_all(lines[0])[:20]
        assert served.parsed() == 2
        lines[0].close()


def test_trickling_heads_and_bodies_hold_no_thread(tmp_path: Path, photo: bytes) -> None:
    with serving(tmp_path, 0.0, HUMANPARSE_QUEUE_LENGTH="0", HUMANPARSE_SLOWEST_BYTES_S="100000") as served:
        heads = [served.connect() for _ in range(8)]
        bodies = [served.connect() for _ in range(8)]
        for line in bodies:
            line.sendall(post_head(bytes(10_000_000)))

        over = threading.Event()

        def trickle() -> None:
            while not over.wait(0.1):
                for line in (*heads, *bodies):
                    with suppress(OSError):
                        line.sendall(b"X")

        thread = threading.Thread(target=trickle)
        began = time.monotonic()
        thread.start()
        try:  # 16 slow clients for 12 threads
            assert httpx.post(f"{served.address}/api/parse", content=photo, timeout=PATIENCE_S).status_code == 200
            said = [read_all(line) for line in bodies]
            assert [read_all(line) for line in heads] == [b""] * 8
        finally:
            over.set()
            thread.join()
        assert time.monotonic() - began < 30
        for text in said:
            assert b" 408 " in text.splitlines()[0]
            assert json.loads(text.partition(b"\r\n\r\n")[2])["code"] == "slow_upload"
        for line in (*heads, *bodies):
            line.close()


NO_REQUESTS = {
    # what is sent -> the status
    b"GET / HTTP/1.1\nHost: x\n\n": 400,
    b"\x16\x03\x01\x02\x00\x01\n": 400,
    b"POST /api/parse HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 400,
    b"POST /api/parse HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef": 400,
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n": 431,
    b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n": 414,
    b"POST /api/parse HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n": 400,
    b"POST /api/parse HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;" + b"a" * 99_999 + b"\r\n": 400,
    b"POST /api/parse HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\nConnection: close\r\n\r\nab": 413,
}


def test_what_is_no_request_is_a_problem_too_with_all_headers_and_ends_the_connection(
    tmp_path: Path, photo: bytes
) -> None:
    own = {"HUMANPARSE_REQUEST_LOG_ROWS": "100", "HUMANPARSE_REQUEST_LOG_DIR": str(tmp_path / "log")}
    with serving(tmp_path, 0.0, **own) as served:
        for sent, status in NO_REQUESTS.items():
            with served.connect() as line:
                with suppress(OSError):
                    line.sendall(sent)
                head, _, body = read_all(line).partition(b"\r\n\r\n")
            problem = json.loads(body or b"{}")
            assert head.startswith(b"HTTP/1.1 %d " % status), (sent[:60], head)
            assert problem["status"] == status and problem["request_id"].encode() in head
            assert b"application/problem+json" in head
            for name, value in HEADERS.items():
                assert f"{name}: {value}".encode() in head
        assert httpx.post(f"{served.address}/api/parse", content=photo).status_code == 200
        wait_until(lambda: "/api/parse" in [row["endpoint"] for row in logged(served) if row["status"] == 200])


def logged(served: Served) -> list[dict[str, Any]]:
    return httpx.get(f"{served.address}/requests", headers={"Accept": "application/json"}).json()["requests"]


def test_an_honest_upload_that_takes_longer_than_the_grace_is_read(tmp_path: Path, photo: bytes) -> None:
    with serving(tmp_path, 0.0, HUMANPARSE_SLOWEST_BYTES_S="4096") as served, served.connect() as line:
        photo += bytes(40_000 - len(photo))  # nobody minds what follows the last pixel
        line.sendall(post_head(photo))
        step = len(photo) // 12 + 1
        for start in range(0, len(photo), step):
            line.sendall(photo[start : start + step])
            time.sleep(0.2)
        assert b" 200 OK" in line.recv(100)


def test_an_answer_that_nobody_takes_is_dropped(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), np.uint8)
    stream = BytesIO()
    Image.fromarray(noise).save(stream, "JPEG", quality=30)
    with serving(tmp_path, 0.0, HUMANPARSE_SLOWEST_BYTES_S="100000000") as served:
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        line.settimeout(PATIENCE_S)
        line.connect(("127.0.0.1", served.port))
        line.sendall(post_head(stream.getvalue()) + stream.getvalue())
        wait_until(lambda: bool(select.select([line], [], [], 0)[0]))  # the answer begins to come, whenever that is
        time.sleep(4)
        answer = read_all(line)
        line.close()
        length = int(answer.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
        assert length > 10_000_000
        assert len(answer) < length
        assert httpx.get(f"{served.address}/healthz").status_code == 200


def test_sigterm_finishes_what_was_accepted_then_stops(tmp_path: Path, photo: bytes) -> None:
    answers: list[int] = []
    with serving(tmp_path, 1.0) as served:
        (master,) = [
            process for process in psutil.Process().children() if str(served.port) in " ".join(process.cmdline())
        ]

        def post() -> None:
            answers.append(httpx.post(f"{served.address}/api/parse", content=photo, timeout=PATIENCE_S).status_code)

        threads = [threading.Thread(target=post) for _ in range(3)]
        for thread in threads:
            thread.start()
        wait_until(lambda: served.parsed() == 1)
        time.sleep(0.3)
        os.killpg(master.pid, signal.SIGTERM)  # all of its processes, as systemd does
        for thread in threads:
            thread.join()
        assert answers == [200] * 3
        assert master.wait(PATIENCE_S) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{served.address}/healthz")


def test_a_killed_worker_is_replaced_and_loses_no_accepted_job(tmp_path: Path, photo: bytes) -> None:
    with serving(tmp_path, 0.3, HUMANPARSE_JOB_LEASE_S="1") as served, Client(served.address) as client:
        (master,) = [
            process for process in psutil.Process().children() if str(served.port) in " ".join(process.cmdline())
        ]
        jobs = [client.submit_many([photo] * 3, overlay="none", idempotency_key=str(index)) for index in range(3)]
        wait_until(lambda: served.parsed() >= 2)
        seen: list[object] = []

        def wait_for_an_answer() -> None:
            try:
                seen.append(httpx.post(f"{served.address}/api/parse", content=photo, timeout=PATIENCE_S))
            except httpx.TransportError as error:
                seen.append(error)

        waiting = threading.Thread(target=wait_for_an_answer)
        waiting.start()
        time.sleep(0.2)
        for worker in master.children():
            worker.kill()
        waiting.join()
        assert isinstance(seen[0], (httpx.RemoteProtocolError, httpx.ReadError))  # at once, rather than at its timeout
        wait_until(lambda: is_there(served.address))
        ended = [client.wait(job, timeout_s=PATIENCE_S) for job in jobs]
        assert [(job.state, job.done, job.failed) for job in ended] == [("succeeded", 3, 0)] * 3
        assert httpx.post(f"{served.address}/api/parse", content=photo, timeout=PATIENCE_S).status_code == 200


def test_a_full_disk_is_a_truthful_503_and_parsing_goes_on(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk: both are an OSError of a write.

    1 MiB, as large as the files that gunicorn's workers count in, which they make at their start.
    """
    noise = np.random.default_rng(0).integers(0, 256, (1400, 1400, 3), np.uint8)
    photo = cv2.imencode(".jpg", noise)[1].tobytes()
    assert len(photo) > 1 << 20
    port = free_port()
    script = (
        "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20));"
        f"sys.argv = ['gunicorn', '-w', '1', '-b', '127.0.0.1:{port}', '--worker-tmp-dir', '/dev/shm',"
        " 'tests.slow_app:app'];"
        "runpy.run_module('gunicorn', run_name='__main__')"
    )
    own: dict[str, Any] = {"PARSE_S": "0", "PARSES": "/dev/null", "PYTHONPATH": str(Path(__file__).parent.parent)}
    with running(["-c", script], port, tmp_path, **own) as address:
        for path, body in (("/upload", photo), ("/api/jobs", photo)):
            answer = httpx.post(f"{address}{path}", content=body, timeout=PATIENCE_S)
            assert (answer.status_code, answer.json()["code"]) == (503, "storage_failed"), answer.text
        large = {"image": ("photo", photo + bytes(2_000_000))}  # forms of that size are kept in a temporary file
        answer = httpx.post(f"{address}/api/parse", files=large, timeout=PATIENCE_S)
        assert (answer.status_code, answer.json()["code"]) == (503, "storage_failed"), answer.text
        assert httpx.post(f"{address}/api/parse", content=photo, timeout=PATIENCE_S).status_code == 200


def test_a_parser_that_takes_longer_to_load_than_gunicorns_timeout_is_waited_for(tmp_path: Path, photo: bytes) -> None:
    """Else its master kills the worker again and again, and it is never ready."""
    with serving(tmp_path, 0.0, "--timeout", "3", LOAD_S="8") as served:
        assert httpx.post(f"{served.address}/api/parse", content=photo).status_code == 200


def test_a_worker_that_never_ends_loading_is_given_up() -> None:
    told: list[float] = []
    worker = SimpleNamespace(notify=lambda: told.append(time.monotonic()))
    with signs_of_life(worker, longest_s=2.5):
        time.sleep(4.5)
    assert len(told) == 2
