"""Damaged images by the hundred: `python -m tests.damage FOLDER --count 500`; the same seed makes the same files.

Small pictures in every format that we read, each hurt in one of several ways, and the bombs that are
known by name. Other seeds: `--from PHOTOS`.
"""

from __future__ import annotations

import argparse
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from humanparse import image_formats

Hurt = Callable[[bytearray, random.Random, list[bytes]], bytearray]
INTERESTING: Final = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def seeds() -> list[tuple[str, bytes]]:
    """(suffix, file) of small pictures: every format, several modes."""
    y, x = np.mgrid[:96, :128]
    colours = np.stack([x * 2, y * 2, (x * y) % 256], -1).astype(np.uint8)
    rgb = Image.fromarray(colours)
    made = [
        ("jpg", rgb, "JPEG", {}), ("jpg", rgb, "JPEG", {"progressive": True}), ("jpg", rgb.convert("CMYK"), "JPEG", {}),
        ("jpg", rgb.convert("L"), "JPEG", {}), ("png", rgb, "PNG", {}), ("png", rgb.convert("P"), "PNG", {}),
        ("png", rgb.convert("RGBA"), "PNG", {}), ("png", Image.fromarray(x.astype(np.uint16) * 400), "PNG", {}),
        ("webp", rgb, "WEBP", {}), ("webp", rgb.convert("RGBA"), "WEBP", {"lossless": True}), ("bmp", rgb, "BMP", {}),
        ("bmp", rgb.convert("P"), "BMP", {}), ("tif", rgb, "TIFF", {}),
        ("tif", rgb, "TIFF", {"compression": "tiff_lzw"}),
        ("tif", rgb, "TIFF", {"compression": "jpeg"}), ("tif", rgb.convert("1"), "TIFF", {"compression": "group4"}),
        ("gif", rgb.convert("P"), "GIF", {"save_all": True, "append_images": [rgb.rotate(9).convert("P")] * 3}),
        ("png", rgb, "PNG", {"save_all": True, "append_images": [rgb.rotate(9)] * 3}),
        ("webp", rgb, "WEBP", {"save_all": True, "append_images": [rgb.rotate(9)] * 3}),
    ]  # fmt: skip
    names = {format.name for format in image_formats.FORMATS}
    made += [("avif", rgb, "AVIF", {})] * ("AVIF" in names) + [("heic", rgb, "HEIF", {})] * ("HEIC" in names)
    found = []
    for suffix, picture, name, options in made:
        exif = {"exif": _exif()} if name in ("JPEG", "WEBP") else {}
        stream = BytesIO()
        picture.save(stream, name, **options, **exif)
        found.append((suffix, stream.getvalue()))
    return found


def damaged(count: int, own_seeds: list[tuple[str, bytes]], seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """(name, file), so many, and the bombs before them."""
    chance = random.Random(seed)
    yield from bombs()
    contents = [data for _, data in own_seeds]
    for index in range(count):
        suffix, data = own_seeds[index % len(own_seeds)]
        ways = chance.sample(list(WAYS), chance.choice((1, 1, 1, 2, 3)))
        hurt = bytearray(data)
        for way in ways:
            hurt = WAYS[way](hurt, chance, contents)
        yield f"{index:04}-{'-'.join(ways)}.{suffix}", bytes(hurt)


def bombs() -> Iterator[tuple[str, bytes]]:
    """Files that ask for more than they have: of memory, of time, of pixels; and files that are nothing."""
    yield "bomb-empty.jpg", b""
    yield "bomb-zeros.png", bytes(10_000)
    yield "bomb-declared-huge.png", png(100_000, 100_000, 8, 2, zlib.compress(bytes(1000)))
    yield "bomb-49-megapixels-of-nothing.png", png(7000, 7000, 8, 2, zlib.compress(bytes(7000 * (7000 * 3 + 1)), 9))
    yield "bomb-49-megapixels-16-bit.png", png(7000, 7000, 16, 6, zlib.compress(bytes(7000 * (7000 * 8 + 1)), 9))
    yield "bomb-wide.png", png(30_000, 1, 8, 2, zlib.compress(bytes(90_001)))
    yield "bomb-tall.png", png(1, 30_000, 8, 2, zlib.compress(bytes(4 * 30_000)))
    yield "bomb-too-wide.png", png(60_000, 1, 8, 2, zlib.compress(bytes(180_001)))
    yield "bomb-zero-wide.png", png(0, 10, 8, 2, zlib.compress(b""))
    yield "bomb-profile.png", png(4, 4, 8, 2, zlib.compress(bytes(52)), _chunk(b"iCCP", b"x\0\0" + _packed_zeros(256)))
    yield "bomb-text.png", png(4, 4, 8, 2, zlib.compress(bytes(52)), _chunk(b"zTXt", b"x\0\0" + _packed_zeros(256)))
    yield "bomb-many-scans.jpg", slow_jpeg()
    yield "bomb-jpeg-declared-huge.jpg", _jpeg_of_size(65_500, 65_500)
    yield "bomb-tiles.tif", _tiff_tiles(20_000)
    yield "bomb-polyglot.jpg", _jpeg_of_size(16, 16) + b"PK\3\4<script>alert(1)</script>" * 99
    yield "bomb-svg.png", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    yield "bomb-postscript.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) run\n"


def slow_jpeg(side: int = 1400, scans: int = 20_000) -> bytes:
    """A small file that takes libjpeg long: a progressive JPEG with its last scan said again and again."""
    stream = BytesIO()
    Image.new("RGB", (side, side), "grey").save(stream, "JPEG", progressive=True)
    data = stream.getvalue()
    scan = data.rindex(b"\xff\xda")
    return data[:scan] + data[scan:-2] * scans + data[-2:]


def png(width: int, height: int, bits: int, colour_type: int, packed: bytes, more: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + more + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _packed_zeros(mebibytes: int) -> bytes:
    packer = zlib.compressobj(9)
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(mebibytes)), packer.flush()])


