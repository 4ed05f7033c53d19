"""Every format, mode, orientation and kind of damage, with files made here."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterable
from functools import cache

import numpy as np
import PIL
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageOps, PngImagePlugin

from humanparse import image_formats, images
from humanparse.errors import (
    InputError,
    TooManyBytes,
    TooManyPixels,
    UnreadableImage,
    UnsupportedFormat,
)

HEIGHT, WIDTH = 20, 28
LOSSY = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "AVIF": {"quality": 95, "subsampling": "4:4:4"},
    "HEIC": {"quality": -1, "chroma": 444},
}
NAMES = ("JPEG", "PNG", "WebP", "BMP", "TIFF", "GIF", "AVIF", "HEIC")
PILLOW_NAMES = {"WebP": "WEBP", "HEIC": "HEIF"}


def read(data: bytes, max_bytes: int = 1 << 20, max_pixels: int = 10**6) -> NDArray[np.uint8]:
    return images.read_image(data, max_bytes=max_bytes, max_pixels=max_pixels, max_side=100_000)


def save(picture: Image.Image, name: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, PILLOW_NAMES.get(name, name), **options)
    return stream.getvalue()


def scene(height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """Smooth, so that lossy formats stay close, and different under every flip and turn."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    return np.stack([40 + 200 * y, 30 + 180 * x, 220 - 150 * x * y], -1).astype(np.uint8)


@cache
def example(name: str) -> bytes:
    if name in ("AVIF", "HEIC"):
        need(name)
    options = {"lossless": True} if name == "WebP" else LOSSY.get(name, {})
    picture = Image.fromarray(scene())
    return save(picture.quantize(256) if name == "GIF" else picture, name, **options)


def need(name: str) -> None:
    if name not in [format.name for format in image_formats.FORMATS]:
        pytest.skip(f"no {name} decoder in this installation")


def tiff(tags: Iterable[tuple[int, int, tuple[int, ...]]], pixels: bytes) -> bytes:
    """A little-endian TIFF with one strip or tile; tags as (id, 3 for short or 4 for long, values)."""
    tags = list(tags)
    extra_at = 8 + 2 + 12 * len(tags) + 4
    entries, extra = b"", b""
    data_at = extra_at + sum(size for _, kind, values in tags if (size := len(values) * (2 if kind == 3 else 4)) > 4)
    for tag, kind, values in tags:
        values = (data_at,) if tag in (273, 324) else values
        packed = struct.pack(f"<{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > 4:
            packed, extra = struct.pack("<I", extra_at + len(extra)), extra + packed
        entries += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4) + extra + pixels


def plain_tiff(width: int, height: int, bits: tuple[int, ...], photometric: int, pixels: bytes, *more: tuple) -> bytes:
    tags = [(256, 4, (width,)), (257, 4, (height,)), (258, 3, bits), (259, 3, (1,)), (262, 3, (photometric,))]
    tags += [(273, 4, (0,)), (277, 3, (len(bits),)), (278, 4, (height,)), (279, 4, (len(pixels),)), *more]
    return tiff(tags, pixels)


# Formats


@pytest.mark.parametrize("name", NAMES)
def test_every_format_is_read(name: str) -> None:
    image = read(example(name))
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous and image.flags.writeable and image.flags.owndata
    reduced = np.asarray(Image.fromarray(scene()).quantize(256).convert("RGB"))
    expected = reduced if name == "GIF" else scene()
    limit = 6 if name in LOSSY else 0
    assert np.abs(image.astype(int) - expected).max() <= limit


@pytest.mark.parametrize("name", NAMES)
def test_one_pixel(name: str) -> None:
    need(name)
    image = read(save(Image.new("RGB", (1, 1), (250, 250, 250)), name))
    assert image.shape == (1, 1, 3)
    assert image.min() > 240


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("big", [False, True])
def test_tiff_compressions(compression: str, big: bool) -> None:
    data = save(Image.fromarray(scene()), "TIFF", compression=compression, big_tiff=big)
    assert np.array_equal(read(data), scene())


def test_tall_pictures_are_whole() -> None:
    """Pixels leave Pillow in strips: heights on, below and above a multiple."""
    for height in (255, 256, 257, 600):
        assert np.array_equal(read(save(Image.fromarray(scene(height, 3)), "PNG")), scene(height, 3))


