"""The request log from the command line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from humanparse import __main__ as command_line
from humanparse.request_log import RequestLog
from tests.test_request_log import ENTRY


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HUMANPARSE_REQUEST_LOG_ROWS", "100")
    monkeypatch.setenv("HUMANPARSE_REQUEST_LOG_DIR", str(tmp_path / "logs"))
    return tmp_path / "logs"


def test_the_rows_are_printed_or_written(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = RequestLog(folder, 100, 3600)
    log.add(ENTRY)
    log.close()
    assert command_line.main(["requests"]) == 0
    printed = capsys.readouterr().out
    (row,) = csv.DictReader(io.StringIO(printed))
    assert (row["request_id"], row["endpoint"]) == ("r-1", "/api/parse")
    assert command_line.main(["requests", "--out", str(tmp_path / "all.csv")]) == 0
    assert (tmp_path / "all.csv").read_text().splitlines() == printed.splitlines()
    assert command_line.main(["requests", "--out", str(tmp_path)]) == 1  # a folder


def test_without_a_log_it_says_how_to_have_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["requests"]) == 1
    assert "HUMANPARSE_REQUEST_LOG_ROWS" in capsys.readouterr().err
    assert not folder.exists()
