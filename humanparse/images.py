"""Bytes -> image: the limits on what is decoded, EXIF orientation, colour profiles and transparency.

What files may come in: `image_formats.py`. Knows nothing of requests, parsers or files; an `image` here is (H, W, 3)
uint8 RGB.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, TiffImagePlugin

from humanparse.errors import TooManyBytes, TooManyPixels, UnreadableImage, UnsupportedFormat
from humanparse.image_formats import fitting, format_names

# All of these are set once, at import: Pillow's switches and Python's warning filters belong to the
# whole process, and turning them per call (`warnings.catch_warnings`) is not safe between threads.
#
# Pillow's own pixel limit only warns up to twice its value and knows one value for the process;
# `read_image` checks every size itself, before pixels are decoded.
Image.MAX_IMAGE_PIXELS = None
# `ImageFile.LOAD_TRUNCATED_IMAGES` stays False, so damaged pixels are exceptions. What Pillow warns
# of is an error, too, but for what it says of metadata beside sound pixels: odd EXIF blocks are so
# frequent in photos that people have that they must not cost anybody the photo. Those are ignored,
# not printed: Python remembers each different text that it printed, and these carry the file's numbers.
_HARMLESS: Final = (
    "(Possibly c|C)orrupt EXIF",  # a tag of EXIF, or of a TIFF, that points past the end; a TIFF then lacks it
    "Truncated File Read",  # a directory of tags that ends early, EXIF's above all; as above
    "Metadata Warning, tag",  # a tag with more values than it should have: the first counts
    "Invalid APNG",  # an animation without its frames: the picture itself is whole
    "Image appears to be a malformed MPO",  # a stereo JPEG without its second picture
    "Palette images with Transparency",  # a remark to programmers
    "Couldn't allocate palette entry",
)
for _category in (UserWarning, RuntimeWarning):
    warnings.filterwarnings("error", category=_category, module=r"PIL\.")
for _message in _HARMLESS:
    warnings.filterwarnings("ignore", message=_message, category=UserWarning, module=r"PIL\.")

_PILLOW_ERRORS: Final = (
    OSError, SyntaxError, ValueError, LookupError, TypeError, ArithmeticError, AssertionError, EOFError,
    MemoryError, RuntimeError, struct.error, zlib.error, Image.DecompressionBombError, ImageCms.PyCMSError,
    Warning,  # see above: all but the harmless
)  # fmt: skip
"""What Pillow's decoders raise for damaged bytes, by their code and by fuzzing."""

MAX_SIDE: Final = 30_000  # OpenCV's remap ends at 32766 (SHRT_MAX), and panoramas of 50 megapixels long before
_STRIP_ROWS: Final = 256
_TILE_WIDTH, _BITS_PER_SAMPLE = 322, 258  # TIFF 6.0 tags


def read_image(data: bytes, *, max_bytes: int, max_pixels: int, max_side: int = MAX_SIDE) -> NDArray[np.uint8]:
    """The picture in `data`, upright, in sRGB, transparency over white.

    Args:
        data: the whole file, in one of `image_formats.FORMATS`.
        max_bytes: largest `len(data)`.
        max_pixels: largest width times height, checked before pixels are decoded.
        max_side: largest width, and largest height, checked then too.

    Returns:
        (H, W, 3) uint8 RGB, C-contiguous, writable; H and W at least 1. 16-bit channels keep their high byte.

    Raises:
        TooManyBytes, TooManyPixels: over a limit.
        UnsupportedFormat: not one of FORMATS, or of more than 16 bit per channel.
        UnreadableImage: empty, cut short, damaged, or of a kind that Pillow does not know.
    """
    check_bytes(data, max_bytes)
    formats = fitting(data)
    if not formats:
        raise UnsupportedFormat(f"This is not an image of a type that we take: {format_names()}.")
    try:
        with Image.open(BytesIO(data), formats=[format.pillow_name for format in formats]) as picture:
            _check_size(picture, max_pixels, max_side)
            _refuse_compressed_tiles(picture)
            picture.load()
            orientation = _read_orientation(picture)
            return _turn_upright(_to_array(_to_rgb(picture)), orientation)
    except _PILLOW_ERRORS as exc:
        name = " or ".join(format.name for format in formats)
        message = f"The {name} file cannot be read: it is damaged, cut short or of a rare kind."
        raise UnreadableImage(message, format=name) from exc


