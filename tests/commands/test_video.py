"""`python -m humanparse video`: files, streams that come and go, and Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from humanparse import __main__ as cli
from humanparse.commands import video
from humanparse.errors import UnreadableVideo
from humanparse.pipeline import Pipeline
from humanparse.video.clips import Limits
from humanparse.video.live import LiveSource, is_live, shown
from humanparse.video.options import VideoOptions
from tests.redis_server import free_port
from tests.video.crowds import ColourParser
from tests.video.films import audio_codec, read_film, walk, write_film

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60


@pytest.fixture(autouse=True)
def shirts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "Pipeline", lambda own: Pipeline(own, lambda name, settings: ColourParser(settings)))


def run(*arguments: object) -> int:
    return cli.main(["video", *map(str, arguments)])


def test_a_film_becomes_a_film_and_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film, out, data = (
        write_film(tmp_path / "in.mp4", walk(10), audio="aac"),
        tmp_path / "out.mp4",
        tmp_path / "out.jsonl",
    )
    assert run(film, "--out", out, "--data", data, "--include", "rle") == 0
    assert capsys.readouterr().out.strip() == f"{out} and {data}: 10 frames, 2 people"
    assert len(read_film(out)[0]) == 10
    assert audio_codec(out) == "aac"
    rows = [json.loads(line) for line in data.read_text().splitlines()]
    assert len(rows) == 10
    assert "rle" in rows[0]["people"][0]["parts"][0]


def test_frames_sizes_and_sound_are_chosen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film = write_film(tmp_path / "in.mp4", walk(10), audio="aac")
    assert run(film, "--out", tmp_path / "a.webm", "--fps", 5, "--max-side", 100) == 0
    assert len(read_film(tmp_path / "a.webm")[0]) == 5
    assert read_film(tmp_path / "a.webm")[0][0].shape == (60, 100, 3)
    assert "The sound is encoded as opus, as a webm file holds no aac." in capsys.readouterr().err
    assert run(film, "--data", tmp_path / "a.jsonl", "--every", 4) == 0
    rows = (tmp_path / "a.jsonl").read_text().splitlines()
    assert [json.loads(row)["time"] for row in rows] == pytest.approx([0, 0.4, 0.8], abs=0.01)
    assert run(film, "--out", tmp_path / "b.mp4", "--no-sound", "--no-numbers", "--no-outline") == 0
    assert audio_codec(tmp_path / "b.mp4") is None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["IN"], "Say where to"), (["IN", "--out", "x.gif"], ".mp4"), (["IN", "--out", "IN"], "is the video itself"),
     (["IN", "--out", "x.mp4", "--every", "0"], "every"), (["IN", "--out", "x.mp4", "--fps", "0"], "fps"),
     (["IN", "--out", "x.mp4", "--data", "x.mp4"], "the same file"),
     (["IN", "--out", "x.mp4", "--alpha", "3"], "alpha")],
)  # fmt: skip
def test_wrong_usage_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    film = write_film(tmp_path / "in.mp4", walk(2))
    assert run(*[str(film) if word == "IN" else word for word in arguments]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "x.mp4").exists()


def test_what_cannot_be_read_or_written_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.mp4").write_text("no video" * 100)
    film = write_film(tmp_path / "in.mp4", walk(2))
    for arguments in (
        (tmp_path / "none.mp4", "--out", tmp_path / "x.mp4"),
        (tmp_path / "text.mp4", "--out", tmp_path / "x.mp4"),
        (film, "--out", tmp_path / "no" / "folder.mp4"),
        (film, "--data", tmp_path / "no" / "folder.jsonl"),
        ("63", "--out", tmp_path / "x.mp4"),  # a camera that is not there
    ):
        assert run(*arguments) == 1
        assert capsys.readouterr().err.strip()


@contextmanager
def camera(film: Path, times: int, pause_s: float = 0.02) -> Iterator[str]:
    """tcp://... that sends a film to the next who connects, at its pace, `times` times, then is gone.

    By a socket of our own: FFmpeg's listener waits with Python's lock in its hand.
    """
    pieces, over = film.read_bytes(), threading.Event()
    step = max(188, len(pieces) // 40)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)

        def send() -> None:
            for _ in range(times):
                with suppress(OSError), server.accept()[0] as connection:
                    for start in range(0, len(pieces), step):
                        connection.sendall(pieces[start : start + step])
                        if over.wait(pause_s):
                            return
            server.close()

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        over.set()
        server.close()
        thread.join(5)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("stream") / "film.ts", walk(40))


def test_a_stream_that_breaks_off_is_connected_to_again_and_then_ends_clearly(
    stream: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with camera(stream, times=3) as address:  # the first to connect only looks what there is
        assert run(address, "--out", tmp_path / "out.mp4", "--tries", 2) == 0
    captured = capsys.readouterr()
    assert "try 1 of 2" in captured.err
    assert "try 2 of 2" in captured.err
    images, times = read_film(tmp_path / "out.mp4")
    assert len(images) >= 10
    assert times == sorted(times)
    assert times[-1] > 1.0  # the second connection's frames follow the first's


def test_a_stream_ends_after_the_seconds_that_were_asked_for(stream: Path, tmp_path: Path) -> None:
    with camera(stream, times=2, pause_s=0.1) as address:
        assert run(address, "--out", tmp_path / "out.mp4", "--seconds", 1) == 0
    assert 0.8 <= read_film(tmp_path / "out.mp4")[1][-1] <= 1.5


def test_a_stream_that_never_comes_is_said_without_its_password(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    address = f"tcp://me:secret@127.0.0.1:{free_port()}"
    assert run(address, "--out", tmp_path / "x.mp4") == 1
    assert "secret" not in capsys.readouterr().err
    assert shown("rtsp://me:secret@host/way") == "rtsp://host/way"


def test_what_is_live() -> None:
    assert all(map(is_live, ("0", "12", "rtsp://host/x", "udp://@:1234", "RTSP://host")))
    assert not any(map(is_live, ("film.mp4", "./0", "http://host/film.mp4", "/dev/video0")))


def test_a_source_that_sends_no_pictures_is_an_error() -> None:
    with pytest.raises(UnreadableVideo, match="Nobody answers there"):
        LiveSource(f"tcp://127.0.0.1:{free_port()}", VideoOptions(), Limits())


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_film_that_is_interrupted_plays(tmp_path: Path, how: signal.Signals) -> None:
    """A process of its own, with the real parser, on a film that would take it minutes."""
    noise = np.random.default_rng(1).integers(0, 256, (30, 40, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    film = write_film(tmp_path / "long.mp4", [np.roll(noise, t, 1) for t in range(3000)], codec="mpeg4")
    out, data = tmp_path / "out.mp4", tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "humanparse", "video", str(film), "--out", str(out), "--data", str(data)]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "HUMANPARSE_THREADS": "1"}, stdout=subprocess.PIPE, text=True
    ) as process:
        end = time.monotonic() + PATIENCE_S
        while not (data.exists() and data.stat().st_size > 0):
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(how)
        said, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 130
    assert said.strip().endswith(", interrupted")
    count = len(read_film(out)[0])
    assert 0 < count < 3000
    assert f": {count} frames" in said
    assert len(data.read_text().splitlines()) == count


def test_the_rate_of_a_slow_film_is_kept(tmp_path: Path) -> None:
    film = write_film(tmp_path / "slow.mp4", walk(3), times=[0, 30, 60])
    assert run(film, "--out", tmp_path / "out.mp4") == 0
    assert read_film(tmp_path / "out.mp4")[1] == pytest.approx([0, 30, 60], abs=0.01)


def test_troubles_name_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, missing = tmp_path / "rows.jsonl", tmp_path / "missing.mp4"
    assert run(missing, "--data", data) == 1
    assert capsys.readouterr().err == f"{missing}: There is no such file or camera.\n"
    film = write_film(tmp_path / "in.mp4", walk(1))
    assert run(film, "--data", missing / "rows.jsonl") == 1
    assert capsys.readouterr().err == f"{missing}/rows.jsonl cannot be read or written: No such file or directory.\n"
    assert run(film, "--out", missing / "out.mp4") == 1
    assert capsys.readouterr().err == "out.mp4 cannot be written: No such file or directory.\n"


def test_one_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    film, data = write_film(tmp_path / "in.mp4", [np.zeros((48, 64, 3), np.uint8)]), tmp_path / "rows.jsonl"
    assert run(film, "--data", data) == 0
    assert capsys.readouterr().out.startswith(f"{data}: 1 frame, 0 people")


def test_a_stream_that_is_not_there_is_told_without_its_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("rtsp://me:secret@127.0.0.1:9/way", "--data", tmp_path / "rows.jsonl", "--tries", 0) == 1
    assert capsys.readouterr().err.startswith("rtsp://127.0.0.1:9/way: Nobody answers there: ")
