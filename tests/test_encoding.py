"""What goes out reads back: exactly as PNG, closely as JPEG and WebP, and without metadata."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

from humanparse import encoding
from humanparse.errors import InvalidOption
from tests.test_images import read, scene

Encoder = Callable[..., bytes]
LOSSY: tuple[Encoder, ...] = (encoding.encode_jpeg, encoding.encode_webp)


def noise(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(len(shape)).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (20, 28), (20, 28, 3), (20, 28, 4), (1, 1, 3), (3, 1, 4)])
@pytest.mark.parametrize("make", [noise, np.zeros])
def test_png_is_exact_for_two_readers(shape: tuple[int, ...], make: Callable[..., NDArray[np.uint8]]) -> None:
    image = noise(*shape) if make is noise else np.zeros(shape, np.uint8)
    before = image.copy()
    data = encoding.encode_png(image)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), image)
    flags = cv2.IMREAD_UNCHANGED
    swapped = image if image.ndim == 2 else image[..., [2, 1, 0, 3][: image.shape[2]]]
    assert np.array_equal(cv2.imdecode(np.frombuffer(data, np.uint8), flags), swapped)
    assert np.array_equal(image, before)


def test_png_of_many_strips_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    image = noise(97, 61, 3)
    whole = encoding.encode_png(image)
    for strip in (1, 500, 61 * 3 * 10):
        monkeypatch.setattr(encoding, "STRIP_BYTES", strip)
        data = encoding.encode_png(image)
        assert np.array_equal(read(data), image)
        assert len(data) < 1.2 * len(whole) + 97 * 12


def test_png_packs() -> None:
    assert len(encoding.encode_png(scene(200, 200))) < 200 * 200 * 3 / 4
    assert len(encoding.encode_png(np.zeros((2000, 2000), np.uint8))) < 2000 * 2000 / 100


@pytest.mark.parametrize(("shape", "kind"), [((5, 6), 0), ((5, 6, 3), 2), ((5, 6, 4), 6)])
def test_png_has_eight_bits_and_the_right_colour_type(shape: tuple[int, ...], kind: int) -> None:
    assert encoding.encode_png(noise(*shape))[24:26] == bytes([8, kind])


@pytest.mark.parametrize("encode", LOSSY)
def test_lossy_encoders_keep_colours(encode: Encoder) -> None:
    image = scene(64, 64)
    assert np.abs(read(encode(image)).astype(int) - image).mean() < 3


def test_encoders_take_views_and_read_only_images() -> None:
    image = scene()
    image.setflags(write=False)
    view = image[::2, ::-1]
    assert np.array_equal(read(encoding.encode_png(view)), view)
    for encode in LOSSY:
        assert np.array_equal(read(encode(view)), read(encode(view.copy())))


@pytest.mark.parametrize(("encode", "limit"), [(encoding.encode_jpeg, 65_500), (encoding.encode_webp, 16_383)])
def test_the_side_limits_of_formats(encode: Encoder, limit: int) -> None:
    assert read(encode(np.zeros((1, limit, 3), np.uint8))).shape == (1, limit, 3)
    for shape in ((1, limit + 1, 3), (limit + 1, 1, 3)):
        with pytest.raises(InvalidOption, match=f"at most {limit} pixels"):
            encode(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("colours", [1, 2, 4, 16, 20, 256])
def test_palette_png_holds_the_ids(colours: int) -> None:
    rng = np.random.default_rng(colours)
    ids = rng.integers(0, colours, (20, 28), dtype=np.uint8)
    palette = rng.integers(0, 256, (colours, 3), dtype=np.uint8)
    data = encoding.encode_palette_png(ids, palette)
    assert data[24:26] == bytes([8, 3]), "8 bits, palette: some readers give packed pixels otherwise"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), ids)
    assert np.array_equal(encoding.decode_palette_png(data), ids)
    assert np.array_equal(read(data), palette[ids])


def test_palette_png_refuses_ids_without_a_colour() -> None:
    with pytest.raises(ValueError, match="id 3 has no row in a palette of 3"):
        encoding.encode_palette_png(np.array([[0, 3]], np.uint8), np.zeros((3, 3), np.uint8))


def test_no_metadata_goes_out() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SECRETMAKER"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    stream = io.BytesIO()
    Image.fromarray(scene()).save(stream, "JPEG", exif=exif, comment=b"SECRETCOMMENT", icc_profile=profile)
    assert b"SECRETMAKER" in stream.getvalue() and b"SECRETCOMMENT" in stream.getvalue()
    image = read(stream.getvalue())
    encoded = {
        "png": encoding.encode_png(image),
        "jpeg": encoding.encode_jpeg(image),
        "webp": encoding.encode_webp(image),
        "palette": encoding.encode_palette_png(np.zeros((2, 2), np.uint8), np.zeros((1, 3), np.uint8)),
    }
    for data in encoded.values():
        for mark in (b"SECRET", b"Exif", b"acsp", b"ICC_PROFILE", b"http://ns.adobe.com"):
            assert mark not in data
        with Image.open(io.BytesIO(data)) as picture:
            assert not picture.getexif()
            kept = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "loop", "background", "duration", "timestamp"}
            assert set(picture.info) <= kept
    assert png_chunks(encoded["png"]) == {b"IHDR", b"IDAT", b"IEND"}
    assert png_chunks(encoded["palette"]) == {b"IHDR", b"PLTE", b"IDAT", b"IEND"}


def png_chunks(data: bytes) -> set[bytes]:
    kinds, at = set(), 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kinds.add(data[at + 4 : at + 8])
        at += 12 + length
    return kinds
