"""Zips of what is exported: the same contents give the same bytes, without the time of day."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

TEXTS: Final = (".json", ".txt")  # they are deflated; images do not get smaller

File = tuple[str, bytes]
"""A file's name, with folders before slashes, and its content."""


def write_zip(files: Iterable[File]) -> bytes:
    """A zip of these files, in their order; each is asked for when its turn comes."""
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        for name, content in files:
            archive.writestr(make_member(name), content)
    return stream.getvalue()


def make_member(name: str) -> ZipInfo:
    """The head of a file in a zip."""
    member = ZipInfo(name)
    member.compress_type = ZIP_DEFLATED if name.endswith(TEXTS) else ZIP_STORED
    return member
