"""Names and zip files from strangers."""

from __future__ import annotations

import contextlib
import struct
import tracemalloc
import zipfile
from io import BytesIO
from pathlib import Path
from tempfile import SpooledTemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from humanparse.archives import Archive, base_name, is_archive
from humanparse.errors import HumanParseError, TooManyBytes, TooManyFiles, UnreadableImage, UnsupportedFormat

MANY = 10**9


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.jpg", "a.jpg"),
        ("../../etc/My Holiday.jpg", "My Holiday.jpg"),
        ("C:\\photos\\a.jpg", "a.jpg"),
        ("folder/", ""),
        ("a\x00\n\r\x1b[31m.jpg", "a[31m.jpg"),
        ("..", ""),
        (" .hidden. ", "hidden"),
        ("度假.jpg", "度假.jpg"),
        ("x" * 500 + ".jpg", "x" * 116 + ".jpg"),
    ],
)
def test_only_the_last_part_of_a_path_is_a_name(path: str, name: str) -> None:
    assert base_name(path) == name


def make_zip(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> BytesIO:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    stream.seek(0)
    return stream


def read_all(stream: BytesIO, max_bytes: int = MANY) -> list[bytes]:
    archive = Archive(stream)
    return [archive.read(member, max_bytes) for member in archive]


@given(files=st.lists(st.binary(max_size=200), max_size=5), method=st.sampled_from([0, zipfile.ZIP_DEFLATED]))
def test_files_come_out_as_they_went_in(files: list[bytes], method: int) -> None:
    stream = make_zip(*((f"{i}.jpg", data) for i, data in enumerate(files)), method=method)
    assert is_archive(stream)
    assert read_all(stream) == files
    assert Archive(stream).unpacked_bytes == sum(map(len, files))


@given(data=st.binary(max_size=300))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    for stream in (BytesIO(data), BytesIO(make_zip(("a.jpg", b"photo" * 20)).getvalue()[:-30] + data)):
        with contextlib.suppress(HumanParseError):
            read_all(stream)


@given(position=st.integers(0, 150), byte=st.integers(0, 255))
def test_a_zip_with_a_wrong_byte_is_read_or_refused(position: int, byte: int) -> None:
    data = bytearray(make_zip(("a.jpg", b"photo" * 20)).getvalue())
    data[position % len(data)] = byte
    with contextlib.suppress(HumanParseError):
        read_all(BytesIO(bytes(data)))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_file_may_be_larger_than_a_table_of_contents(method: int) -> None:
    photo = bytes(range(256)) * 12_000
    assert read_all(make_zip(("a.jpg", photo), method=method)) == [photo]


def test_a_zip_on_disk_is_read_too() -> None:
    with SpooledTemporaryFile(10) as file:
        file.write(make_zip(("a.jpg", b"photo")).getvalue())
        file.seek(0)
        assert is_archive(file)
        archive = Archive(file)
        assert [archive.read(member, MANY) for member in archive] == [b"photo"]


def test_folders_and_what_macos_adds_are_passed_over() -> None:
    stream = make_zip(
        ("in/", b""),
        ("in/a.jpg", b"photo"),
        ("__MACOSX/in/._a.jpg", b"x"),
        ("__MACOSX/in/a.jpg", b"x"),
        ("../../b.jpg", b"b"),
        (".DS_Store", b"x"),
        ("in/Thumbs.db", b"x"),
        ("in/desktop.ini", b"x"),
        ("in/.hidden.jpg", b"x"),
        ("in\\.hidden.jpg", b"x"),
        ("in\\Thumbs.db", b"x"),
        ("in\\c.jpg", b"c"),
        ("in\\", b""),
    )
    assert read_all(stream) == [b"photo", b"b", b"c"]


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    stream = make_zip(("a.jpg", bytes(50_000_000)))
    assert len(stream.getvalue()) < 100_000
    archive = Archive(stream)
    assert archive.unpacked_bytes == 50_000_000
    (member,) = archive
    tracemalloc.start()
    with pytest.raises(TooManyBytes):
        archive.read(member, 1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_says() -> None:
    data = make_zip(("a.jpg", bytes(50_000_000))).getvalue()
    lying = data.replace(struct.pack("<L", 50_000_000), struct.pack("<L", 100))
    archive = Archive(BytesIO(lying))
    (member,) = archive
    tracemalloc.start()
    with pytest.raises(UnreadableImage):
        archive.read(member, 1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_table_of_contents_without_end_is_refused_unread() -> None:
    stream = make_zip(*((f"{i}", b"") for i in range(25_000)))
    reads: list[int] = []

    class Noting(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            data = super().read(size)
            reads.append(len(data))
            return data

    with pytest.raises(TooManyFiles):
        Archive(Noting(stream.getvalue()))
    assert max(reads) <= (1 << 20) + 1


@pytest.mark.parametrize(("more", "taken"), [(0, True), (1, False)])
def test_a_table_of_contents_may_have_a_mebibyte(more: int, taken: bool) -> None:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for index in range(16):
            member = zipfile.ZipInfo(f"{index:x}")
            member.comment = bytes((1 << 16) - 47 + (more if index == 0 else 0))  # with 46 bytes and the name: a 16th
            made.writestr(member, b"photo")
    with contextlib.nullcontext() if taken else pytest.raises(TooManyFiles):
        assert len(Archive(stream)) == 16


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_are_refused(method: int) -> None:
    with pytest.raises(UnsupportedFormat, match="deflate"):
        read_all(make_zip(("a.jpg", b"photo"), method=method))


def test_a_file_of_just_the_limit_is_read() -> None:
    stream = make_zip(("a.jpg", b"photo"))
    assert read_all(stream, 5) == [b"photo"]
    with pytest.raises(TooManyBytes, match="5 bytes; at most 4"):
        read_all(stream, 4)


def test_encrypted_files_are_refused() -> None:
    data = bytearray(make_zip(("a.jpg", b"photo")).getvalue())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UnsupportedFormat, match="encrypted"):
        read_all(BytesIO(bytes(data)))


def test_a_photo_is_no_archive(photo: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(photo)
    with (tmp_path / "a.jpg").open("rb") as file:
        assert not is_archive(file)
        assert file.tell() == 0
