"""`stylize` on the command line."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest

from humanparse.__main__ import main
from humanparse.commands import stylize
from humanparse.effects import ART
from humanparse.pipeline import Pipeline
from tests.band_parser import BandParser


@pytest.fixture(autouse=True)
def bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stylize, "Pipeline", lambda own: Pipeline(own, lambda *_: BandParser()))


@pytest.fixture
def file(tmp_path: Path, photo: bytes) -> Path:
    (tmp_path / "photo.jpg").write_bytes(photo)
    return tmp_path / "photo.jpg"


def test_one_picture_goes_to_the_file_that_is_named(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out.png"
    assert main(["stylize", str(file), "--effect", "invert", "--only", "background", "--out", str(out)]) == 0
    before, after = cv2.imread(str(file)), cv2.imread(str(out))
    assert np.abs(after[:, 0].astype(int) - (255 - before[:, 0])).max() <= 3  # two JPEG decoders
    assert np.abs(after[:, 16].astype(int) - before[:, 16]).max() <= 3


def test_several_pictures_go_to_a_folder(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["stylize", str(file), str(tmp_path / "none.jpg"), "--effect", "all", "--out", str(out)]) == 1
    assert {path.name for path in out.iterdir()} == {f"photo.{name}.jpg" for name in ART}


def test_photos_of_one_name_do_not_overwrite_each_other(file: Path, tmp_path: Path, photo: bytes) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("in/photo.jpg", "in/deep/photo.jpg", "in/photo.jpeg"):
        (tmp_path / name).write_bytes(photo)
    out = tmp_path / "out"
    assert main(["stylize", str(tmp_path / "in"), str(file), "--effect", "grey", "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {
        "photo.grey.jpg", "photo-2.grey.jpg", "photo-3.grey.jpg", "photo-4.grey.jpg",
    }  # fmt: skip


def test_from_the_standard_input_to_the_standard_output(photo: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(photo)))
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written))
    assert main(["stylize", "-", "--effect", "invert", "--format", "png", "--out", "-"]) == 0
    assert cv2.imdecode(np.frombuffer(written.getvalue(), np.uint8), cv2.IMREAD_COLOR).shape == (48, 64, 3)


def test_what_cannot_be_written_is_told(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    assert main(["stylize", str(file), "--effect", "grey", "--out", str(tmp_path / "taken")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_parameters_and_formats(file: Path, tmp_path: Path) -> None:
    arguments = ["--effect", "oil", "--set", "size=2", "--format", "webp", "--out", str(tmp_path / "out")]
    assert main(["stylize", str(file), *arguments]) == 0
    assert (tmp_path / "out" / "photo.oil.webp").read_bytes()[8:12] == b"WEBP"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--effect", "magic"],
        ["--effect", "oil", "--set", "size"],
        ["--effect", "oil", "--set", "size=99"],
        ["--effect", "oil", "--only", "nose"],
        ["--effect", "oil", "--parser", "magic"],
        ["--effect", "all", "--out", "one.jpg"],
        ["--effect", "all", "--out", "-"],
        ["--effect", "oil", "--out", "one.gif"],
        ["--effect", "oil", "--out", "one.jpg", "--format", "png"],
        ["--effect", "oil", "--set", "only=face"],
    ],
)
def test_wrong_usage_is_2(file: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stylize", str(file), *arguments]) == 2
    assert capsys.readouterr().err