def check_bytes(data: bytes, max_bytes: int) -> None:
    """What is known of a file before anybody looks into it. Raises TooManyBytes; UnreadableImage for an empty one."""
    if len(data) > max_bytes:
        message = f"The file has {len(data):,} bytes; at most {max_bytes:,} are allowed."
        raise TooManyBytes(message, size=len(data), limit=max_bytes)
    if not data:
        raise UnreadableImage("The file is empty.")


def _check_size(picture: Image.Image, max_pixels: int, max_side: int) -> None:
    width, height = picture.size
    if max(width, height) > max_side and width * height <= max_pixels:
        message = f"The photo is {width}x{height}; a side may have {max_side:,} pixels at most."
        raise TooManyPixels(message, width=width, height=height, limit=max_side)
    if width * height > max_pixels:
        message = f"The photo is {width}x{height}, {width * height:,} pixels; at most {max_pixels:,} are allowed."
        raise TooManyPixels(message, width=width, height=height, limit=max_pixels)


def _refuse_compressed_tiles(picture: Image.Image) -> None:
    """libtiff unpacks whole tiles: a 16x16 picture may have tiles of 2 GB in 300 kB of file.

    Their declared size is no help: of a tag that is there twice, libtiff takes the first and Pillow the last.
    """
    if not isinstance(picture, TiffImagePlugin.TiffImageFile) or _TILE_WIDTH not in picture.tag_v2:
        return
    if any(tile.codec_name == "libtiff" for tile in picture.tile):
        raise UnsupportedFormat("TIFF in compressed tiles is not taken; in strips it is.")


def _read_orientation(picture: Image.Image) -> int:
    """EXIF orientation 1..8 of a loaded picture; 1 where there is none or the EXIF block is broken."""
    try:
        return int(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except _PILLOW_ERRORS:
        return 1


def _to_rgb(picture: Image.Image) -> Image.Image:
    """Any mode to RGB: sixteen bits to eight, then the colour profile, then alpha over white."""
    profile = picture.info.get("icc_profile")
    picture = _to_eight_bits(picture)
    if picture.has_transparency_data:
        # Pillow (13; 12 refuses the file) has no way from La, TIFF's premultiplied grey, to RGBA but through LA.
        picture = (picture.convert("LA") if picture.mode == "La" else picture).convert("RGBA")
    elif picture.mode not in ("RGB", "L", "CMYK"):
        picture = picture.convert("RGB")
    if profile:
        picture = _to_srgb(picture, profile)
    if picture.mode == "RGBA":
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture, mask=picture)
        return white
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _to_eight_bits(picture: Image.Image) -> Image.Image:
    """16-bit grey to L by the high byte, as Pillow does for 16-bit colour; its own `convert` would clip."""
    if not picture.mode.startswith(("I", "F")):
        return picture
    levels = np.asarray(picture)
    if picture.mode == "F" or levels.min() < 0 or levels.max() > 0xFFFF:
        raise UnsupportedFormat("The photo has more than 16 bit per channel; 8 and 16 are taken.")
    twelve = getattr(picture, "tag_v2", {}).get(_BITS_PER_SAMPLE) == (12,)  # TIFF only; Pillow leaves it at 0..4095
    return Image.fromarray((levels >> (4 if twelve else 8)).astype(np.uint8))


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """RGB, RGBA, L or CMYK through its ICC profile to sRGB; unchanged where the profile is broken or does not fit."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if "srgb" in ImageCms.getProfileDescription(source).lower():
            return picture
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode)
        return converted or picture
    except _PILLOW_ERRORS:
        return picture


def _to_array(picture: Image.Image) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 of an RGB picture, in strips: a quarter of `np.array`'s time and none of its two copies."""
    width, height = picture.size
    image = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _STRIP_ROWS):
        bottom = min(top + _STRIP_ROWS, height)
        image[top:bottom] = np.asarray(picture.crop((0, top, width, bottom)))
    return image


def _turn_upright(image: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """As EXIF 2.32, tag 0x0112, says of the stored picture. A third of the time of Pillow's transpose."""
    if orientation not in range(2, 9):
        return image
    import cv2  # 11 MB, which few photos need

    turns: dict[int, Callable[[], cv2.typing.MatLike]] = {
        2: lambda: cv2.flip(image, 1),
        3: lambda: cv2.rotate(image, cv2.ROTATE_180),
        4: lambda: cv2.flip(image, 0),
        5: lambda: cv2.transpose(image),
        6: lambda: cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE),
        7: lambda: cv2.flip(cv2.transpose(image), -1),
        8: lambda: cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE),
    }
    return np.asarray(turns[orientation](), np.uint8)
