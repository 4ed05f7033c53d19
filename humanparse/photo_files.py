"""Photos of the command line: files by their names."""

from __future__ import annotations

from pathlib import Path

from humanparse.errors import UnreadableImage


def read_photo_file(path: Path) -> bytes:
    """The file's bytes. Raises UnreadableImage."""
    try:
        return path.read_bytes()
    except OSError as exc:
        raise UnreadableImage(f"cannot be read: {exc.strerror}") from exc
