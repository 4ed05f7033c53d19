"""Keys: shown once, kept as hashes, compared in constant time, changed while the service runs."""

from __future__ import annotations

import hmac
import json
import os
import stat
from pathlib import Path

import pytest

from humanparse import keys as keys_module
from humanparse.errors import ConfigError
from humanparse.keys import KeyFile


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "own" / "keys.json")


def test_a_key_is_found_by_its_text_and_by_nothing_else(file: KeyFile) -> None:
    assert file.find("anything") is None
    first, second = file.add("ada"), file.add("grace")
    assert first != second and len(first) > 40
    assert [file.find(text).name for text in (first, second)] == ["ada", "grace"]  # type: ignore[union-attr]
    for wrong in ("", first[:-1], first + "x", first.upper(), file.all()[0].sha256, file.all()[0].id):
        assert file.find(wrong) is None


def test_the_file_holds_no_key_and_is_its_owners_alone(file: KeyFile) -> None:
    text = file.add("ada")
    assert text not in file.path.read_text()
    assert text.split("_", 2)[2] not in file.path.read_text()  # there may be more of these in the secret
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in file.path.parent.iterdir()] == ["keys.json"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_changes_stays_the_services(file: KeyFile) -> None:
    file.add("ada")
    os.chown(file.path, 10001, 10002)
    file.add("grace")
    assert (file.path.stat().st_uid, file.path.stat().st_gid) == (10001, 10002)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_read_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory\."):
        KeyFile(tmp_path).all()


def test_every_key_is_compared_in_constant_time(file: KeyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    text = file.add("ada")
    file.add("grace")
    compared = []
    monkeypatch.setattr(keys_module.hmac, "compare_digest", lambda a, b: (compared.append(b), a == b)[1])
    file.find(text)
    assert compared == [key.sha256 for key in file.all()]
    assert hmac is keys_module.hmac


def test_another_process_adds_and_removes(file: KeyFile) -> None:
    text = file.add("ada")
    other = KeyFile(file.path)
    later = other.add("grace")
    assert file.find(later) is not None
    other.remove("ada")
    assert file.find(text) is None
    assert file.find(later) is not None


def test_names_are_taken_once_and_unknown_ones_refused(file: KeyFile) -> None:
    file.add("ada")
    with pytest.raises(ConfigError, match="already"):
        file.add("ada")
    with pytest.raises(ConfigError, match="no key called 'eve'"):
        file.remove("eve")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"keys": [{"name": "x"}]}', json.dumps({"keys": "x"})])
def test_a_damaged_file_lets_nobody_in(file: KeyFile, content: str) -> None:
    file.path.parent.mkdir()
    file.path.write_text(content)
    with pytest.raises(ConfigError, match="not a file of keys"):
        file.find("anything")
