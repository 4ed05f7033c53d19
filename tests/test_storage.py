"""Results with an address: whole or not there, gone when old or too much, never outside the folder."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from humanparse import storage as storage_module
from humanparse.errors import ResultExpired, StorageError
from humanparse.storage import Storage


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "results", max_age_s=100, max_bytes=1000)


def age(storage: Storage, name: str, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(storage.folder / name, (then, then))


def test_what_is_removed_is_gone_and_nothing_else(storage: Storage) -> None:
    name, other = storage.save({"a.txt": b"one"}), storage.save({"a.txt": b"two"})
    storage.remove(name)
    for gone in (lambda: storage.read(name, "a.txt"), lambda: storage.remove(name), lambda: storage.remove("..")):
        with pytest.raises(ResultExpired):
            gone()
    assert storage.read(other, "a.txt") == b"two"


def test_what_is_saved_is_read_back(storage: Storage) -> None:
    name = storage.save({"a.txt": b"one", "b.txt": b"two"})
    assert (storage.read(name, "a.txt"), storage.read(name, "b.txt")) == (b"one", b"two")
    assert storage.expires_at(name) == pytest.approx(time.time() + 100, abs=5)


def test_names_are_long_and_never_the_same(storage: Storage) -> None:
    names = {storage.save({}) for _ in range(50)}
    assert len(names) == 50
    assert {len(name) for name in names} == {22}


def test_an_old_result_is_gone_even_before_it_is_removed(storage: Storage) -> None:
    name = storage.save({"a.txt": b"one"})
    age(storage, name, 101)
    with pytest.raises(ResultExpired):
        storage.read(name, "a.txt")
    assert (storage.folder / name).exists()
    assert storage.expire() == 1
    assert not (storage.folder / name).exists()


def test_the_oldest_go_when_all_are_too_large(storage: Storage) -> None:
    names = [storage.save({"a": bytes(400)}) for _ in range(3)]
    for place, name in enumerate(names):
        age(storage, name, 30 - 10 * place)
    assert storage.expire() == 1
    assert [(storage.folder / name).exists() for name in names] == [False, True, True]


def test_a_half_written_result_is_never_seen_and_goes_in_time(storage: Storage) -> None:
    kept = storage.save({})
    partial = storage.folder / f".partial-{'x' * 22}"
    partial.mkdir()
    assert storage.expire() == 0
    age(storage, partial.name, 601)
    assert storage.expire() == 1
    assert [path.name for path in storage.folder.iterdir()] == [kept]


def test_strangers_in_the_folder_are_left_alone(storage: Storage) -> None:
    storage.save({})
    for name in (".gitkeep", "mine.overlay.png"):
        (storage.folder / name).write_bytes(bytes(5000))
        age(storage, name, 10_000)
    storage.expire()
    assert {".gitkeep", "mine.overlay.png"} <= {path.name for path in storage.folder.iterdir()}


OTHER_NAMES = ["..", "../secret", "/etc", "", "x" * 21, "x" * 23, "x" * 21 + "/", ".partial-" + "x" * 22]


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_names_that_are_not_ours_find_nothing(storage: Storage, name: str) -> None:
    storage.save({"a": b""})
    (storage.folder.parent / "secret").mkdir()
    (storage.folder.parent / "secret" / "a").write_bytes(b"secret")
    with pytest.raises(ResultExpired):
        storage.read(name, "a")
    with pytest.raises(ResultExpired):
        storage.expires_at(name)


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        Storage(tmp_path / "file", 100, 1000).save({"a": b""})


def test_a_save_does_not_look_through_the_folder_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage, looks = Storage(tmp_path, max_age_s=100, max_bytes=50_000), []
    monkeypatch.setattr(Storage, "expire", lambda own: looks.append(own))
    for _ in range(10):
        storage.save({"a": bytes(90)})
    assert len(looks) == 10  # as here nothing says that it has looked
    monkeypatch.undo()
    storage.expire()
    monkeypatch.setattr(Storage, "expire", lambda own: looks.append(own))
    for _ in range(11):
        storage.save({"a": bytes(90)})
    assert len(looks) == 10
    storage.save({"a": bytes(90)})  # a fiftieth of what may be there has been written
    assert len(looks) == 11


def test_the_limit_holds_with_many_saves_and_several_processes(tmp_path: Path) -> None:
    both = [Storage(tmp_path, max_age_s=100, max_bytes=10_000) for _ in range(2)]
    for place in range(100):
        both[place % 2].save({"a": bytes(150)})
        kept = sum(file.stat().st_size for file in tmp_path.rglob("a"))
        assert kept <= 10_000 * (1 + 2 / 50) + 2 * 150


def test_a_result_that_another_process_removes_meanwhile_is_no_error(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [storage.save({"a": b"x"}) for _ in range(3)]
    weigh = storage_module._weigh

    def removed_first(folder: Path) -> int:
        shutil.rmtree(folder)
        return weigh(folder)

    monkeypatch.setattr(storage_module, "_weigh", removed_first)
    assert Storage(storage.folder, 100, 1000).expire() == 0
    assert not any((storage.folder / name).exists() for name in names)
