"""`recognize` on the command line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from humanparse.__main__ import main
from humanparse.commands import recognize
from humanparse.pipeline import Pipeline
from tests.colour_recognizer import ColourRecognizer


@pytest.fixture(autouse=True)
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    made = lambda own: Pipeline(own, make_recognizer=lambda *_: ColourRecognizer())  # noqa: E731
    monkeypatch.setattr(recognize, "Pipeline", made)


def test_photos_get_a_line_each_and_failures_fail_alone(
    tmp_path: Path, photo: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.jpg", tmp_path / "bad.jpg"
    good.write_bytes(photo)
    bad.write_bytes(b"no photo")
    assert main(["recognize", str(bad), str(good), str(tmp_path / "none.jpg"), "--top-k", "2"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith(f"{good}: ")
    assert said.out.count("%") == 2
    assert "bad.jpg: " in said.err
    assert "none.jpg: cannot be read" in said.err


def test_json_lines_are_the_api_s(tmp_path: Path, photo: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.jpg").write_bytes(photo)
    assert main(["recognize", str(tmp_path / "a.jpg"), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["photo"].endswith("a.jpg")
    assert len(row["predictions"]) == 3


def test_folders_patterns_and_the_standard_input(
    tmp_path: Path, photo: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("a.jpg", "deep/b.JPG", "c[1].jpg"):
        (tmp_path / name).write_bytes(photo)
    (tmp_path / "notes.txt").write_text("no photo")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(photo)))
    given = [str(tmp_path), str(tmp_path / "?.jpg"), str(tmp_path / "c[1].jpg"), "-"]
    assert main(["recognize", *given]) == 0
    said = [Path(line.partition(": ")[0]).name for line in capsys.readouterr().out.splitlines()]
    assert said == ["a.jpg", "c[1].jpg", "b.JPG", "a.jpg", "c[1].jpg", "-"]


def test_nothing_to_do_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recognize", str(tmp_path), str(tmp_path / "*.jpg")]) == 1
    assert "no photos" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["recognize"], ["recognize", "x", "--recognizer", "magic"]])
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_a_wrong_number_is_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recognize", "x", "--top-k", "0"]) == 2
    assert "1 to 100" in capsys.readouterr().err
