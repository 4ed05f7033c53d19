"""The files of jobs, one folder each: what was sent, and what came out. The only writer of uploads/.

What was sent is on the disk, not only on its way there, before `keep` returns, so that a job that
was accepted survives a power cut. A result is written under its worker's own name and counts from
when the store says which worker's it is.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from humanparse.errors import JobExpired, StorageError
from humanparse.jobs.records import ID

PARTIAL: Final = ".partial-"
CHUNK: Final = 1 << 20
ORPHAN_AGE_S: Final = 3600  # a folder that no job is known for by then belongs to a request that died


@dataclass(frozen=True)
class JobFiles:
    """Folders of jobs under `folder`; every machine that works on them sees the same one."""

    folder: Path

    def keep(self, id: str, files: Iterable[IO[bytes]]) -> tuple[int, str]:
        """Write the files of a new job durably; returns their bytes together and a SHA-256 over them."""
        partial, total, digest = self.folder / f"{PARTIAL}{id}", 0, hashlib.sha256()
        try:
            partial.mkdir(parents=True)
            for index, file in enumerate(files):
                size, own = _copy(file, partial / str(index))
                total += size
                digest.update(own)
            _sync(partial)
            partial.replace(self.folder / id)
            _sync(self.folder)
        except OSError as exc:
            shutil.rmtree(partial, ignore_errors=True)
            raise StorageError("The job cannot be kept: the jobs folder cannot be written.") from exc
        return total, digest.hexdigest()

    @contextmanager
    def open_uploads(self, id: str, count: int) -> Iterator[list[IO[bytes]]]:
        """The job's files, open. Raises JobExpired where they are gone."""
        with ExitStack() as opened:
            try:
                files: list[IO[bytes]] = [
                    opened.enter_context((self._path(id) / str(index)).open("rb")) for index in range(count)
                ]
            except OSError as exc:
                raise JobExpired("The files of this job are gone.") from exc
            yield files

    def write_result(self, id: str, token: str, pieces: Iterable[bytes]) -> int:
        """Write a worker's result durably; returns its bytes."""
        path, size = self.result_path(id, token), 0
        try:
            with path.open("wb") as file:
                for piece in pieces:
                    size += file.write(piece)
                _sync_file(file)
            _sync(path.parent)
        except OSError as exc:
            raise StorageError("The result of a job cannot be written.") from exc
        return size

    def result_path(self, id: str, token: str) -> Path:
        """The result that the worker with this token wrote."""
        return self._path(id) / f"result-{token}"

    def data_path(self, id: str, token: str) -> Path:
        """What the same worker wrote beside a video: a line of JSON for each frame."""
        return self._path(id) / f"data-{token}"

    def settle_result(self, id: str, token: str) -> int:
        """A worker has written its result by itself: see it on the disk; returns its bytes, the data's included."""
        size = 0
        try:
            for path in filter(Path.exists, self._results(id, token)):
                with path.open("rb") as file:
                    os.fsync(file.fileno())
                size += path.stat().st_size
            _sync(self._path(id))
        except OSError as exc:
            raise StorageError("The result of a job cannot be written.") from exc
        return size

    def drop_result(self, id: str, token: str) -> None:
        """Remove what a worker wrote that did not get to publish it."""
        for path in self._results(id, token):
            path.unlink(missing_ok=True)

    def drop_uploads(self, id: str, keep: str = "") -> None:
        """Remove all of a job that ended but the result of token `keep`."""
        for file in self._path(id).glob("*"):
            if file not in self._results(id, keep):
                file.unlink(missing_ok=True)

    def remove(self, id: str) -> None:
        """Remove a job's folder."""
        shutil.rmtree(self._path(id), ignore_errors=True)

    def orphans(self) -> list[str]:
        """Names of folders that are so old that their jobs must be known by now; half-written ones are removed."""
        old, ids = time.time() - ORPHAN_AGE_S, []
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            name = path.name.removeprefix(PARTIAL)
            if not ID.fullmatch(name) or not path.is_dir() or path.stat().st_mtime > old:
                continue
            if path.name.startswith(PARTIAL):
                shutil.rmtree(path, ignore_errors=True)
            else:
                ids.append(name)
        return ids

    def _results(self, id: str, token: str) -> tuple[Path, Path]:
        return self.result_path(id, token), self.data_path(id, token)

    def clear(self) -> None:
        """Remove the folders of all jobs, half-written ones too."""
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if ID.fullmatch(path.name.removeprefix(PARTIAL)) and path.is_dir():
                shutil.rmtree(path, ignore_errors=True)

    def _path(self, id: str) -> Path:
        if not ID.fullmatch(id):
            raise JobExpired("This job is not here: it has expired, or never was.")
        return self.folder / id


def _copy(source: IO[bytes], target: Path) -> tuple[int, bytes]:
    size, digest = 0, hashlib.sha256()
    with target.open("wb") as file:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            size += file.write(chunk)
        _sync_file(file)
    return size, digest.digest()


def _sync_file(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """The names in a folder are on the disk, too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
