"""Results that have an address: the only writer of results/.

A result is a folder with an unguessable name that holds a few files. It is written under a
temporary name and moved, so that nobody sees half of one; it goes when it is too old, or the
oldest go when all together are too large. What a client called its file never gets here.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from humanparse.errors import ResultExpired, StorageError

NAME: Final = re.compile(r"[A-Za-z0-9_-]{22}")  # 128 random bits in URL-safe base64
PARTIAL: Final = ".partial-"
PARTIAL_AGE_S: Final = 600  # a write that has not ended by then died
LOOK_S: Final = 30.0  # so often, at most, a save looks through the folder for what is too old
OVER: Final = 50  # a process may write the 50th part of the limit before it looks for what is too much


@dataclass
class _Account:
    """What one process knows of the folder. A result never changes, so it is weighed once."""

    looking: threading.Lock = field(default_factory=threading.Lock)
    sizes: dict[str, int] = field(default_factory=dict)
    looked_at: float = -LOOK_S
    written: int = 0  # bytes since then


@dataclass(frozen=True)
class Storage:
    """Results under `folder`, kept for `max_age_s` seconds and `max_bytes` together."""

    folder: Path
    max_age_s: int
    max_bytes: int
    _account: _Account = field(default_factory=_Account, repr=False, compare=False)

    def save(self, files: Mapping[str, bytes]) -> str:
        """Keep `files` (our own names -> contents) as one result; returns its name."""
        name = secrets.token_urlsafe(16)
        partial = self.folder / f"{PARTIAL}{name}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._make_room(sum(map(len, files.values())))
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
        """Remove what is too old or too much; returns how many results went (0 where another thread is at it)."""
        account = self._account
        if not account.looking.acquire(blocking=False):
            return 0
        try:
            account.looked_at, account.written = time.monotonic(), 0
            now, total, removed, sizes = time.time(), 0, 0, dict[str, int]()
            for modified, name in sorted(self._entries(), reverse=True):
                partial = name.startswith(PARTIAL)
                known = None if partial else account.sizes.get(name)
                size = _weigh(self.folder / name) if known is None else known
                if now - modified > (PARTIAL_AGE_S if partial else self.max_age_s) or total + size > self.max_bytes:
                    shutil.rmtree(self.folder / name, ignore_errors=True)
                    removed += 1
                    continue
                total += size
                sizes[name] = size
            account.sizes = sizes
            return removed
        finally:
            account.looking.release()

    def clear(self) -> int:
        """Remove every result, half-written ones too; returns how many went."""
        names = [name for _, name in self._entries()]
        for name in names:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        return len(names)

    def _make_room(self, size: int) -> None:
        """Look through the folder, but not at every save: with 100,000 results in it that takes a second."""
        account = self._account
        account.written += size
        if account.written > self.max_bytes // OVER or time.monotonic() - account.looked_at > LOOK_S:
            self.expire()

    def _entries(self) -> Iterator[tuple[float, str]]:
        """(modified, name) of every result and half-written one; nothing else is ours."""
        if not self.folder.is_dir():
            return
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if NAME.fullmatch(entry.name.removeprefix(PARTIAL)) and entry.is_dir(follow_symlinks=False):
                    try:
                        yield entry.stat(follow_symlinks=False).st_mtime, entry.name
                    except FileNotFoundError:  # another worker was faster
                        continue

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


def _weigh(folder: Path) -> int:
    """Bytes of the files in a folder; 0 where another worker has just removed it."""
    try:
        with os.scandir(folder) as entries:
            return sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
    except FileNotFoundError:
        return 0
