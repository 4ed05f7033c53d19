"""The files of jobs: on the disk before they count, one result's worker, no way out of the folder."""

from __future__ import annotations

import os
import time
from io import BytesIO
from pathlib import Path

import psutil
import pytest

from humanparse.errors import JobExpired, StorageError
from humanparse.jobs.files import ORPHAN_AGE_S, JobFiles
from humanparse.jobs.records import new_id


@pytest.fixture
def files(tmp_path: Path) -> JobFiles:
    return JobFiles(tmp_path / "jobs")


def keep(files: JobFiles, *data: bytes) -> str:
    id = new_id()
    files.keep(id, [BytesIO(each) for each in data])
    return id


def test_what_was_sent_is_read_back_in_order(files: JobFiles) -> None:
    id = keep(files, b"one", bytes(3 << 20))
    with files.open_uploads(id, 2) as opened:
        assert [file.read() for file in opened] == [b"one", bytes(3 << 20)]
    assert all(file.closed for file in opened)


def test_size_and_digest_tell_contents_apart_and_where_one_file_ends(files: JobFiles) -> None:
    kept = [files.keep(new_id(), [BytesIO(each) for each in data]) for data in ([b"ab", b"c"], [b"a", b"bc"])]
    again = files.keep(new_id(), [BytesIO(b"ab"), BytesIO(b"c")])
    assert [size for size, _ in kept] == [3, 3]
    assert kept[0] != kept[1]
    assert kept[0] == again


def test_files_and_their_names_are_synced_before_the_folder_has_its_name(
    files: JobFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, bool]] = []
    fsync = os.fsync

    def spy(handle: int) -> None:
        name = Path(f"/proc/self/fd/{handle}").readlink().name
        synced.append((name, any(p.name == id for p in files.folder.iterdir())))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", spy)
    id = new_id()
    files.keep(id, [BytesIO(b"x")])
    assert synced == [("0", False), (f".partial-{id}", False), ("jobs", True)]
    synced.clear()
    files.write_result(id, "t", [b"y"])
    assert [name for name, _ in synced] == ["result-t", id]


def test_where_one_upload_is_gone_none_stays_open(files: JobFiles) -> None:
    id = keep(files, b"one", b"two")
    (files.folder / id / "1").unlink()
    before = psutil.Process().num_fds()
    with pytest.raises(JobExpired) as caught, files.open_uploads(id, 2):
        pass
    assert psutil.Process().num_fds() == before, caught  # which still holds what was under way


def test_results_of_two_workers_do_not_meet(files: JobFiles) -> None:
    id = keep(files, b"x")
    assert files.write_result(id, "a", [b"one", b"two"]) == 6
    files.write_result(id, "b", [b"other"])
    files.drop_result(id, "b")
    files.drop_result(id, "never")
    assert files.result_path(id, "a").read_bytes() == b"onetwo"
    files.drop_uploads(id, keep="a")
    assert [path.name for path in (files.folder / id).iterdir()] == ["result-a"]
    with pytest.raises(JobExpired), files.open_uploads(id, 1):
        pass
    files.remove(id)
    assert list(files.folder.iterdir()) == []


def test_folders_of_no_job_are_found_when_old_and_half_written_ones_go(files: JobFiles) -> None:
    old, fresh = keep(files, b"x"), keep(files, b"x")
    partial = files.folder / f".partial-{new_id()}"
    partial.mkdir()
    stranger = files.folder / "notes"
    stranger.mkdir()
    then = time.time() - ORPHAN_AGE_S - 1
    for path in (files.folder / old, partial, stranger):
        os.utime(path, (then, then))
    assert files.orphans() == [old]
    assert {path.name for path in files.folder.iterdir()} == {old, fresh, "notes"}


@pytest.mark.parametrize("id", ["..", "../secret", "/etc", "", "x" * 21, "x" * 21 + "/", ".partial-" + "x" * 22])
def test_ids_that_are_not_ours_lead_nowhere(files: JobFiles, id: str) -> None:
    for step in (lambda: files.remove(id), lambda: files.drop_uploads(id), lambda: files.result_path(id, "t")):
        with pytest.raises(JobExpired):
            step()


def test_a_folder_that_cannot_be_written_is_an_error_of_ours_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError):
        keep(JobFiles(tmp_path / "file"), b"x")

    class Broken(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(f"unplugged before {size} bytes")

    files = JobFiles(tmp_path / "jobs")
    with pytest.raises(StorageError):
        files.keep(new_id(), [BytesIO(b"x"), Broken()])
    assert list(files.folder.iterdir()) == []
    with pytest.raises(StorageError):
        files.write_result(new_id(), "t", [b"x"])
