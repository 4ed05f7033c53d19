"""What image files may come in: the formats, how each is recognised, and what they are called.

To read them: `images.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PIL import features

from humanparse.errors import TypeMismatch

try:
    from pillow_heif import register_heif_opener
except ImportError:
    _HEIC_READER = False
else:
    _HEIC_READER = True
    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)

ANY_TYPE: Final = ("", "application/octet-stream", "binary/octet-stream", "image/*")  # says nothing of the file


@dataclass(frozen=True)
class Format:
    """One file format that we read: its name, Pillow's name for it, and how to recognise it.

    `signatures` are (offset, bytes) pairs; a file has the format's signature if one of them fits.
    """

    name: str
    pillow_name: str
    media_types: tuple[str, ...]
    suffixes: tuple[str, ...]
    signatures: tuple[tuple[int, bytes], ...]

    def fits(self, data: bytes) -> bool:
        """Has a file that begins with `data` one of the signatures?"""
        return any(data.startswith(signature, offset) for offset, signature in self.signatures)


def _brands(*brands: bytes) -> tuple[tuple[int, bytes], ...]:
    """Signatures of an ISO base media file (ISO/IEC 14496-12) with one of these major brands."""
    return tuple((4, b"ftyp" + brand) for brand in brands)


_TIFF_MAGIC: Final = ((0, b"II*\0"), (0, b"MM\0*"), (0, b"II+\0"), (0, b"MM\0+"))
_AVIF_BRANDS: Final = (b"avif", b"avis", b"mif1", b"msf1")  # the last two are any still: the readers look inside
_HEIC_BRANDS: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")

KNOWN: Final = (
    Format("JPEG", "JPEG", ("image/jpeg",), (".jpg", ".jpeg", ".jpe", ".jfif"), ((0, b"\xff\xd8\xff"),)),
    Format("PNG", "PNG", ("image/png",), (".png",), ((0, b"\x89PNG\r\n\x1a\n"),)),
    Format("WebP", "WEBP", ("image/webp",), (".webp",), ((8, b"WEBP"),)),
    Format("BMP", "BMP", ("image/bmp", "image/x-ms-bmp"), (".bmp",), ((0, b"BM"),)),
    Format("TIFF", "TIFF", ("image/tiff",), (".tif", ".tiff"), _TIFF_MAGIC),
    Format("GIF", "GIF", ("image/gif",), (".gif",), ((0, b"GIF87a"), (0, b"GIF89a"))),
    Format("AVIF", "AVIF", ("image/avif",), (".avif",), _brands(*_AVIF_BRANDS)),
    Format("HEIC", "HEIF", ("image/heic", "image/heif"), (".heic", ".heif", ".hif"), _brands(*_HEIC_BRANDS)),
)
"""The formats that we can read where their decoders are installed."""
_OTHER_NAMES: Final = {
    # older and sloppier names that programs still declare, beside those that we list
    "JPEG": ("image/jpg", "image/pjpeg", "image/jfif", "image/mpo"),
    "PNG": ("image/x-png", "image/apng", "image/vnd.mozilla.apng"),
    "BMP": ("image/x-bmp", "image/x-windows-bmp"),
    "TIFF": ("image/tif", "image/x-tiff"),
    "AVIF": ("image/avif-sequence", "image/heif"),
    "HEIC": ("image/heic-sequence", "image/heif-sequence"),
}
_ABSENT: Final = {"AVIF": not features.check("avif"), "HEIC": not _HEIC_READER}

FORMATS: Final = tuple(format for format in KNOWN if not _ABSENT.get(format.name))
"""The formats that this process reads: those whose decoder is there. Of animations, the first frame."""

LONGEST_SIGNATURE: Final = max(offset + len(text) for format in FORMATS for offset, text in format.signatures)
"""Bytes of a file that tell its format."""


def format_names() -> str:
    """The formats for a message: "JPEG, PNG, ... and HEIC"."""
    names = [format.name for format in FORMATS]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def suffixes() -> frozenset[str]:
    """The file suffixes of the formats that we read, lower case with the dot."""
    return frozenset(suffix for format in FORMATS for suffix in format.suffixes)


def accept_attribute() -> str:
    """The value of a file input's `accept`: media types, and suffixes for systems that lack a type (HEIC)."""
    media_types = (media_type for format in FORMATS for media_type in format.media_types)
    return ",".join((*media_types, *sorted(suffixes())))


def fitting(start: bytes) -> list[Format]:
    """Those of FORMATS whose signature a file has that begins with `start`."""
    return [format for format in FORMATS if format.fits(start)]


def check_declared(declared: str, start: bytes) -> None:
    """Raises TypeMismatch where a media type is declared that is not that of the file which begins with `start`.

    Types that say nothing (ANY_TYPE) go with every file; a file of no known type is left to `read_image`.
    """
    found = fitting(start)
    declared = declared.partition(";")[0].strip().lower()
    if declared in ANY_TYPE or not found:
        return
    if not any(declared in (*format.media_types, *_OTHER_NAMES.get(format.name, ())) for format in found):
        name, right = found[0].name, found[0].media_types[0]
        message = f"The file is declared as {declared[:100]}, but it is {name}; send it as {right}, or undeclared."
        raise TypeMismatch(message, declared=declared[:100], found=right, allowed=[right, ANY_TYPE[1]])
