"""API keys from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from humanparse.__main__ import main


def test_keys_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["keys", "list"]) == 2
    assert "HUMANPARSE_KEYS_FILE" in capsys.readouterr().err
    monkeypatch.setenv("HUMANPARSE_KEYS_FILE", str(tmp_path / "keys.json"))
    assert main(["keys", "add", "ada"]) == 0
    text = capsys.readouterr().out.strip()
    assert text.startswith("hp_") and text not in (tmp_path / "keys.json").read_text()
    assert main(["keys", "add", "ada"]) == main(["keys", "add"]) == main(["keys", "remove", "eve"]) == 2
    capsys.readouterr()
    assert main(["keys", "list"]) == 0
    assert capsys.readouterr().out.split()[-1] == "ada"
    assert main(["keys", "remove", "ada"]) == 0
    main(["keys", "list"])
    assert capsys.readouterr().out == ""