@pytest.mark.parametrize("name", ["GIF", "PNG", "WebP"])
def test_of_animations_the_first_frame(name: str) -> None:
    frames = [Image.new("RGB", (9, 7), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if name == "WebP" else {}
    image = read(save(frames[0], name, save_all=True, append_images=frames[1:], duration=50, **options))
    assert np.array_equal(image, np.full((7, 9, 3), (255, 0, 0)))


def test_stereo_jpeg_gives_its_first_picture() -> None:
    data = save(Image.fromarray(scene()), "MPO", save_all=True, append_images=[Image.new("RGB", (WIDTH, HEIGHT))])
    assert np.abs(read(data).astype(int) - scene()).mean() < 4


@pytest.mark.parametrize("name", ["AVIF", "HEIC"])
def test_the_general_brand_of_still_pictures(name: str) -> None:
    data = example(name)
    assert np.array_equal(read(data[:8] + b"mif1" + data[12:]), read(data))


# Modes


def grey_ramp() -> Image.Image:
    return Image.fromarray(scene()[..., 0])


@pytest.mark.parametrize(
    ("name", "mode"),
    [("PNG", "1"), ("TIFF", "1"), ("BMP", "1"), ("PNG", "L"), ("TIFF", "L"), ("BMP", "L"), ("JPEG", "L")],
)
def test_grey(name: str, mode: str) -> None:
    picture = grey_ramp().convert(mode)
    expected = np.asarray(picture.convert("RGB"))
    assert np.abs(read(save(picture, name)).astype(int) - expected).max() <= (3 if name == "JPEG" else 0)


@pytest.mark.parametrize("name", ["PNG", "TIFF", "BMP", "GIF"])
def test_palette(name: str) -> None:
    picture = Image.fromarray(scene()).quantize(17)
    assert np.array_equal(read(save(picture, name)), np.asarray(picture.convert("RGB")))


def over_white(colour: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.float64]:
    weight = alpha[..., None] / 255.0
    return colour * weight + 255 * (1 - weight)


def alpha_ramp() -> NDArray[np.uint8]:
    return np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))


@pytest.mark.parametrize("name", ["PNG", "WebP", "TIFF", "AVIF", "HEIC"])
def test_alpha_goes_over_white(name: str) -> None:
    need(name)
    exact = {"WebP": {"lossless": True, "exact": True}, **LOSSY}
    picture = Image.fromarray(np.dstack([scene(), alpha_ramp()]))
    image = read(save(picture, name, **exact.get(name, {})))
    assert np.abs(image - over_white(scene(), alpha_ramp())).max() <= (8 if name in LOSSY else 1)


@pytest.mark.parametrize("name", ["PNG", "TIFF"])
def test_grey_with_alpha(name: str) -> None:
    grey = scene()[..., :1]
    picture = Image.fromarray(np.concatenate([grey, alpha_ramp()[..., None]], -1), "LA")
    assert np.abs(read(save(picture, name)) - over_white(grey.repeat(3, -1), alpha_ramp())).max() <= 1


@pytest.mark.parametrize("bands", [1, 3])
def test_premultiplied_alpha(bands: int) -> None:
    """TIFF's associated alpha: half transparent mid-grey is stored as 50, not 100."""
    pixel = bytes([50] * bands + [128])
    extra = (338, 3, (1,))  # ExtraSamples: associated
    data = plain_tiff(4, 2, (8,) * (bands + 1), {1: 1, 3: 2}[bands], pixel * 8, extra)
    if bands == 1 and int(PIL.__version__.split(".")[0]) < 13:
        pytest.skip("Pillow before 13 refuses premultiplied grey")
    assert np.abs(read(data).astype(int) - (50 + 127)).max() <= 1


def test_palette_with_one_transparent_index() -> None:
    ids = np.array([[0, 1, 2]], np.uint8)
    picture = Image.fromarray(ids)
    picture.putpalette([10, 20, 30, 200, 0, 0, 0, 200, 0])
    for name in ("PNG", "GIF"):
        image = read(save(picture, name, transparency=1))
        assert image.tolist() == [[[10, 20, 30], [255, 255, 255], [0, 200, 0]]]


