"""Jobs from the command line, against the served app."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from humanparse import __main__ as cli


@pytest.fixture
def photo_file(tmp_path: Path, photo: bytes) -> Path:
    path = tmp_path / "me.jpg"
    path.write_bytes(photo)
    return path


def submit(address: str, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["submit", "--to", address, *arguments]) == 0
    return capsys.readouterr().out.strip()


def test_a_photo_is_handed_in_and_its_result_fetched(
    address: str, photo_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    id = submit(address, capsys, str(photo_file))
    out = tmp_path / "out"
    assert cli.main(["job", id, "--to", address, "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines() == ["succeeded, 1 of 1 done", str(out / f"{id}.json")]
    assert json.loads((out / f"{id}.json").read_text())["image"] == {"width": 64, "height": 48}


def test_several_photos_and_formats_are_a_zip(
    address: str, photo_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.jpg").write_text("no photo")
    id = submit(address, capsys, str(photo_file), str(tmp_path / "bad.jpg"), "--format", "coco")
    assert cli.main(["job", id, "--to", address, "--out", str(tmp_path)]) == 0
    assert "succeeded, 2 of 2 done, 1 failed" in capsys.readouterr().out
    assert zipfile.is_zipfile(tmp_path / f"{id}.zip")
    one = submit(address, capsys, str(photo_file), "--format", "yolo")
    assert cli.main(["job", one, "--to", address, "--out", str(tmp_path)]) == 0
    assert (tmp_path / f"{one}.txt").exists()


def test_a_key_gives_the_same_job_and_it_may_be_cancelled(
    address: str, photo_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = {submit(address, capsys, str(photo_file), "--key", "of-the-command-line") for _ in range(2)}
    assert len(ids) == 1
    assert cli.main(["job", ids.pop(), "--to", address, "--cancel", "--wait"]) == 0
    assert capsys.readouterr().out.split(",")[0] in ("cancelled", "succeeded")


def test_what_goes_wrong_is_said(address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_text("no photo")
    id = submit(address, capsys, str(bad))
    assert cli.main(["job", id, "--to", address, "--wait"]) == 1
    assert capsys.readouterr().out.startswith("failed, 0 of 1 done: ")
    for arguments in (["job", "x" * 22, "--to", address], ["submit", str(tmp_path / "none"), "--to", address],
                      ["job", id, "--to", "http://127.0.0.1:9"]):  # fmt: skip
        assert cli.main(arguments) == 1
        assert capsys.readouterr().err.strip()


def test_what_cannot_be_read_or_written_is_told(
    address: str, photo_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "key")
    assert cli.main(["submit", "--to", address, "--api-key-file", missing, str(photo_file)]) == 1
    assert missing in capsys.readouterr().err
    id = submit(address, capsys, str(photo_file))
    assert cli.main(["job", id, "--to", address, "--out", str(photo_file / "out")]) == 1
    assert "me.jpg" in capsys.readouterr().err


def test_a_file_that_is_not_there_and_a_service_that_is_not_are_named(
    tmp_path: Path, photo_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["submit", str(tmp_path / "missing.jpg")]) == 1
    missing = f"{tmp_path / 'missing.jpg'} cannot be read or written: No such file or directory.\n"
    assert capsys.readouterr().err == missing
    assert cli.main(["submit", str(photo_file), "--to", "http://127.0.0.1:9"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("http://127.0.0.1:9 does not answer (")
    assert said.endswith(" Does the service run there?\n")
