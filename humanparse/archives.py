"""Zip files of photos, read one member at a time, without trust.

Owns what a zip may hold and do here: no encryption, no compression but deflate, no paths, and no
zip in a zip (its bytes come out like any other member's, and are no photo). Knows nothing of
images or requests.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import IO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from humanparse.errors import TooManyBytes, TooManyFiles, UnreadableImage, UnsupportedFormat

SIGNATURES: Final = (b"PK\x03\x04", b"PK\x05\x06")  # of a zip with members, of an empty one
LARGEST_DIRECTORY: Final = 1 << 20
"""Bytes of a zip's table of contents: some 10,000 members. `zipfile` makes objects of all of them at once."""
ENCRYPTED: Final = 0x1
FOLDER_FILES: Final = ("thumbs.db", "desktop.ini")
"""What Windows keeps about a folder, beside the photos in it; macOS and Linux begin such names with a dot."""
_ZIP_ERRORS: Final = (BadZipFile, zlib.error, EOFError, OSError, ValueError, LookupError, NotImplementedError)


def base_name(path: str) -> str:
    """The last part of a path of any system, printable, at most 120 characters; empty where nothing is left."""
    name = path.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in name if character.isprintable()).strip(" .")[-120:]


def is_archive(file: IO[bytes]) -> bool:
    """Does the file begin as a zip does? Leaves it at its beginning."""
    start = file.read(4)
    file.seek(0)
    return start in SIGNATURES


class Archive:
    """The files of a zip, in its order; folders, hidden files and what systems keep about folders are passed over.

    Raises UnreadableImage where the zip is damaged, TooManyFiles where it has thousands of members.
    """

    def __init__(self, file: IO[bytes]) -> None:
        guard = _Guard(file)
        try:
            self._zip = ZipFile(guard)  # all that it needs of a file
        except _ZIP_ERRORS as exc:
            raise UnreadableImage("The zip file cannot be read: it is damaged or cut short.") from exc
        guard.limit = None
        self._members = [member for member in self._zip.infolist() if _is_wanted(member)]

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[ZipInfo]:
        return iter(self._members)

    @property
    def unpacked_bytes(self) -> int:
        """Bytes of all files unpacked, as the zip declares them; `read` holds it to that."""
        return sum(member.file_size for member in self._members)

    def read(self, member: ZipInfo, max_bytes: int) -> bytes:
        """One file's bytes. Raises TooManyBytes, UnsupportedFormat, UnreadableImage."""
        if member.file_size > max_bytes:
            message = f"The file has {member.file_size:,} bytes; at most {max_bytes:,} are allowed."
            raise TooManyBytes(message, size=member.file_size, limit=max_bytes)
        if member.flag_bits & ENCRYPTED:
            raise UnsupportedFormat("The file is encrypted in the zip.")
        # LZMA's header names the memory that unpacking takes, up to 4 GB
        if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise UnsupportedFormat("The file is compressed in the zip by another method than deflate.")
        try:
            with self._zip.open(member) as file:
                # A size, though it is the whole file: `read()` unpacks all that the packed bytes give before it cuts.
                return file.read(member.file_size)
        except _ZIP_ERRORS as exc:
            raise UnreadableImage("The file is damaged in the zip.") from exc


def _is_wanted(member: ZipInfo) -> bool:
    name = member.filename.replace("\\", "/").rpartition("/")[2]
    if not base_name(name) or member.filename.startswith("__MACOSX/"):  # of a folder nothing is left behind its slash
        return False
    return not name.startswith(".") and name.lower() not in FOLDER_FILES


class _Guard:
    """A file that refuses large reads until `limit` is None: while opening, the only one is the table of contents.

    The table's size stands in the zip in several places, which may contradict each other; this
    holds whichever of them is believed.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.limit: int | None = LARGEST_DIRECTORY

    def read(self, size: int = -1) -> bytes:
        if self.limit is None:
            return self._file.read(size)
        data = self._file.read(self.limit + 1 if size < 0 else min(size, self.limit + 1))
        if len(data) > self.limit:
            raise TooManyFiles("The zip file has too many members.")
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        self._file.seek(offset, whence)
        return self._file.tell()  # a SpooledTemporaryFile's seek answers None before Python 3.11

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True
