"""Files damaged by their structure: `python -m tests.wild FOLDER [--count 4000] [--from PHOTOS]`; each time the same.

Where `tests.damage` hits anywhere, this knows what a file is made of: segments of a JPEG, chunks of a PNG or WebP,
boxes of an AVIF or HEIC, entries of a TIFF's directory. It drops, doubles, swaps and empties those, writes lies
into the fields of their headers, and cuts where one ends. Beside them every format that Pillow and OpenCV can
write, ours or not, and files that are two things at once.
"""

from __future__ import annotations

import argparse
import itertools
import random
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from PIL import Image

from humanparse import image_formats  # registers HEIF's writer, too
from tests.damage import _chunk, _packed_zeros, png

Unit = tuple[int, int]  # where a part of the file begins and ends
Named = tuple[str, bytes]
MODES: Final = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "F")
PILLOW_FORMATS: Final = (
    "BLP", "BMP", "DDS", "DIB", "EPS", "GIF", "ICNS", "ICO", "IM", "JPEG", "JPEG2000", "MPO", "MSP", "PCX", "PDF",
    "PNG", "PPM", "SGI", "SPIDER", "TGA", "TIFF", "WEBP", "XBM", "AVIF", "HEIF",
)  # fmt: skip
OPENCV_SUFFIXES: Final = (
    ".bmp", ".gif", ".jpg", ".jp2", ".png", ".webp", ".avif", ".pbm", ".pgm", ".ppm", ".pxm", ".ras", ".tiff", ".hdr",
    ".exr", ".jxl",
)  # fmt: skip
TIFF_KINDS: Final = ("raw", "group3", "group4", "jpeg", "lzma", "packbits", "tiff_adobe_deflate", "tiff_ccitt",
                     "tiff_lzw", "zstd")  # fmt: skip
FAX: Final = ("group3", "group4", "tiff_ccitt")
NUMBERS: Final = (0, 1, 2, 3, 7, 8, 15, 16, 17, 255, 256, 32_767, 32_768, 65_535, 65_536, (1 << 24) - 1, 1 << 24,
                  (1 << 31) - 1, 1 << 31, (1 << 32) - 1)  # fmt: skip
SUFFIXES: Final = {"JPEG": "jpg", "PNG": "png", "GIF": "gif", "WebP": "webp", "BMP": "bmp", "TIFF": "tif",
                   "AVIF": "avif", "HEIC": "heic"}  # fmt: skip
STRANGERS: Final = (
    ("html", b"<html><script>alert(1)</script>"), ("zip", b"PK\3\4" * 99), ("js", b"*/=alert(1);/*"),
    ("php", b"<?php system($_GET[0]); ?>"), ("pdf", b"%PDF-1.4\n1 0 obj\n"), ("sh", b"#!/bin/sh\nid\n"),
)  # fmt: skip
SIDES: Final = ((1, 1), (1, 29_999), (29_999, 1), (60_000, 1), (1, 60_000), (0, 0), (1 << 31, 1), (1 << 31, 1 << 31))
STARTS: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"RIFF\xff\xff\xff\xffWEBP")


def seeds() -> Iterator[Named]:
    """(format or format and kind, file): small pictures in every format, mode and compression that can be written."""
    y, x = np.mgrid[:24, :40]
    rgb = Image.fromarray(np.stack([x * 6, y * 10, (x * y) % 256], -1).astype(np.uint8))
    for name, mode in itertools.product(PILLOW_FORMATS, MODES):
        yield from _written(f"{name} {mode}", rgb.convert(mode) if mode != "I;16" else _sixteen(rgb), name)
    for kind, mode in itertools.product(TIFF_KINDS, ("1", "L", "RGB", "RGBA", "CMYK", "YCbCr")):
        if (kind in FAX) != (mode == "1") and kind != "raw":
            continue  # libtiff dies of most of these, writing; of webp in any mode
        yield from _written(f"TIFF {kind} {mode}", rgb.convert(mode), "TIFF", compression=kind)
    animation: dict[str, Any] = {"save_all": True, "append_images": [rgb.rotate(9 * turn) for turn in range(1, 5)]}
    for name in ("GIF", "PNG", "WEBP", "TIFF", "AVIF", "MPO", "PDF"):
        yield from _written(f"{name} animated", rgb, name, **animation)
    more: tuple[tuple[str, dict[str, Any]], ...] = (
        ("JPEG", {"progressive": True, "subsampling": 2}), ("JPEG", {"restart_marker_rows": 1}),
        ("JPEG", {"quality": 1}), ("PNG", {"compress_level": 0}), ("WEBP", {"lossless": True}), ("BMP", {}),
        ("TIFF", {"big_tiff": True}), ("TIFF", {"tiffinfo": {278: 1}}),
    )  # fmt: skip
    for name, options in more:
        yield from _written(f"{name} {'-'.join(options)}", rgb, name, icc_profile=_noise(400), **options)
    for bits in (1, 2, 4):
        yield from _written(f"PNG palette {bits}", rgb.quantize(1 << bits), "PNG", bits=bits)
    for suffix in OPENCV_SUFFIXES:
        for dtype in (np.uint8, np.uint16, np.float32):
            with suppress(cv2.error):
                written, data = cv2.imencode(suffix, np.asarray(rgb).astype(dtype) * (1 if dtype == np.uint8 else 200))
                if written:
                    yield f"OpenCV {suffix[1:]} {np.dtype(dtype).name}", data.tobytes()


