"""Any folder of bad files against a real service: `python -m tests.corpus FOLDER`.

For each file: the status and code of the answer, its time, and the largest memory that the worker and
its decoders had meanwhile. After each, a good photo has to be parsed. Exit code 0: no 5xx but a
truthful 503, no worker died, every good photo was parsed; 1: not so, and what happened is told.

`--json FILE` keeps every row. Files to try: `python -m tests.damage FOLDER`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import httpx
import numpy as np
import psutil
from PIL import Image

from tests.redis_server import free_port
from tests.test_serving import running

TIMEOUT_S: Final = 180.0
SLOWEST: Final = 5  # files that are named at the end, for time and for memory


@dataclass(frozen=True)
class Row:
    """What one file did."""

    file: str
    bytes: int
    status: int
    code: str
    seconds: float
    peak_mib: int
    complaint: str = ""


class Watch:
    """The processes of a service: who lives, and how much memory they had at most since `reset`."""

    def __init__(self, master: psutil.Process) -> None:
        self._master = master
        self.workers = self._pids()

    def reset(self) -> None:
        for process in self._all():
            with suppress(OSError):
                Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # the peak is what there is now

    def peak_mib(self) -> int:
        total = 0
        for process in self._all():
            with suppress(OSError, StopIteration):
                lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
                total += int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
        return total >> 10

    def died(self) -> bool:
        return self._pids() != self.workers

    def _pids(self) -> list[int]:
        return sorted(process.pid for process in self._master.children())

    def _all(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            return self._master.children(recursive=True)
        return []


@contextmanager
def service(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A gunicorn with one worker, and its master process."""
    port = free_port()
    before = {child.pid for child in psutil.Process().children()}
    with running(["-m", "gunicorn", "-w", "1", "-b", f"127.0.0.1:{port}", "--access-logfile", "/dev/null", "app:app"],
                 port, folder) as address:  # fmt: skip
        (master,) = [child for child in psutil.Process().children() if child.pid not in before]
        yield address, master


def good_photo() -> bytes:
    y, x = np.mgrid[:96, :128]
    stream = BytesIO()
    Image.fromarray(np.stack([x * 2, y * 2, x + y], -1).astype(np.uint8)).save(stream, "JPEG")
    return stream.getvalue()


def try_file(client: httpx.Client, watch: Watch, name: str, data: bytes, good: bytes) -> Row:
    """Send it, look at what comes and at who lives, then send a good one."""
    watch.reset()
    began = time.monotonic()
    status, code, complaint = 0, "", ""
    try:
        headers = {"Content-Type": "application/octet-stream"}
        answer = client.post("/api/parse?overlay=none", content=data, headers=headers)
        status = answer.status_code
        body = answer.json()
        code = body.get("code", body["status"])
        complaint = _complaint(answer, code)
    except (httpx.TransportError, ValueError, LookupError) as error:
        complaint = f"no answer: {error!r}"
    seconds, peak = time.monotonic() - began, watch.peak_mib()
    if watch.died():
        complaint, watch.workers = f"a worker died; {complaint}", watch._pids()
    try:
        after = client.post("/api/parse?overlay=none", content=good)
        if after.status_code != 200:
            complaint = f"the good photo after it: {after.status_code}; {complaint}"
    except httpx.TransportError as error:
        complaint = f"the good photo after it: {error!r}; {complaint}"
    return Row(name, len(data), status, code, round(seconds, 3), peak, complaint)


def _complaint(answer: httpx.Response, code: str) -> str:
    if answer.status_code == 503:
        return "" if "Retry-After" in answer.headers else "503 without Retry-After"
    return f"{answer.status_code} {code}" if answer.status_code >= 500 else ""


def run(files: list[Path], tell: Callable[[Row], None]) -> list[Row]:
    """A row for each file."""
    rows, good = [], good_photo()
    with (
        tempfile.TemporaryDirectory() as folder,
        service(Path(folder)) as (address, master),
        httpx.Client(base_url=address, timeout=TIMEOUT_S) as client,
    ):
        client.post("/api/parse", content=good).raise_for_status()
        watch = Watch(master)
        for path in files:
            rows.append(try_file(client, watch, path.name, path.read_bytes(), good))
            tell(rows[-1])
    return rows


def summarise(rows: list[Row]) -> str:
    lines = [f"{len(rows)} files"]
    lines += [f"  {count:5}  {status} {code}" for (status, code), count in
              Counter((row.status, row.code) for row in rows).most_common()]  # fmt: skip
    lines.append(f"median {statistics.median(row.seconds for row in rows):.3f} s")
    for name in ("seconds", "peak_mib"):
        worst = sorted(rows, key=lambda row: -getattr(row, name))[:SLOWEST]
        lines.append(f"most {name}: " + ", ".join(f"{row.file} {getattr(row, name)}" for row in worst))
    bad = [row for row in rows if row.complaint]
    lines += [f"NOT AS PROMISED: {row.file}: {row.complaint}" for row in bad] or ["all as promised"]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep every row there")
    parser.add_argument("--quiet", action="store_true", help="the summary only")
    args = parser.parse_args()
    files = sorted(path for path in args.folder.rglob("*") if path.is_file())
    if not files:
        print("There are no files in the folder.", file=sys.stderr)
        return 2

    def tell(row: Row) -> None:
        if row.complaint or not args.quiet:
            print(f"{row.status} {row.code:20} {row.seconds:8.3f} s {row.peak_mib:6} MiB  {row.file}  {row.complaint}")

    rows = run(files, tell)
    print(summarise(rows))
    if args.json:
        args.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    return 1 if any(row.complaint for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