def _jpeg_of_size(width: int, height: int) -> bytes:
    stream = BytesIO()
    Image.new("RGB", (16, 16), "red").save(stream, "JPEG")
    data = bytearray(stream.getvalue())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def _tiff_tiles(side: int) -> bytes:
    packed = zlib.compress(bytes(100))
    tags = [(256, 16), (257, 16), (258, 8), (259, 8), (262, 1), (277, 1), (322, side), (323, side)]
    tags += [(324, 8 + 2 + 12 * 10 + 4), (325, len(packed))]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return struct.pack("<2sHIH", b"II", 42, 8, len(tags)) + entries + bytes(4) + packed


def _exif() -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "camera"
    return exif.tobytes()


def _flip(data: bytearray, chance: random.Random, others: list[bytes]) -> bytearray:
    del others
    for _ in range(chance.choice((1, 2, 8, 40))):
        if data:
            data[_place(data, chance)] ^= 1 << chance.randrange(8)
    return data


def _cut(data: bytearray, chance: random.Random, others: list[bytes]) -> bytearray:
    del others
    return data[: chance.randrange(len(data) + 1)]


def _drop(data: bytearray, chance: random.Random, others: list[bytes]) -> bytearray:
    del others
    at = _place(data, chance) if data else 0
    del data[at : at + chance.choice((1, 4, 64, 500))]
    return data


def _double(data: bytearray, chance: random.Random, others: list[bytes]) -> bytearray:
    del others
    at, size = (_place(data, chance) if data else 0), chance.choice((1, 8, 100, 1000))
    return data[: at + size] + data[at : at + size] * chance.choice((1, 20)) + data[at + size :]


def _number(data: bytearray, chance: random.Random, others: list[bytes]) -> bytearray:
    """Lengths, counts, offsets and sides stand as numbers of 2 or 4 bytes in either order."""
    del others
    for _ in range(chance.choice((1, 3))):
        kind = chance.choice(("<H", ">H", "<I", ">I"))
        at, size = (_place(data, chance) if data else 0), struct.calcsize(kind)
        if at + size <= len(data):
            data[at : at + size] = struct.pack(kind, chance.choice(INTERESTING) % (1 << 8 * size))
    return data


def _zero(data: bytearray, chance: random.Random, others: list[bytes]) -> bytearray:
    del others
    at, size = (_place(data, chance) if data else 0), chance.choice((4, 64, 1000))
    size = min(size, len(data) - at)
    data[at : at + size] = bytes([chance.choice((0, 255))]) * size
    return data


def _splice(data: bytearray, chance: random.Random, others: list[bytes]) -> bytearray:
    other = chance.choice(others)
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other)) :]


def _place(data: bytearray, chance: random.Random) -> int:
    """Half of the hits fall into the head of the file: heads break in more ways than pixels."""
    return chance.randrange(min(len(data), 200) if chance.random() < 0.5 else len(data))


WAYS: Final[dict[str, Hurt]] = {
    "flip": _flip, "cut": _cut, "drop": _drop, "double": _double, "number": _number, "zero": _zero, "splice": _splice,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--from", dest="source", type=Path, metavar="PHOTOS", help="hurt these instead")
    args = parser.parse_args()
    own = seeds()
    if args.source:
        files = (path for path in sorted(args.source.rglob("*")) if path.suffix.lower() in image_formats.suffixes())
        own = [(path.suffix[1:], path.read_bytes()) for path in files]
    args.folder.mkdir(parents=True, exist_ok=True)
    for name, data in damaged(args.count, own, args.seed):
        (args.folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
