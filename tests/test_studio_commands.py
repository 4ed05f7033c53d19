"""`stylize` on the command line."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from humanparse import studio_commands
from humanparse.__main__ import main
from humanparse.effects import ART
from humanparse.pipeline import Pipeline
from tests.band_parser import BandParser


@pytest.fixture(autouse=True)
def bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio_commands, "Pipeline", lambda own: Pipeline(own, lambda *_: BandParser()))


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
    ],
)
def test_wrong_usage_is_2(file: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stylize", str(file), *arguments]) == 2
    assert capsys.readouterr().err
