"""The page's own PNG reader: every filter that the format knows, and refusal of what it does not read."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode

import numpy as np
import pytest
from playwright.sync_api import Error, Page

from humanparse.encoding import encode_palette_png

pytestmark = pytest.mark.browser

READ = """async (text) => {
    const { readPalettePng, fromBase64 } = await import("/static/js/png.js");
    const { width, height, ids, palette } = await readPalettePng(fromBase64(text));
    return [width, height, [...ids], [...palette]];
}"""
IDS = np.random.default_rng(3).integers(0, 256, (7, 13), np.uint8)
COLOURS = np.random.default_rng(4).integers(0, 256, (256, 3), np.uint8)


def read(page: Page, png: bytes) -> tuple[np.ndarray, np.ndarray]:
    width, height, ids, palette = page.evaluate(READ, b64encode(png).decode())
    return np.array(ids, np.uint8).reshape(height, width), np.array(palette, np.uint8).reshape(-1, 3)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def write_png(rows: bytes, colour_type: int = 3, depth: int = 8, interlaced: int = 0) -> bytes:
    """A PNG of IDS' size around filtered rows; the data in two chunks."""
    header = struct.pack(">IIBBBBB", IDS.shape[1], IDS.shape[0], depth, colour_type, 0, 0, interlaced)
    data = zlib.compress(rows)
    chunks = [(b"IHDR", header), (b"PLTE", COLOURS.tobytes()), (b"IDAT", data[:9]), (b"IDAT", data[9:]), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, body) for kind, body in chunks)


def filter_rows(kind: int) -> bytes:
    """IDS through one of PNG's five filters (PNG 1.2, chapter 6), written down naively."""
    padded = np.pad(IDS.astype(int), ((1, 0), (1, 0)))
    left, up, corner = padded[1:, :-1], padded[:-1, 1:], padded[:-1, :-1]
    distances = np.abs([up - corner, left - corner, left + up - 2 * corner])
    nearest = np.choose(distances.argmin(axis=0), [left, up, corner])  # the first of equals, as the standard wants
    guess = [np.zeros_like(left), left, up, (left + up) // 2, nearest][kind]
    rows = ((IDS - guess) % 256).astype(np.uint8)
    return b"".join(bytes([kind]) + row.tobytes() for row in rows)


def test_it_reads_what_the_service_writes(page: Page) -> None:
    ids, palette = read(page, encode_palette_png(IDS, COLOURS))
    assert np.array_equal(ids, IDS)
    assert np.array_equal(palette, COLOURS)


@pytest.mark.parametrize("kind", range(5))
def test_it_undoes_every_filter(page: Page, kind: int) -> None:
    assert np.array_equal(read(page, write_png(filter_rows(kind)))[0], IDS)


@pytest.mark.parametrize(
    "png",
    [
        b"GIF89a",
        write_png(filter_rows(0), colour_type=0),
        write_png(filter_rows(0), depth=4),
        write_png(filter_rows(0), interlaced=1),
        write_png(filter_rows(0)[:-1]),
    ],
)
def test_it_refuses_anything_else(page: Page, png: bytes) -> None:
    with pytest.raises(Error, match="PNG"):
        read(page, png)
