"""Fetching through ModelScope's own client from a hub that speaks as ModelScope does; and all that goes wrong."""

from __future__ import annotations

import errno
import hashlib
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from humanparse.__main__ import main
from humanparse.config import Settings
from humanparse.errors import FetchFailed, HubUnreachable, NoSpace, WeightsDamaged
from humanparse.parsers import choose_parser
from humanparse.parsers.m2fp import fetch as fetching
from humanparse.parsers.m2fp.fetch import MODELS, REVISION, fetch
from humanparse.parsers.m2fp.weights import CHECKPOINT, FILES
from tests.http_server import Silent, running


class Hub(ThreadingHTTPServer):
    """The two addresses of the hub that a download uses: the list of files, and a file with ranges."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.folder = folder
        self.asked: list[tuple[str, str | None]] = []  # file, range
        self.model = MODELS[0]
        self.cut_after: int | None = None  # bytes of a file after which the connection breaks
        self.spoil = False  # send other bytes than announced

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(Silent, BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlparse(self.path)
        query = parse_qs(url.query)
        if f"/models/{self.server.model}/repo/files" in url.path:
            self._send_json({"Files": [self._describe(name) for name in (*FILES, "README.md")]})
        elif f"/models/{self.server.model}/repo" in url.path and query.get("Revision") == [REVISION]:
            self._send_file(query["FilePath"][0])
        else:
            self._send_json({}, 404)

    do_HEAD = do_GET  # noqa: N815

    def _describe(self, name: str) -> dict[str, Any]:
        path = self.server.folder / name
        data = path.read_bytes() if path.exists() else b""
        digest = hashlib.sha256(data).hexdigest()
        return {"Path": name, "Name": name, "Type": "blob", "Size": len(data), "Sha256": digest, "Revision": "a" * 40}

    def _send_json(self, data: dict[str, Any], status: int = 200) -> None:
        body = json.dumps({"Code": status, "Data": data, "Success": status == 200, "Message": "", "RequestId": "1"})
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def _send_file(self, name: str) -> None:
        data = (self.server.folder / name).read_bytes()
        if self.server.spoil and name == CHECKPOINT:
            data = data[::-1]
        wanted = self.headers.get("Range")
        self.server.asked.append((name, wanted))
        start, end = 0, len(data)
        if wanted:
            found = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
            assert found
            start, end = int(found[1]), int(found[2] or len(data) - 1) + 1
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        if self.command == "HEAD":
            return
        cut = self.server.cut_after
        if cut is not None and name == CHECKPOINT:
            self.wfile.write(data[start : min(end, start + cut)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
            return
        self.wfile.write(data[start:end])


@pytest.fixture
def hub(small_folder: Path) -> Iterator[Hub]:
    server = Hub(small_folder)
    with running(server):
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models" / "m2fp"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long waits between tries; the conversion, tested elsewhere, is only noted."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(fetching, "converted", lambda ready: fetching.read_configuration(ready))


def test_fetch_through_the_hub(hub: Hub, folder: Path, small_folder: Path) -> None:
    assert choose_parser(Settings(m2fp_dir=folder)) == "compact"
    fetch(folder, endpoint=hub.address)
    for name in FILES:
        assert (folder / name).read_bytes() == (small_folder / name).read_bytes()
    assert choose_parser(Settings(m2fp_dir=folder)) == "m2fp"
    assert [path.name for path in folder.parent.iterdir()] == ["m2fp"]
    assert {name for name, _ in hub.asked} == set(FILES)  # and nothing else of the repository


def test_the_older_name_is_tried(hub: Hub, folder: Path) -> None:
    hub.model = MODELS[1]
    fetch(folder, endpoint=hub.address)
    assert (folder / CHECKPOINT).exists()


def test_a_broken_download_goes_on_where_it_was(hub: Hub, folder: Path, small_folder: Path) -> None:
    hub.cut_after = 100_000
    with pytest.raises(FetchFailed):
        fetch(folder, endpoint=hub.address)
    assert not folder.exists()
    hub.cut_after = None
    hub.asked.clear()
    fetch(folder, endpoint=hub.address)
    ranges = [wanted for name, wanted in hub.asked if name == CHECKPOINT]
    assert ranges and all(wanted and not wanted.startswith("bytes=0-") for wanted in ranges)
    assert (folder / CHECKPOINT).read_bytes() == (small_folder / CHECKPOINT).read_bytes()


def test_other_bytes_than_announced_are_never_used(hub: Hub, folder: Path) -> None:
    hub.spoil = True
    with pytest.raises((WeightsDamaged, FetchFailed)):
        fetch(folder, endpoint=hub.address)
    assert not folder.exists()
    hub.spoil = False
    fetch(folder, endpoint=hub.address)
    assert (folder / CHECKPOINT).exists()


def test_without_a_network(folder: Path) -> None:
    with pytest.raises(HubUnreachable, match="--from DIR"):
        fetch(folder, endpoint="http://127.0.0.1:9")
    assert not folder.exists()


def test_a_slim_installation_is_told_as_that(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "modelscope.hub.snapshot_download", None)  # as if it were not installed
    with pytest.raises(FetchFailed, match=r"slim installation, without modelscope.*requirements\.txt"):
        fetch(folder)
    assert not folder.exists()


def test_a_model_that_is_gone(hub: Hub, folder: Path) -> None:
    hub.model = "somebody/else"
    with pytest.raises(FetchFailed, match="no longer gives"):
        fetch(folder, endpoint=hub.address)


def test_no_space_is_told_before_a_byte_is_fetched(hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(folder.parent.parent)._replace(free=100_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(NoSpace, match=r"0\.1 GB free"):
        fetch(folder, endpoint=hub.address)
    assert not hub.asked


def test_a_disk_that_fills_up(folder: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(_source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(shutil, "copyfile", fill)
    with pytest.raises(NoSpace, match="make room"):
        fetch(folder, small_folder)
    assert not folder.exists() and not list(folder.parent.iterdir())


def test_from_a_folder(folder: Path, small_folder: Path) -> None:
    fetch(folder, small_folder)
    assert (folder / CHECKPOINT).read_bytes() == (small_folder / CHECKPOINT).read_bytes()
    assert (small_folder / CHECKPOINT).exists()


def test_a_folder_without_the_model_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match=r"has no configuration\.json"):
        fetch(folder, tmp_path)


def _other_type(path: Path) -> None:
    path.write_text(json.dumps({"model": {"type": "maskdino"}}))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [(_other_type, "of type 'maskdino'"), (partial(Path.write_text, data="{"), "not JSON")],
)
def test_a_wrong_model_leaves_the_old_one(
    folder: Path, small_folder: Path, tmp_path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    fetch(folder, small_folder)
    other = tmp_path / "other"
    shutil.copytree(small_folder, other, ignore=shutil.ignore_patterns("runtime"))
    spoil(other / "configuration.json")
    with pytest.raises(WeightsDamaged, match=words):
        fetch(folder, other)
    assert choose_parser(Settings(m2fp_dir=folder)) == "m2fp"
    assert [path.name for path in folder.parent.iterdir()] == ["m2fp"]


def test_command_line_tells_size_and_licence_first(
    folder: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUMANPARSE_M2FP_DIR", str(folder))
    assert main(["fetch", "m2fp", "--from", str(folder)]) == 1
    told = capsys.readouterr().err
    assert "720 MB" in told and "NON-COMMERCIAL" in told and "has no configuration.json" in told
    assert main(["fetch", "m2fp", "--from", str(small_folder)]) == 0
    assert main(["fetch", "m2fp"]) == 0
    assert "already in" in capsys.readouterr().err


def test_command_line_asks_a_person(folder: Path, small_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUMANPARSE_M2FP_DIR", str(folder))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: "no")
    assert main(["fetch", "m2fp", "--from", str(small_folder)]) == 1
    assert not folder.exists()
    assert main(["fetch", "m2fp", "--from", str(small_folder), "--yes"]) == 0
    assert folder.exists()
