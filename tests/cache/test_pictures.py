"""A picture of the studio as bytes, and back; what is damaged is none."""

from humanparse.cache.pictures import Picture, pack, unpack


def test_a_picture_comes_back_and_what_is_damaged_is_none() -> None:
    picture = Picture(b"picture", (3, 4), 0.5)
    data = pack(picture)
    assert unpack(data) == picture
    for damaged in (b"", b"\0\0\0\2{}", data[:-1], data.replace(b"picture", b"pictura")):
        assert unpack(damaged) is None
