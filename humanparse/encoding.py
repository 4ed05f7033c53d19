"""Image -> bytes: PNG, JPEG and WebP, without any metadata.

PNG is written here, because that is most of what an answer costs after the parser: Up filter, then ISA-L's deflate.
A file as large as OpenCV's (its level 1, the same filter) takes a fifth of the time so, and a tenth of Pillow's: `make
bench-encoding`, docs/performance.md.
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Final

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray
from PIL import Image

from humanparse.errors import InvalidOption

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, RGBA = 0, 2, 3, 6  # PNG's colour types (PNG 1.2, 4.1.1)
UP: Final = 2  # the filter that takes from every byte the one above (PNG 1.2, 6.2)
LEVEL: Final = 1  # of ISA-L's 0 to 3: 2 is as large, 3 slower and no smaller for photos
JPEG_QUALITY: Final = 90  # of 1 to 95
WEBP_QUALITY: Final = 80  # of 0 to 100
STRIP_BYTES: Final = 1 << 20  # filtered at a time: a photo of 50 MP does not need another 150 MB


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """PNG of an (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA uint8 image; alpha is not premultiplied."""
    kind = {1: GREY, 3: RGB, 4: RGBA}[1 if image.ndim == 2 else image.shape[2]]
    return _write_png(image, kind)


def encode_palette_png(ids: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """8-bit palette PNG whose pixel values are the ids.

    Args:
        ids: (H, W) uint8.
        palette: (N, 3) uint8 RGB, N from 1 to 256, row = id.

    Raises ValueError for an id that has no row: readers disagree about such files.
    """
    if int(ids.max()) >= len(palette):
        raise ValueError(f"id {ids.max()} has no row in a palette of {len(palette)}")
    return _write_png(ids, PALETTE, _chunk(b"PLTE", palette.tobytes()))


def decode_palette_png(data: bytes) -> NDArray[np.uint8]:
    """The ids (H, W) uint8 of a PNG by `encode_palette_png`; nothing from outside."""
    with Image.open(BytesIO(data)) as picture:
        return np.array(picture, np.uint8)


def encode_jpeg(image: NDArray[np.uint8]) -> bytes:
    """JPEG of an (H, W, 3) uint8 RGB image. Raises InvalidOption for a side over 65500 pixels."""
    _check_sides(image, "JPEG", 65_500)  # libjpeg's JPEG_MAX_DIMENSION
    return _save(image, "JPEG", quality=JPEG_QUALITY)


def encode_webp(image: NDArray[np.uint8]) -> bytes:
    """WebP of an (H, W, 3) uint8 RGB image. Raises InvalidOption for a side over 16383 pixels."""
    _check_sides(image, "WebP", 16_383)  # the format's 14 bits
    return _save(image, "WEBP", quality=WEBP_QUALITY, method=2)  # 4, the default: twice the time, -7 %


def _write_png(image: NDArray[np.uint8], kind: int, palette: bytes = b"") -> bytes:
    height, width = image.shape[:2]
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    chunks = [SIGNATURE, _chunk(b"IHDR", header), palette]
    compressor = isal_zlib.compressobj(LEVEL)
    rows = max(1, STRIP_BYTES // (image.nbytes // height + 1))
    for top in range(0, height, rows):
        packed = compressor.compress(_filter_rows(image, top, min(height, top + rows)))
        if packed:
            chunks.append(_chunk(b"IDAT", packed))
    chunks += [_chunk(b"IDAT", compressor.flush()), _chunk(b"IEND", b"")]
    return b"".join(chunks)


def _filter_rows(image: NDArray[np.uint8], top: int, bottom: int) -> NDArray[np.uint8]:
    """Rows `top` to `bottom`, each led by its filter's number and less the row above it."""
    pixels = image[max(0, top - 1) : bottom].reshape(bottom - max(0, top - 1), -1)
    filtered = np.empty((bottom - top, 1 + pixels.shape[1]), np.uint8)
    filtered[:, 0] = UP
    if top == 0:
        filtered[0, 1:] = pixels[0]  # above the first row there are zeros
    np.subtract(pixels[1:], pixels[:-1], out=filtered[top == 0 :, 1:])
    return filtered


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", isal_zlib.crc32(data, zlib.crc32(kind)))


def _save(image: NDArray[np.uint8], pillow_name: str, **options: int) -> bytes:
    stream = BytesIO()
    Image.fromarray(image).save(stream, pillow_name, **options)
    return stream.getvalue()


def _check_sides(image: NDArray[np.uint8], name: str, limit: int) -> None:
    height, width = image.shape[:2]
    if max(height, width) > limit:
        message = f"{name} holds at most {limit} pixels a side, this image is {width}x{height}; ask for PNG."
        raise InvalidOption(message, width=width, height=height, limit=limit)
