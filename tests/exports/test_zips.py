"""Zips: text is deflated, images are not, and the time of day is nowhere in them."""

from __future__ import annotations

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from humanparse.exports.zips import write_zip

FILES = (("a/photo.png", b"x" * 100), ("index.json", b"[]" * 100), ("a/labels.txt", b""))


def test_the_files_are_there_in_their_order_and_texts_are_deflated() -> None:
    with ZipFile(BytesIO(write_zip(iter(FILES)))) as archive:
        assert archive.testzip() is None
        assert [(member.filename, archive.read(member)) for member in archive.infolist()] == list(FILES)
        kinds = [member.compress_type for member in archive.infolist()]
        assert kinds == [ZIP_STORED, ZIP_DEFLATED, ZIP_DEFLATED]
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_nothing_gives_an_empty_zip() -> None:
    with ZipFile(BytesIO(write_zip(()))) as archive:
        assert archive.namelist() == []
