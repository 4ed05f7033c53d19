"""What the soak asks: every kind of request, good and bad, in the order of a seed, and what follows an answer."""

from __future__ import annotations

import random
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import httpx
import numpy as np
from PIL import Image

from benchmarks.video import make_film

SIZES: Final = ((96, 64), (480, 640), (640, 480), (720, 1280), (1080, 1920), (1000, 300), (2000, 3000))
PAGES: Final = ("/", "/recognize", "/studio", "/docs", "/openapi.json", "/healthz", "/readyz", "/metrics",
                "/api/labels", "/api/effects", "/palette.css", "/static/sample.jpg", "/health")  # fmt: skip
NOWHERE: Final = (
    "/results/" + "x" * 22,
    "/api/jobs/../../etc/passwd",
    "/api/results/%2e%2e",
    "/static/../app.py",
)
EFFECTS: Final = ("pencil", "oil", "watercolor", "blur", "sepia")
JOB_S: Final = 300.0  # longest that a job may take to end
FOLLOWED: Final = 0.5  # of the jobs are waited for at once, the others at the end


class Ask(NamedTuple):
    """One request: what it is, arguments of httpx, the statuses that it may have, and what follows the answer."""

    method: str
    path: str
    arguments: dict[str, Any]
    allowed: tuple[int, ...]
    follow: str = ""  # the name of one of FOLLOW


