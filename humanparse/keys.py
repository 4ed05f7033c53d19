"""API keys: made here, shown once, kept as hashes in one file.

A key is 256 random bits, so a plain SHA-256 of it is safe to keep: there is nothing to guess that
slow hashes would protect. The file may be changed while the service runs, by this module's commands.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import shutil
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from humanparse.errors import ConfigError

PREFIX: Final = "hp_"  # so that tools that look for leaked secrets know one when they see it


@dataclass(frozen=True)
class Key:
    """What is kept of a key: name (given by the operator), id (not secret), SHA-256, time of its making."""

    name: str
    id: str
    sha256: str
    created_at: str


class KeyFile:
    """The keys in `path`; read again when the file has changed. Safe across threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._keys: tuple[Key, ...] = ()

    def all(self) -> tuple[Key, ...]:
        """All keys; none where there is no file. Raises ConfigError where it cannot be read."""
        try:
            status = self.path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            with self._lock:
                if stamp != self._stamp:
                    rows = json.loads(self.path.read_text())["keys"]
                    self._keys, self._stamp = tuple(Key(**row) for row in rows), stamp
                return self._keys
        except FileNotFoundError:
            return ()
        except OSError as exc:
            raise ConfigError(f"{self.path} cannot be read: {exc.strerror}.") from exc
        except (ValueError, TypeError, LookupError) as exc:
            raise ConfigError(f"{self.path} is not a file of keys.") from exc

    def find(self, secret: str) -> Key | None:
        """The key that this text is. Compares with every key, each in constant time."""
        digest = _hash(secret)
        found = None
        for key in self.all():
            if hmac.compare_digest(digest, key.sha256):
                found = key
        return found

    def by_id(self, id: str) -> Key | None:
        """The key with this id, which whoever names it has not proved to have."""
        return next((key for key in self.all() if key.id == id), None)

    def add(self, name: str) -> str:
        """Make a key; returns its text, which is kept nowhere. Raises ConfigError for a name that is taken."""
        if any(key.name == name for key in self.all()):
            raise ConfigError(f"There is a key called {name!r} already.")
        id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        text = f"{PREFIX}{id}_{secret}"
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        self._write((*self.all(), Key(name, id, _hash(text), now)))
        return text

    def remove(self, name: str) -> None:
        """Forget a key; it is refused from now on. Raises ConfigError where there is none of this name."""
        left = tuple(key for key in self.all() if key.name != name)
        if len(left) == len(self.all()):
            raise ConfigError(f"There is no key called {name!r}.")
        self._write(left)

    def _write(self, keys: Iterable[Key]) -> None:
        """Under another name first: a reader sees the old file or the new one. For its owner's eyes only.

        It stays its owner's: a key that root adds does not shut the service out.
        """
        new = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}.new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as file:
                json.dump({"keys": [asdict(key) for key in keys]}, file, indent=1)
            if self.path.exists() and os.geteuid() == 0:
                shutil.chown(new, self.path.stat().st_uid, self.path.stat().st_gid)
            new.replace(self.path)
        except OSError as exc:
            new.unlink(missing_ok=True)
            raise ConfigError(f"{self.path} cannot be written: {exc.strerror}.") from exc


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