def _written(name: str, picture: Image.Image, format: str, **options: Any) -> Iterator[Named]:
    stream = BytesIO()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # some of Pillow's writers are not up to its own changes
            picture.save(stream, format, **options)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, struct.error):
        return  # this format has no such mode
    yield name, stream.getvalue()


def _sixteen(picture: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)


def _noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


# What a file is made of


def units(data: bytes) -> list[Unit]:
    """The parts of a file of ours; none where it is of another format, or its parts cannot be told."""
    for signature, split in SPLITS:
        if data.startswith(signature, 4 if signature == b"ftyp" else 0):
            with suppress(struct.error, IndexError):
                return split(data)
    return []


def _jpeg(data: bytes) -> list[Unit]:
    found, at = [], 2
    while data[at + 1] != 0xDA:
        end = at + 2 + struct.unpack_from(">H", data, at + 2)[0]
        found.append((at, end))
        at = end
    return [*found, (at, len(data) - 2), (len(data) - 2, len(data))]


def _png(data: bytes) -> list[Unit]:
    return _chained(data, 8, lambda at: at + 12 + struct.unpack_from(">I", data, at)[0])


def _riff(data: bytes) -> list[Unit]:
    return _chained(data, 12, lambda at: at + 8 + (struct.unpack_from("<I", data, at + 4)[0] + 1) // 2 * 2)


def _boxes(data: bytes) -> list[Unit]:
    """The boxes, and those within `meta` and `iprp`, where pictures are described."""
    found = _chained(data, 0, lambda at: at + max(8, struct.unpack_from(">I", data, at)[0]))
    for begin, end in list(found):
        inside = {b"meta": 12, b"iprp": 8, b"ipco": 8, b"iref": 12, b"iinf": 14}.get(data[begin + 4 : begin + 8])
        if inside:
            found += [(begin + inside + a, begin + inside + b) for a, b in _boxes(data[begin + inside : end])]
    return found


def _tiff(data: bytes) -> list[Unit]:
    order = "<" if data[:2] == b"II" else ">"
    at = struct.unpack_from(f"{order}I", data, 4)[0]
    count = struct.unpack_from(f"{order}H", data, at)[0]
    return [(at + 2 + 12 * place, at + 14 + 12 * place) for place in range(count)]


def _gif(data: bytes) -> list[Unit]:
    """The head, and every extension or picture by its first byte."""
    marks = [place for place in range(13, len(data)) if data[place : place + 2] in (b"!\xf9", b"!\xff", b"!\xfe")]
    marks += [place for place in range(13, len(data)) if data[place : place + 1] == b","]
    edges = sorted({0, 6, 13, *marks, len(data)})
    return list(itertools.pairwise(edges))


def _bmp(data: bytes) -> list[Unit]:
    return list(itertools.pairwise((0, 2, 6, 10, 14, 18, 22, 26, 28, 30, 34, 38, 42, 46, 50, 54, len(data))))


def _chained(data: bytes, at: int, end_of: Callable[[int], int]) -> list[Unit]:
    found = []
    while at + 8 <= len(data):
        end = min(end_of(at), len(data))
        found.append((at, end))
        at = end
    return found


SPLITS: Final = (
    (b"\xff\xd8", _jpeg), (b"\x89PNG", _png), (b"RIFF", _riff), (b"II*\0", _tiff), (b"MM\0*", _tiff), (b"GIF8", _gif),
    (b"BM", _bmp), (b"ftyp", _boxes),
)  # fmt: skip


# What is done to it


def hurt(data: bytes) -> Iterator[Named]:
    """(what was done, file), by the parts of it."""
    parts = units(data)
    for place, (begin, end) in enumerate(parts):
        yield f"drop{place}", data[:begin] + data[end:]
        yield f"double{place}", data[:end] + data[begin:]
        yield f"many{place}", data[:begin] + data[begin:end] * (1 + 20_000 // (end - begin + 1)) + data[end:]
        yield f"cut{place}", data[:end]
        yield f"cut-in{place}", data[: (begin + end) // 2]
        yield f"zero{place}", data[:begin] + bytes(end - begin) + data[end:]
        yield f"noise{place}", data[: begin + 4] + _noise(max(0, end - begin - 4)) + data[end:]
        if place + 1 < len(parts) and parts[place + 1][0] == end:
            other = parts[place + 1][1]
            yield f"swap{place}", data[:begin] + data[end:other] + data[begin:end] + data[other:]
        for field, kind in itertools.product(range(begin, min(end, begin + 26)), (">H", ">I", "<I")):
            size = struct.calcsize(kind)
            if field + size <= end:
                for number in NUMBERS[(field * 7 + size) % 5 :: 5]:
                    lie = data[:field] + struct.pack(kind, number % (1 << 8 * size)) + data[field + size :]
                    yield f"lie{place}-{field - begin}{kind[1]}{number}", _right_sums(lie, begin, end)
    for share in range(1, 16):
        yield f"part{share}", data[: len(data) * share // 16]
    for bit in range(0, min(len(data), 64) * 8, 5):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        yield f"bit{bit}", bytes(flipped)


def _right_sums(data: bytes, begin: int, end: int) -> bytes:
    """The check sum of a PNG's chunk made right again, so that the lie is read."""
    if not data.startswith(b"\x89PNG") or end - begin < 12:
        return data
    return data[: end - 4] + struct.pack(">I", zlib.crc32(data[begin + 4 : end - 4])) + data[end:]


def oddities() -> Iterator[Named]:
    """Files that are two things at once, or full of what is not the picture."""
    stream = BytesIO()
    Image.new("RGB", (16, 16), "red").save(stream, "JPEG")
    jpeg, pixels = stream.getvalue(), zlib.compress(bytes(52))
    head, rest = jpeg[:2], jpeg[2:]
    for suffix, tail in STRANGERS:
        yield f"behind-{suffix}.jpg", jpeg + tail
        yield f"comment-{suffix}.jpg", head + _segment(0xFE, tail) + rest
        yield f"before-{suffix}.jpg", tail + jpeg
        yield f"only-{suffix}.{suffix}", tail
    for name, exif in _exifs():
        yield f"exif-{name}.jpg", head + _segment(0xE1, b"Exif\0\0" + exif) + rest
        yield f"exif-{name}.png", png(4, 4, 8, 2, pixels, _chunk(b"eXIf", exif))
    for size in (1, 127, 128, 400, 60_000):
        yield f"profile-{size}.jpg", head + _segment(0xE2, b"ICC_PROFILE\0\1\1" + _noise(size)) + rest
        yield f"profile-{size}.png", png(4, 4, 8, 2, pixels, _chunk(b"iCCP", b"x\0\0" + zlib.compress(_noise(size))))
    for first, count in ((0, 0), (1, 255), (2, 1), (255, 255)):
        yield f"profile-{first}-of-{count}.jpg", head + _segment(0xE2, b"ICC_PROFILE\0" + bytes((first, count))) + rest
    for kind, start in ((b"zTXt", b"x\0\0"), (b"iTXt", b"x\0\1\0\0\0"), (b"iCCP", b"x\0\0")):
        yield f"bomb-{kind.decode()}.png", png(4, 4, 8, 2, pixels, _chunk(kind, start + _packed_zeros(80)) * 3)
    yield "metadata-30-mb.jpg", head + _segment(0xE5, bytes(65_000)) * 460 + rest
    yield "metadata-100000-chunks.png", png(4, 4, 8, 2, pixels, _chunk(b"tEXt", b"a\0b") * 100_000)
    yield "fill-bytes.jpg", head + b"\xff" * 1_000_000 + rest
    yield "two-heads.jpg", jpeg[:-2] + jpeg
    yield "ten.jpg", jpeg * 10
    for width, height in SIDES:
        row = bytes(min(width, 60_000) * 3 + 1)
        rows = row * min(height, 60_000 // max(width, 1) + 1)
        yield f"{width}x{height}.png", png(width, height, 8, 2, zlib.compress(rows))
    for bits, colours, interlaced in itertools.product((0, 1, 2, 3, 4, 8, 16, 32), (0, 1, 2, 3, 4, 5, 6, 7), (0, 1)):
        header = _chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, bits, colours, 0, 0, interlaced))
        palette = _chunk(b"PLTE", bytes(9)) if colours == 3 else b""
        body = _chunk(b"IDAT", zlib.compress(_noise(900))) + _chunk(b"IEND", b"")
        yield f"kind-{bits}-{colours}-{interlaced}.png", b"\x89PNG\r\n\x1a\n" + header + palette + body
    yield "boxes-in-boxes.heic", _ftyp(b"heic") + _nest(b"meta", 3000)
    yield "boxes-in-boxes.avif", _ftyp(b"avif") + _nest(b"moov", 3000)
    yield "empty", b""
    for start in (*STARTS, _ftyp(b"heic")):
        yield f"only-{start[:4].hex()}", start
        yield f"noise-{start[:4].hex()}", start + _noise(3000)
        yield f"zeros-{start[:4].hex()}", start + bytes(300_000)


def _exifs() -> Iterator[Named]:
    """EXIF blocks: a directory that leads to itself, one within the other, offsets beyond the end, odd turns."""

    def block(*entries: tuple[int, int, int, int], after: int = 0) -> bytes:
        rows = b"".join(struct.pack("<HHII", *entry) for entry in entries)
        return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + rows + struct.pack("<I", after)

    yield "loop", block((0x112, 3, 1, 6), after=8)
    yield "inside-itself", block((0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8), after=8)
    yield "beyond", block((0x8769, 4, 1, 0xFFFFFFF0), (0x112, 3, 1, 3), after=0xFFFFFFFF)
    yield "huge-count", block((0x112, 3, 0xFFFFFFFF, 8), (0x10F, 2, 0x7FFFFFFF, 8))
    yield "thumbnail", block((0x201, 4, 1, 0), (0x202, 4, 1, 0xFFFFFFFF))
    for turn in (0, 9, 255, 65_535):
        yield f"turn-{turn}", block((0x112, 3, 1, turn))
    for kind in (0, 1, 2, 5, 7, 10, 12, 13, 99):
        yield f"kind-{kind}", block((0x112, kind, 1, 6))
    yield "entries-65535", b"II*\0\x08\0\0\0\xff\xff" + _noise(60_000)


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _ftyp(brand: bytes) -> bytes:
    return struct.pack(">I4s4sI4s", 20, b"ftyp", brand, 0, brand)


def _nest(kind: bytes, depth: int) -> bytes:
    box = b""
    for _ in range(depth):
        box = struct.pack(">I4s", len(box) + 8, kind) + box
    return box


def files(photos: list[Named]) -> Iterator[tuple[str, bytes, bool]]:
    """All of it: (file name, file, is it one of the many that were made from another?)."""
    for name, data in oddities():
        yield name, data, False
    for name, data in [*seeds(), *photos]:
        format = next((format.name for format in image_formats.KNOWN if format.fits(data)), "")
        suffix, plain = SUFFIXES.get(format, "bin"), "".join(c if c.isalnum() else "-" for c in name)
        yield f"{plain}.{suffix}", data, False
        if format:
            for done, harmed in hurt(data):
                yield f"{plain}-{done}.{suffix}", harmed, True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=4000, help="so many of the hurt ones, drawn at random; 0: all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--from", dest="source", type=Path, metavar="PHOTOS", help="hurt these, too")
    args = parser.parse_args()
    photos = [(path.stem, path.read_bytes()) for path in sorted(args.source.iterdir())] if args.source else []
    many = [place for place, (_, _, made) in enumerate(files(photos)) if made]
    chosen = set(random.Random(args.seed).sample(many, min(args.count or len(many), len(many))))
    args.folder.mkdir(parents=True, exist_ok=True)
    for place, (name, data, made) in enumerate(files(photos)):
        if not made or place in chosen:
            (args.folder / f"{place:06}-{name}").write_bytes(data)


if __name__ == "__main__":
    main()