def photos() -> list[tuple[bytes, str]]:
    """(file, name of its kind), good ones."""
    chance, made = np.random.default_rng(0), []
    for index, (height, width) in enumerate(SIZES):
        rough = chance.integers(0, 256, (height // 40 + 1, width // 40 + 1, 3), np.uint8)
        picture = Image.fromarray(rough).resize((width, height), Image.Resampling.BICUBIC)
        for name in ("JPEG", "PNG", "WEBP") if height < 1000 else ("JPEG",):
            stream = BytesIO()
            picture.save(stream, name)
            made.append((stream.getvalue(), f"{name.lower()} {width}x{height} {index}"))
    return made


def film() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        make_film(path, (320, 180), 10)
        return path.read_bytes()


class Mix:
    """Requests drawn at random, the same for the same seed."""

    def __init__(self, seed: int, parsers: list[str], video: bool = True) -> None:
        self._chance, self._parsers, self._good, self._lock = random.Random(seed), parsers, photos(), threading.Lock()
        self._film = film() if video else b""

    def next(self) -> Ask:
        with self._lock:
            chance = self._chance
            data, _ = chance.choice(self._good)
            if chance.random() < 0.9:
                data += chance.randbytes(8)  # behind the last pixel: a photo that no cache knows
            query = {"parser": chance.choice(self._parsers), "overlay": chance.choice(("png", "jpeg", "none"))}
            kind = chance.random()
            for share, make in KINDS:
                if kind < share:
                    return make(self, chance, data, query)
                kind -= share
            return Ask("GET", chance.choice(PAGES), {}, (200,))

    def _parse(self, chance: random.Random, data: bytes, query: dict[str, str]) -> Ask:
        del chance
        return Ask("POST", "/api/parse", {"params": query, "content": data}, (200,))

    def _include(self, chance: random.Random, data: bytes, query: dict[str, str]) -> Ask:
        query["include"] = chance.choice(("rle", "masks", "polygons", "label_map,people_map", "keypoints"))
        return Ask("POST", "/api/parse", {"params": query, "files": {"image": ("photo", data)}}, (200,))

    def _format(self, chance: random.Random, data: bytes, query: dict[str, str]) -> Ask:
        del query
        params = {"format": chance.choice(("coco", "yolo", "webp", "masks"))}
        return Ask("POST", "/api/parse", {"params": params, "content": data}, (200,))

    def _batch(self, chance: random.Random, data: bytes, query: dict[str, str]) -> Ask:
        del query
        cut = data[: chance.randrange(len(data))]
        files = [("image", ("photo", data)), ("image", ("bad", cut))]
        return Ask("POST", "/api/parse/batch", {"params": {"overlay": "none"}, "files": files}, (200,))

    def _job(self, chance: random.Random, data: bytes, query: dict[str, str]) -> Ask:
        del query
        follow = "job" if chance.random() < FOLLOWED else "job_later"
        return Ask("POST", "/api/jobs", {"params": {"overlay": "none"}, "content": data}, (202,), follow)

    def _video(self, chance: random.Random, data: bytes, query: dict[str, str]) -> Ask:
        del data, query, chance
        if not self._film:
            return Ask("GET", "/", {}, (200,))
        files = {"video": ("film.mp4", self._film, "video/mp4")}
        return Ask("POST", "/api/jobs", {"files": files, "data": {"parser": "compact"}}, (202,), "job")

    def _form(self, chance: random.Random, data: bytes, query: dict[str, str]) -> Ask:
        del query, chance
        return Ask("POST", "/upload", {"files": {"image": ("photo", data)}}, (303,), "address")

    def _result(self, chance: random.Random, data: bytes, query: dict[str, str]) -> Ask:
        follow = chance.choice(("files", "files", "forget"))
        return Ask("POST", "/api/results", {"params": {"parser": query["parser"]}, "content": data}, (201,), follow)

    def _lines(self, chance: random.Random, data: bytes, query: dict[str, str]) -> Ask:
        del query, chance
        headers = {"Accept": "application/x-ndjson"}
        return Ask("POST", "/api/results", {"headers": headers, "content": data}, (200,), "lines")

    def _recognize(self, chance: random.Random, data: bytes, query: dict[str, str]) -> Ask:
        del query
        path = chance.choice(("/api/recognize", "/api/recognize_cached", "/predict"))
        return Ask("POST", path, {"content": data}, (200,))

    def _stylize(self, chance: random.Random, data: bytes, query: dict[str, str]) -> Ask:
        del query
        data, _ = self._good[chance.randrange(6)]  # the small ones: an effect takes seconds for millions of pixels
        params = {"effect": chance.choice(EFFECTS), **chance.choice(({}, {"except": "face"}, {"only": "hair"}))}
        return Ask("POST", "/api/stylize", {"params": params, "content": data + chance.randbytes(8)}, (200,))

    def _bad(self, chance: random.Random, data: bytes, query: dict[str, str]) -> Ask:
        del query
        kind, cut = chance.randrange(6), data[: chance.randrange(len(data))]
        if kind == 0:
            return Ask("POST", "/api/parse", {"params": {"alpha": "2"}, "content": data}, (422,))
        if kind == 1:
            return Ask("POST", "/api/parse", {"json": {"image": "no base64"}}, (400,))
        if kind == 2:
            return Ask("GET", chance.choice(NOWHERE), {}, (404, 405))
        path = chance.choice(("/api/parse", "/api/recognize", "/api/stylize?effect=blur", "/upload", "/api/results"))
        good = (200, 201, 303)  # what is cut behind the last pixel
        return Ask("POST", path, {"content": cut}, (*good, 400, 415), "bad")

    def _gone(self, chance: random.Random, data: bytes, query: dict[str, str]) -> Ask:
        del query
        head = f"POST /api/parse HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n\r\n".encode()
        sent = head + data[: chance.choice((0, len(data) // 2, len(data)))]
        return Ask("GONE", "/api/parse", {"content": sent}, ())


Make = Callable[[Mix, random.Random, bytes, dict[str, str]], Ask]
KINDS: Final[tuple[tuple[float, Make], ...]] = (
    # share of all requests, and the kind; the rest are pages
    (0.30, Mix._parse), (0.08, Mix._include), (0.06, Mix._format), (0.04, Mix._batch), (0.06, Mix._job),
    (0.01, Mix._video), (0.04, Mix._form), (0.05, Mix._result), (0.03, Mix._lines), (0.06, Mix._recognize),
    (0.04, Mix._stylize), (0.13, Mix._bad), (0.02, Mix._gone),
)  # fmt: skip


class Followers:
    """What a client does with an answer that leads on; `told` has every complaint."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.later: list[str] = []
        self.jobs = 0
        self._lock = threading.Lock()

    def follow(self, name: str, client: httpx.Client, answer: httpx.Response) -> None:
        getattr(self, f"_{name}")(client, answer)

    def end(self, client: httpx.Client) -> None:
        """The jobs that nobody waited for: each has ended once, and well."""
        for address in self.later:
            self._wait(client, address)

    def _expect(self, answer: httpx.Response, *allowed: int) -> bool:
        if answer.status_code in allowed or (answer.status_code == 503 and "Retry-After" in answer.headers):
            return answer.status_code in allowed
        self.told.append(f"{answer.request.method} {answer.request.url}: {answer.status_code}, not one of {allowed}")
        return False

    def _job_later(self, client: httpx.Client, answer: httpx.Response) -> None:
        del client
        with self._lock:
            self.later.append(answer.json()["id"])

    def _job(self, client: httpx.Client, answer: httpx.Response) -> None:
        self._wait(client, answer.json()["id"])

    def _wait(self, client: httpx.Client, id: str) -> None:
        with self._lock:
            self.jobs += 1
        end = time.monotonic() + JOB_S
        while time.monotonic() < end:
            found = client.get(f"/api/jobs/{id}")
            if not self._expect(found, 200):
                return
            job = found.json()
            if job["state"] in ("succeeded", "failed", "cancelled"):
                done = job["progress"]["done"] == job["progress"]["total"]
                if job["state"] != "succeeded" or not done:
                    self.told.append(f"job {id}: {job['state']}, {job['progress']}, {job['problem']}")
                self._expect(client.get(f"/api/jobs/{id}/result"), 200)
                return
            time.sleep(0.2)
        self.told.append(f"job {id}: has not ended in {JOB_S:.0f} s")

    def _address(self, client: httpx.Client, answer: httpx.Response) -> None:
        page = client.get(answer.headers["Location"])
        self._expect(page, 200)

    def _files(self, client: httpx.Client, answer: httpx.Response) -> None:
        files = answer.json()["files"]
        for name in ("photo.jpg", "overlay.png", "coco.json", "cutouts.zip"):
            self._expect(client.get(files[name]), 200)

    def _forget(self, client: httpx.Client, answer: httpx.Response) -> None:
        address = f"/api/results/{answer.json()['id']}"
        self._expect(client.delete(address), 204)
        self._expect(client.get(address), 404)

    def _lines(self, client: httpx.Client, answer: httpx.Response) -> None:
        del client
        last = answer.text.strip().splitlines()[-1]
        if '"done"' not in last and "retry_after_s" not in last:
            self.told.append(f"/api/results: the last line is {last[:200]}")

    def _bad(self, client: httpx.Client, answer: httpx.Response) -> None:
        del client
        if answer.status_code >= 400 and "Traceback" in answer.text:
            self.told.append(f"a traceback in the answer: {answer.text[:200]}")


def hang_up(address: str, sent: bytes) -> None:
    """Send a request, or half of one, and go."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=60) as line:
        line.sendall(sent)
