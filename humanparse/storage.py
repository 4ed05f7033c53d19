"""Results that have an address: the only writer of results/.

A result is a folder with an unguessable name that holds a few files. It is written under a
temporary name and moved, so that nobody sees half of one; it goes when it is too old, or the
oldest go when all together are too large. What a client called its file never gets here.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from humanparse.errors import ResultExpired, StorageError

NAME: Final = re.compile(r"[A-Za-z0-9_-]{22}")  # 128 random bits in URL-safe base64
PARTIAL: Final = ".partial-"
PARTIAL_AGE_S: Final = 600  # a write that has not ended by then died


@dataclass(frozen=True)
class Storage:
    """Results under `folder`, kept for `max_age_s` seconds and `max_bytes` together."""

    folder: Path
    max_age_s: int
    max_bytes: int

    def save(self, files: Mapping[str, bytes]) -> str:
        """Keep `files` (our own names -> contents) as one result; returns its name."""
        name = secrets.token_urlsafe(16)
        partial = self.folder / f"{PARTIAL}{name}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.expire()
            partial.mkdir()
            for file, data in files.items():
                (partial / file).write_bytes(data)
            partial.replace(self.folder / name)
        except OSError as exc:
            shutil.rmtree(partial, ignore_errors=True)
            raise StorageError("The result cannot be kept: the results folder cannot be written.") from exc
        return name

    def read(self, name: str, file: str) -> bytes:
        """One file of a result. Raises ResultExpired if it is not here (any more)."""
        path = self._path(name)
        try:
            return (path / file).read_bytes()
        except OSError as exc:
            raise self._gone() from exc

    def remove(self, name: str) -> None:
        """Forget a result now. Raises ResultExpired if it is not here (any more)."""
        shutil.rmtree(self._path(name), ignore_errors=True)

    def holds(self, name: str, file: str) -> bool:
        """Has the result this file? Raises ResultExpired if the result is not here (any more)."""
        return (self._path(name) / file).is_file()

    def expires_at(self, name: str) -> float:
        """When the result goes, in seconds since the epoch. Raises ResultExpired."""
        try:
            return self._path(name).stat().st_mtime + self.max_age_s
        except OSError as exc:
            raise self._gone() from exc

    def expire(self) -> int:
        """Remove what is too old or too much; returns how many results went."""
        now, total, removed = time.time(), 0, 0
        for modified, path in sorted(self._entries(), reverse=True):
            age = now - modified
            size = sum(file.stat().st_size for file in path.iterdir() if file.is_file()) if path.is_dir() else 0
            partial = path.name.startswith(PARTIAL)
            total += size
            if age > (PARTIAL_AGE_S if partial else self.max_age_s) or total > self.max_bytes:
                shutil.rmtree(path, ignore_errors=True)
                total -= size
                removed += 1
        return removed

    def clear(self) -> int:
        """Remove every result, half-written ones too; returns how many went."""
        entries = self._entries()
        for _, path in entries:
            shutil.rmtree(path, ignore_errors=True)
        return len(entries)

    def _entries(self) -> list[tuple[float, Path]]:
        """(modified, folder) of every result and half-written one; nothing else is ours."""
        entries = []
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if NAME.fullmatch(path.name.removeprefix(PARTIAL)):
                try:
                    entries.append((path.stat().st_mtime, path))
                except FileNotFoundError:  # another worker was faster
                    continue
        return entries

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise self._gone()
        path = self.folder / name
        try:
            expired = time.time() - path.stat().st_mtime > self.max_age_s
        except OSError as exc:
            raise self._gone() from exc
        if expired:
            raise self._gone()
        return path

    @staticmethod
    def _gone() -> ResultExpired:
        return ResultExpired("This result is not here: it has expired, or never was.")