def test_palette_with_an_alpha_for_each_entry() -> None:
    picture = Image.fromarray(np.array([[0, 1, 2]], np.uint8))
    picture.putpalette([10, 20, 30, 200, 0, 0, 0, 200, 0])
    image = read(save(picture, "PNG", transparency=bytes([255, 0, 128])))
    assert np.abs(image[0].astype(int) - [[10, 20, 30], [255, 255, 255], [127, 227, 127]]).max() <= 1


def test_one_transparent_colour() -> None:
    colours = np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)
    image = read(save(Image.fromarray(colours), "PNG", transparency=(1, 2, 3)))
    assert image.tolist() == [[[255, 255, 255], [4, 5, 6]]]


def test_cmyk_jpeg_keeps_its_sense() -> None:
    """Adobe writes CMYK inverted: red must not come out cyan."""
    picture = Image.fromarray(np.full((8, 8, 3), (250, 30, 20), np.uint8)).convert("CMYK")
    for name in ("JPEG", "TIFF"):
        assert np.abs(read(save(picture, name)).astype(int) - (250, 30, 20)).max() <= 6


@pytest.mark.parametrize("compression", ["tiff_lzw", "jpeg"])
def test_ycbcr_tiff(compression: str) -> None:
    picture = Image.fromarray(scene()).convert("YCbCr")
    assert np.abs(read(save(picture, "TIFF", compression=compression)).astype(int) - scene()).max() <= 10


def test_lab_tiff() -> None:
    """L 60, a 40, b 30 is (217, 114, 94) in sRGB, by CIE's formulas."""
    picture = Image.frombytes("LAB", (2, 2), bytes([153, 40, 30]) * 4)
    assert np.abs(read(save(picture, "TIFF")).astype(int) - (217, 114, 94)).max() <= 4


SIXTEEN = np.array([[0, 255, 256, 4660], [32767, 32768, 65279, 65535]], np.uint16)


@pytest.mark.parametrize("name", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_not_clipped(name: str) -> None:
    image = read(save(Image.fromarray(SIXTEEN), name))
    assert np.array_equal(image, (SIXTEEN >> 8)[..., None].repeat(3, -1))


def test_sixteen_bit_grey_of_every_kind() -> None:
    expected = (SIXTEEN >> 8)[..., None].repeat(3, -1)
    big_endian = save(Image.frombytes("I;16B", (4, 2), SIXTEEN.astype(">u2").tobytes()), "TIFF")
    assert Image.open(io.BytesIO(big_endian)).mode == "I;16B"
    assert np.array_equal(read(big_endian), expected)
    thirty_two = save(Image.fromarray(SIXTEEN.astype(np.int32)), "TIFF")
    assert Image.open(io.BytesIO(thirty_two)).mode == "I"
    assert np.array_equal(read(thirty_two), expected)


def test_sixteen_bit_colour() -> None:
    pixels = np.dstack([SIXTEEN, SIXTEEN[::-1], SIXTEEN[:, ::-1]])
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    assert np.array_equal(read(png(4, 2, 16, 2, raw)), pixels >> 8)
    data = plain_tiff(4, 2, (16, 16, 16), 2, pixels.astype("<u2").tobytes())
    assert np.array_equal(read(data), pixels >> 8)


def test_twelve_bit_grey() -> None:
    """0x800 of 0xFFF is mid-grey; Pillow leaves it at 2048 of 65535."""
    data = plain_tiff(2, 1, (12,), 1, bytes([0x80, 0x0F, 0xFF]))
    assert read(data)[0, :, 0].tolist() == [0x80, 0xFF]


@pytest.mark.parametrize(("value", "dtype"), [(0.5, np.float32), (-1, np.int32), (65_536, np.int32)])
def test_more_than_sixteen_bits_is_refused(value: float, dtype: type) -> None:
    with pytest.raises(UnsupportedFormat, match="16 bit per channel"):
        read(save(Image.fromarray(np.array([[0, 0], [0, value]], dtype)), "TIFF"))


# Orientation

TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda a: np.rot90(a, 1),
}


def oriented(name: str, orientation: object, size: tuple[int, int] = (HEIGHT, WIDTH)) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    options = {"lossless": True} if name == "WebP" else LOSSY.get(name, {})
    return save(Image.fromarray(scene(*size)), name, exif=exif.tobytes(), **options)


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP", "TIFF", "AVIF", "HEIC"])
def test_the_picture_is_turned_upright(name: str, orientation: int) -> None:
    need(name)
    image = read(oriented(name, orientation))
    expected = TURNS[orientation](scene())
    assert image.shape == expected.shape
    assert image.flags.c_contiguous
    assert np.abs(image.astype(int) - expected).max() <= (6 if name in LOSSY else 0)


