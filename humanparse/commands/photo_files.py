"""Photos of the command line: files, folders, patterns, and `-`, the standard input; and what is made of them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sized
from glob import glob, has_magic
from pathlib import Path
from typing import Final

from humanparse.errors import StorageError, UnreadableImage
from humanparse.image_formats import suffixes

STDIN: Final = Path("-")


def find_photos(given: Iterable[Path]) -> Iterator[Path]:
    """The files themselves, and every photo below the folders and behind the patterns, in the order of their names."""
    for path in given:
        pattern = str(path)
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in suffixes() and p.is_file())
        elif has_magic(pattern) and not path.exists():
            # a shell has put files in place of a pattern already, unless there were none, or it was quoted
            yield from find_photos(Path(found) for found in sorted(glob(pattern, recursive=True)))  # noqa: PTH207  Path.glob takes no absolute ones
        else:
            yield path


def read_photo_file(path: Path) -> bytes:
    """The file's bytes. Raises UnreadableImage."""
    try:
        return sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as exc:
        raise UnreadableImage(f"cannot be read: {exc.strerror}") from exc


def write_file(path: Path, data: bytes) -> None:
    """The file, and the folders above it. Raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as exc:
        raise StorageError(f"{path} cannot be written: {exc.strerror}.") from exc


def exit_code(given: Iterable[Path], photos: Sized, failed: int) -> int:
    """What the command ends with; that `find_photos` found nothing in what was given is told, and is a failure."""
    if not photos:
        places = ", ".join(str(path) for path in given)
        endings = ", ".join(sorted(suffixes()))
        print(f"There are no photos in {places}: files of folders count by their ending, {endings}.", file=sys.stderr)
    return 1 if failed or not photos else 0


def free_name(photo: Path, taken: set[str]) -> str:
    """What results of the photo are named after: its stem, with a number where an earlier one had the same."""
    stem = "stdin" if photo == STDIN else photo.stem
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    taken.add(name)
    return name
