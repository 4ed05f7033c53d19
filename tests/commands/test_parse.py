"""The command line: files and folders in, overlays and maps out, an exit code that tells."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from humanparse import __main__ as cli
from humanparse.commands import COMMANDS, parse
from humanparse.exports import FORMATS
from humanparse.labels import PALETTES
from humanparse.pipeline import Pipeline
from tests.band_parser import BandParser

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "Pipeline", lambda own: Pipeline(own, lambda name, settings: BandParser(settings)))


@pytest.fixture
def folder(tmp_path: Path, photo: bytes) -> Path:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "one.jpg").write_bytes(photo)
    (tmp_path / "in" / "deep" / "two.JPG").write_bytes(photo)
    (tmp_path / "in" / "notes.txt").write_text("no photo")
    return tmp_path / "in"


def names(out: Path) -> set[str]:
    return {path.name for path in out.iterdir()}


def test_a_folder_gives_overlay_and_maps_for_every_photo(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cli.main(["parse", str(folder), "--out", str(out)]) == 0
    kinds = ("overlay.png", "labels.png", "people.png")
    assert names(out) == {f"{name}.{kind}" for name in ("one", "two") for kind in kinds}
    said = capsys.readouterr().out
    assert "one.jpg: 2 people (bands) 1: UpperClothes, Pants, Face; 2:" in said
    labels = cv2.imread(str(out / "one.labels.png"), cv2.IMREAD_UNCHANGED)
    assert labels.shape[:2] == (48, 64)


def test_a_photo_comes_from_the_standard_input(photo: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(photo)))
    assert cli.main(["parse", "-", "--out", str(tmp_path)]) == 0
    assert names(tmp_path) == {"stdin.overlay.png", "stdin.labels.png", "stdin.people.png"}


@pytest.mark.parametrize("format", ["png", "coco", "json"])
def test_a_folder_that_cannot_be_written_is_told(
    format: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert cli.main(["parse", str(folder), "--out", str(tmp_path / "file" / "out"), "--format", format]) == 1
    assert "file/out" in (told := capsys.readouterr().err) and "cannot be written" in told


def test_who_stops_reading_or_presses_ctrl_c_gets_no_traceback(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-m", "humanparse", "recognize", *["static/sample.jpg"] * 40, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.wait(60) == 141
        assert b"Traceback" not in process.stderr.read()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(parse, "read_photo_file", interrupt)
    assert cli.main(["parse", str(folder), "--out", str(tmp_path)]) == 130


def test_json_is_written_and_printed_one_line_a_photo(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cli.main(["parse", str(folder), "--out", str(out), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["num_persons"] for line in lines] == [2, 2]
    written = json.loads((out / "one.json").read_text())
    assert written["people"] == next(line for line in lines if line["photo"].endswith("one.jpg"))["people"]
    *stages, total = written["timing_ms"].values()
    assert list(written["timing_ms"])[-1] == "total" and total == pytest.approx(sum(stages), abs=0.01)


def test_what_is_included_is_told(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["parse", str(folder), "--out", str(tmp_path / "out"), "--include", "keypoints"]) == 0
    written = json.loads((tmp_path / "out" / "one.json").read_text())
    assert [len(person["keypoints"]) for person in written["people"]] == [17, 17]
    assert "keypoint_names" in capsys.readouterr().out
    assert cli.main(["parse", str(folder), "--include", "bones"]) == 2
    assert "bones" in capsys.readouterr().err


def test_one_bad_photo_fails_alone(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut")
    out = tmp_path / "out"
    assert cli.main(["parse", str(folder), str(folder / "missing.jpg"), "--out", str(out)]) == 1
    assert {"one.overlay.png", "two.overlay.png"} <= names(out)
    said = capsys.readouterr().err
    assert "bad.jpg: " in said
    assert "missing.jpg: cannot be read" in said


def test_photos_of_the_same_name_do_not_overwrite_each_other(folder: Path, photo: bytes, tmp_path: Path) -> None:
    (folder / "deep" / "one.png").write_bytes(photo)
    out = tmp_path / "out"
    assert cli.main(["parse", str(folder), "--out", str(out)]) == 0
    assert {"one.overlay.png", "one-2.overlay.png", "two.overlay.png"} <= names(out)


def test_alpha_reaches_the_overlay(folder: Path, tmp_path: Path) -> None:
    photo_path = folder / "one.jpg"
    assert cli.main(["parse", str(photo_path), "--alpha", "0", "--out", str(tmp_path / "out")]) == 0
    overlay = cv2.imread(str(tmp_path / "out" / "one.overlay.png"))
    decoded = cv2.imread(str(photo_path))
    assert np.abs(overlay.astype(int) - decoded).max() <= 3  # two JPEG decoders


def test_every_format_is_written(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    given = [argument for name in ("json", *FORMATS) for argument in ("--format", name)]
    assert cli.main(["parse", str(folder / "one.jpg"), "--out", str(out), *given]) == 0
    expected = {f"{'photos' if format.join else 'one'}{format.suffix}" for format in FORMATS.values()}
    assert names(out) == expected | {"one.json"}


def test_formats_that_hold_several_photos_are_one_file(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert cli.main(["parse", str(folder), "--out", str(out), "--format", "coco"]) == 0
    assert names(out) == {"photos.coco.json"}
    images = json.loads((out / "photos.coco.json").read_text())["images"]
    assert [image["file_name"] for image in images] == ["deep/two.JPG", "one.jpg"]


def test_the_palette_reaches_the_label_map(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert cli.main(["parse", str(folder), "--out", str(out), "--format", "label_map", "--palette", "voc"]) == 0
    colours = np.unique(cv2.imread(str(out / "one.labels.png")).reshape(-1, 3)[:, ::-1], axis=0)
    shown = PALETTES["voc"][[0, 5, 9, 13]]  # background and what the bands are
    assert np.array_equal(colours, np.unique(shown, axis=0))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["parse"],
        ["parse", "x", "--parser", "magic"],
        ["parse", "x", "--format", "pdf"],
        ["fly"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2


def test_a_number_out_of_range_is_wrong_usage_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["parse", "x", "--alpha", "2"]) == 2
    assert "alpha" in capsys.readouterr().err


def test_every_command_has_its_own_help_and_imports_only_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS:
        with pytest.raises(SystemExit) as caught:
            cli.main([name, "--help"])
        assert caught.value.code == 0
        assert f"usage: python -m humanparse {name}" in capsys.readouterr().out
    script = "import sys; from humanparse.__main__ import main; print(len([m for m in sys.modules if 'numpy' in m]))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "0\n"


def test_where_the_files_are_is_told_beside_what_programs_read(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["parse", str(folder / "one.jpg"), "--out", str(tmp_path / "out"), "--json"]) == 0
    said = capsys.readouterr()
    assert f"Written to {tmp_path}/out/." in said.err
    assert len(said.out.splitlines()) == 1


def test_a_python_without_the_packages_is_told_where_they_are() -> None:
    command = [sys.executable, "-S", "-E", "-m", "humanparse", "parse", "x.jpg"]  # -S: no site-packages
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "make install" in ended.stderr and ".venv/bin/python" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_empty_folder_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert cli.main(["parse", str(tmp_path / "empty"), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert f"no photos in {tmp_path / 'empty'}: " in said
    assert ".jpeg, .jpg, .png" in said


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "--formt coco",
            "unrecognized arguments: --formt coco; did you mean --format? `python -m humanparse parse ",
        ),
        ("--qqqqqq", "unrecognized arguments: --qqqqqq; `python -m humanparse parse --help` tells what there is"),
    ],
)
def test_an_unknown_option_is_answered_with_those_of_the_command(
    given: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["parse", "photo.jpg", *given.split()])
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert said in told
    assert "[--palette " in told


def test_an_opacity_that_is_no_number_is_told_with_its_range(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["parse", "photo.jpg", "--alpha", "x"]) == 2
    assert capsys.readouterr().err == "alpha is 'x'; it must be a number from 0 to 1.\n"


@pytest.mark.parametrize("command", ["parse", "recognize", "stylize --effect oil", "video --data rows.jsonl"])
def test_a_setting_that_is_wrong_is_called_by_its_name(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUMANPARSE_PARSER", "x")
    assert cli.main([*command.split(), "photo.jpg"]) == 2
    assert capsys.readouterr().err.startswith("HUMANPARSE_PARSER is 'x'; it must be one of auto, m2fp, compact")