@pytest.mark.parametrize("orientation", TURNS)
def test_the_turns_are_those_of_pillow(orientation: int) -> None:
    """So the table above is not our own idea of the standard. One row and one pixel turn too."""
    for size in ((HEIGHT, WIDTH), (1, 5), (1, 1)):
        data = oriented("PNG", orientation, size)
        assert np.array_equal(read(data), np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))))


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_out_of_range_is_ignored(orientation: int) -> None:
    assert np.array_equal(read(oriented("PNG", orientation)), scene())


EXIF = b"Exif\0\0"
BROKEN_EXIF = {
    "empty": EXIF,
    "noise": EXIF + b"\xff\x00garbage" * 9,
    "bad byte order": EXIF + b"XX*\0\x08\0\0\0\x01\0",
    "offset past the end": EXIF + b"II*\0\xff\xff\xff\x7f",
    "entries missing": EXIF + b"II*\0\x08\0\0\0\x40\0\x12\x01\x03\0",
    "orientation is text": EXIF + b"II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x04\0\0\0abc\0\0\0\0\0",
    "data past the end": EXIF + b"II*\0\x08\0\0\0\x01\0\x0f\x01\x02\0\xff\xff\0\0\xff\xff\xff\x7f\0\0\0\0",
}


def as_images_sets_it(test: Callable[..., None]) -> Callable[..., None]:
    """The filters of images.py: pytest puts its own on top."""
    for message in images._HARMLESS:
        test = pytest.mark.filterwarnings(f"ignore:{message}:UserWarning:PIL")(test)
    return test


@as_images_sets_it
@pytest.mark.parametrize("exif", BROKEN_EXIF.values(), ids=BROKEN_EXIF)
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP"])
def test_a_broken_exif_block_costs_nobody_the_photo(name: str, exif: bytes) -> None:
    options = {"lossless": True} if name == "WebP" else LOSSY.get(name, {})
    image = read(save(Image.fromarray(scene()), name, exif=exif, **options))
    assert np.abs(image.astype(int) - scene()).max() <= (6 if name == "JPEG" else 0)


# Colour profiles


def icc_profile(kind: bytes, *tags: tuple[bytes, bytes], name: bytes = b"test", space: bytes = b"XYZ ") -> bytes:
    """An ICC v2 profile of a device of colour `kind` (b"RGB ", b"GRAY", b"CMYK"), measured in `space`."""
    text = b"desc" + bytes(4) + struct.pack(">I", len(name) + 1) + name + bytes(1 + 4 + 4 + 2 + 1 + 67)
    tags = ((b"desc", text), (b"wtpt", xyz(0.9642, 1.0, 0.8249)), *tags)
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for signature, data in tags:
        data = data.ljust(-(-len(data) // 4) * 4, b"\0")
        table += signature + struct.pack(">II", at + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s", at + len(body), b"test", 0x02400000, b"mntr", kind, space)
    header += struct.pack(">6H4s", 2024, 1, 1, 0, 0, 0, b"acsp")
    header = header.ljust(68, b"\0") + struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    return header.ljust(128, b"\0") + table + body


def xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def gamma(value: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(value * 256))


# Display P3's primaries adapted to D50 (the profile that Apple ships with each iPhone photo), with gamma 2.2.
P3 = np.array([[0.5151, 0.2920, 0.1571], [0.2412, 0.6922, 0.0666], [-0.0011, 0.0419, 0.7841]])
SRGB = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
P3_TAGS = (
    *((f"{c}XYZ".encode(), xyz(*P3[:, i])) for i, c in enumerate("rgb")),
    *((f"{c}TRC".encode(), gamma(2.2)) for c in "rgb"),
)
P3_PROFILE = icc_profile(b"RGB ", *P3_TAGS)
MUTED = np.array([[[200, 110, 100], [110, 190, 120], [100, 110, 200], [128, 128, 128]]], np.uint8)


def p3_to_srgb(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The same by hand: linear light, matrix, the sRGB curve."""
    linear = (image / 255) ** 2.2 @ (np.linalg.inv(SRGB) @ P3).T
    linear = linear.clip(0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("name", ["PNG", "TIFF", "WebP"])
def test_a_wide_gamut_profile_is_converted(name: str) -> None:
    options = {"lossless": True} if name == "WebP" else {}
    image = read(save(Image.fromarray(MUTED), name, icc_profile=P3_PROFILE, **options)).astype(int)
    assert np.abs(image - p3_to_srgb(MUTED)).max() <= 2
    assert image[0, 0, 0] > 200 and image[0, 0, 1] < 110, "a P3 red is a more saturated sRGB red"
    assert np.abs(image[0, 3] - 128).max() <= 2, "grey stays grey"


def test_a_profile_and_alpha() -> None:
    alpha = np.full(MUTED.shape[:2], 128, np.uint8)
    picture = Image.fromarray(np.dstack([MUTED, alpha]))
    image = read(save(picture, "PNG", icc_profile=P3_PROFILE))
    assert np.abs(image - over_white(p3_to_srgb(MUTED), alpha)).max() <= 2


def test_a_profile_and_a_palette() -> None:
    picture = Image.fromarray(np.array([[0, 1, 2, 3]], np.uint8))
    picture.putpalette(MUTED.tobytes())
    assert np.abs(read(save(picture, "PNG", icc_profile=P3_PROFILE)) - p3_to_srgb(MUTED)).max() <= 2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_grey_profile(dtype: type) -> None:
    """Linear grey: a quarter of the light is sRGB 137."""
    picture = Image.fromarray(np.full((2, 2), 64 if dtype is np.uint8 else 64 * 257, dtype))
    image = read(save(picture, "PNG", icc_profile=icc_profile(b"GRAY", (b"kTRC", gamma(1.0)))))
    assert np.abs(image.astype(int) - 137).max() <= 2


@pytest.mark.parametrize("name", ["JPEG", "TIFF"])
def test_a_cmyk_profile(name: str) -> None:
    """A table (ICC.1:2001 6.5.8, lut8Type) in which K is black and all else L 60, a 40, b 30.

    Without a black in the table, black point compensation would darken what there is.
    """
    identity = struct.pack(">9i", *(np.eye(3).astype(int) * 65536).ravel())
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity
    table += bytes(range(256)) * 4 + bytes([153, 168, 158, 0, 128, 128]) * 2**3 + bytes(range(256)) * 3
    picture = Image.fromarray(MUTED).convert("CMYK")
    image = read(save(picture, name, icc_profile=icc_profile(b"CMYK", (b"A2B0", table), space=b"Lab ")))
    assert np.abs(image.astype(int) - (217, 114, 94)).max() <= 4


@pytest.mark.parametrize(
    "profile",
    [
        b"not a profile",
        P3_PROFILE[:200],
        icc_profile(b"GRAY", (b"kTRC", gamma(1.0))),
        icc_profile(b"RGB ", *P3_TAGS, name=b"sRGB IEC61966-2.1"),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ],
    ids=["noise", "cut short", "grey for a colour picture", "called sRGB, not read on", "sRGB"],
)
def test_other_profiles_leave_the_colours_alone(profile: bytes) -> None:
    assert np.array_equal(read(save(Image.fromarray(MUTED), "PNG", icc_profile=profile)), MUTED)


# Limits


def test_the_byte_limit_is_exact() -> None:
    data = example("PNG")
    assert read(data, max_bytes=len(data)).shape == (HEIGHT, WIDTH, 3)
    with pytest.raises(TooManyBytes, match=f"{len(data):,} bytes; at most {len(data) - 1:,}"):
        read(data, max_bytes=len(data) - 1)


def test_the_byte_limit_comes_before_everything() -> None:
    with pytest.raises(TooManyBytes):
        read(b"no image at all", max_bytes=3)


@pytest.mark.parametrize("name", NAMES)
def test_the_pixel_limit_is_exact(name: str) -> None:
    assert read(example(name), max_pixels=HEIGHT * WIDTH).shape == (HEIGHT, WIDTH, 3)
    with pytest.raises(TooManyPixels, match=f"{WIDTH}x{HEIGHT}, {HEIGHT * WIDTH} pixels; at most {HEIGHT * WIDTH - 1}"):
        read(example(name), max_pixels=HEIGHT * WIDTH - 1)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, bits: int, colour_type: int, raw: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def test_a_huge_declared_size_is_refused_before_memory_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", refuse)
    data = png(100_000, 100_000, 8, 2, bytes(1000))
    tracemalloc.start()
    try:
        with pytest.raises(TooManyPixels, match="100000x100000, 10,000,000,000 pixels; at most 1,000,000"):
            read(data)
        assert tracemalloc.get_traced_memory()[1] < 10**6
    finally:
        tracemalloc.stop()


def test_nothing_declares_a_size_of_zero() -> None:
    bitmap = bytearray(example("BMP"))
    bitmap[18:22] = bytes(4)
    for data in (png(0, 5, 8, 2, b""), png(5, 0, 8, 2, b""), bytes(bitmap)):
        with pytest.raises(UnreadableImage):
            read(data)


@pytest.mark.parametrize("sides", [(20_000,), (20_000, 16)], ids=["declared", "declared twice"])
def test_a_small_tiff_of_huge_tiles_is_refused(sides: tuple[int, ...]) -> None:
    packed = zlib.compress(bytes(100))
    tags = [(256, 4, (16,)), (257, 4, (16,)), (258, 3, (8,)), (259, 3, (8,)), (262, 3, (1,)), (277, 3, (1,))]
    tags += [(322, 4, (side,)) for side in sides] + [(323, 4, (side,)) for side in sides]
    data = tiff([*tags, (324, 4, (0,)), (325, 4, (len(packed),))], packed)
    assert Image.open(io.BytesIO(data)).size == (16, 16)
    with pytest.raises(UnsupportedFormat, match="tiles"):
        read(data)


def test_plain_tiles_are_read() -> None:
    tags = [(256, 4, (16,)), (257, 4, (16,)), (258, 3, (8,)), (259, 3, (1,)), (262, 3, (1,)), (277, 3, (1,))]
    tags += [(322, 4, (16,)), (323, 4, (16,)), (324, 4, (0,)), (325, 4, (256,))]
    assert read(tiff(tags, bytes(range(256))))[..., 0].ravel().tolist() == list(range(256))


# What is not taken


def test_nothing_is_not_an_image() -> None:
    with pytest.raises(UnreadableImage, match="empty"):
        read(b"")


@pytest.mark.parametrize(
    "data",
    [
        b"Hello, I am no image.",
        b"\0" * 300,
        b"\x89",
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        b"%PDF-1.7\n1 0 obj\n",
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
        b"RIFF\x24\0\0\0WAVEfmt ",
        save(Image.new("RGB", (16, 16)), "ICO"),
        save(Image.new("RGB", (16, 16)), "PPM"),
        save(Image.new("RGB", (16, 16)), "TGA"),
        save(Image.new("RGB", (16, 16)), "JPEG2000"),
    ],
    ids=["text", "zeros", "one byte", "svg", "pdf", "mp4", "wav", "ico", "ppm", "tga", "jpeg2000"],
)
def test_other_formats_are_refused_with_the_list(data: bytes) -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        read(data)
    assert image_formats.format_names() in caught.value.message


@pytest.mark.parametrize("name", NAMES)
def test_a_signature_alone_is_a_damaged_image(name: str) -> None:
    with pytest.raises(UnreadableImage, match=name) as caught:
        read(example(name)[:20])
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("name", NAMES)
def test_a_file_cut_anywhere_is_an_error_or_whole(name: str) -> None:
    """What follows the last pixel may be missing (checksums, trailers); a pixel may not."""
    data, whole = example(name), read(example(name))
    cuts = sorted({*range(16, len(data), max(1, len(data) // 60)), *range(len(data) - 12, len(data))})
    refused = 0
    for cut in cuts:
        try:
            assert np.array_equal(read(data[:cut]), whole), f"cut at {cut} of {len(data)}"
        except UnreadableImage:
            refused += 1
    assert refused >= 0.75 * len(cuts)


@pytest.mark.parametrize(
    "error",
    [
        *(
            OSError,
            SyntaxError,
            ValueError,
            IndexError,
            KeyError,
            TypeError,
            OverflowError,
            ZeroDivisionError,
            EOFError,
        ),
        *(AssertionError, MemoryError, RuntimeError, struct.error, zlib.error, UserWarning),
        *(Image.DecompressionBombError, ImageCms.PyCMSError),
    ],
)
def test_every_error_of_a_decoder_is_mapped(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise error("as decoders do")

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", fail)
    with pytest.raises(UnreadableImage, match="PNG") as caught:
        read(example("PNG"))
    assert isinstance(caught.value.__cause__, error)


def test_a_mistake_of_ours_is_not_the_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(images, "_to_rgb")
    with pytest.raises(NameError):
        read(example("PNG"))


@as_images_sets_it
@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP", "GIF", "TIFF", "BMP"])
def test_damage_never_raises_anything_but_input_errors(name: str, data: st.DataObject) -> None:
    damaged = bytearray(example(name))
    # half of the hits in the first 160 bytes: headers break in more ways than pixels
    places = st.one_of(st.integers(0, min(160, len(damaged)) - 1), st.integers(0, len(damaged) - 1))
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=6)):
        damaged[place] = value
    end = data.draw(st.one_of(st.just(len(damaged)), st.integers(0, len(damaged))))
    try:
        image = read(bytes(damaged[:end]))
    except InputError:
        return
    assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 and image.size > 0


@pytest.mark.parametrize(
    ("message", "taken"),
    [
        ("Possibly corrupt EXIF data.  Expecting to read 9 bytes but only got 0. Skipping tag 1", True),
        ("Metadata Warning, tag 282 had too many entries: 2, expected 1", True),
        ("Corrupt pixel data, say", False),
    ],
)
def test_warnings_are_errors_but_for_what_is_said_of_metadata(message: str, taken: bool) -> None:
    """In a process of its own, where no test runner changes the filters."""
    program = (
        "import io, sys, warnings\n"
        "from PIL import Image, PngImagePlugin\n"
        "from humanparse.errors import UnreadableImage\n"
        "from humanparse.images import read_image\n"
        "load = PngImagePlugin.PngImageFile.load\n"
        "def warn(self):\n"
        "    warnings.warn_explicit(sys.argv[1], UserWarning, 'x.py', 1, module='PIL.PngImagePlugin')\n"
        "    return load(self)\n"
        "PngImagePlugin.PngImageFile.load = warn\n"
        "stream = io.BytesIO(); Image.new('RGB', (2, 2)).save(stream, 'PNG')\n"
        "try:\n"
        "    read_image(stream.getvalue(), max_bytes=10**6, max_pixels=10**6); print('taken')\n"
        "except UnreadableImage: print('refused')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, message], capture_output=True, text=True, check=True)
    assert (ended.stdout.strip(), ended.stderr) == ("taken" if taken else "refused", "")


# Files that are two things, or of odd shapes


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF"])
def test_a_polyglot_is_read_as_what_it_begins_as(name: str) -> None:
    """A zip, a page with a script, another picture behind the picture: pixels are read, nothing else is looked at."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as members:
        members.writestr("evil.html", "<script>alert(1)</script>")
    for other in (archive.getvalue(), b"<html><script>alert(1)</script>", example("PNG"), b"%PDF-1.7\n"):
        assert np.array_equal(read(example(name) + other), read(example(name)))


def test_what_begins_as_something_else_is_refused_whatever_lies_behind() -> None:
    for first in (b"<html>", b"%PDF-1.7\n", b"PK\3\4", b"#!/bin/sh\n", b"\0"):
        with pytest.raises(UnsupportedFormat):
            read(first + example("JPEG"))


def test_the_side_limit_is_exact() -> None:
    data = save(Image.new("L", (3000, 2)), "PNG")
    assert images.read_image(data, max_bytes=10**6, max_pixels=10**6, max_side=3000).shape == (2, 3000, 3)
    with pytest.raises(TooManyPixels, match="3000x2; a side may have 2,999 pixels"):
        images.read_image(data, max_bytes=10**6, max_pixels=6000, max_side=2999)
    with pytest.raises(TooManyPixels, match="6,000 pixels; at most 5,999"):  # over both: a smaller photo is what helps
        images.read_image(data, max_bytes=10**6, max_pixels=5999, max_side=2999)


def test_of_a_thousand_frames_one_is_decoded() -> None:
    frames = [Image.new("P", (300, 300), index % 200) for index in range(1000)]
    data = save(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=20, optimize=False)
    tracemalloc.start()
    try:
        assert read(data).shape == (300, 300, 3)
        assert tracemalloc.get_traced_memory()[1] < 20 * 300 * 300 + 2 * len(data)
    finally:
        tracemalloc.stop()
