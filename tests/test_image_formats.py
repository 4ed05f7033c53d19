"""What files may come in, and what each may be declared as."""

from __future__ import annotations

import importlib.util
import re
import sys

import pytest
from PIL import features

from humanparse import image_formats
from humanparse.errors import TypeMismatch, UnsupportedFormat
from humanparse.images import read_image
from tests.test_images import NAMES, example

DECLARED = {"JPEG": "image/jpeg", "PNG": "image/png", "WebP": "image/webp", "BMP": "image/x-ms-bmp"}
DECLARED |= {"TIFF": "image/tiff", "GIF": "image/gif", "AVIF": "image/avif", "HEIC": "image/heic"}


def test_the_lists_agree_with_the_formats() -> None:
    names = [format.name for format in image_formats.FORMATS]
    assert names[:6] == ["JPEG", "PNG", "WebP", "BMP", "TIFF", "GIF"]
    assert ("AVIF" in names) == features.check("avif")
    assert image_formats.format_names() == f"{', '.join(names[:-1])} and {names[-1]}"
    assert {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"} <= image_formats.suffixes()
    accepted = image_formats.accept_attribute().split(",")
    assert {"image/jpeg", "image/webp", ".jpeg", ".tif"} <= set(accepted)
    assert len(accepted) == len(set(accepted))
    for format in image_formats.FORMATS:
        assert set(format.media_types) | set(format.suffixes) <= set(accepted)
        assert format.fits(example(format.name))


def test_without_their_decoders_avif_and_heic_are_not_on_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    heic = example("HEIC")
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setattr(features, "check", lambda _: False)
    spec = importlib.util.spec_from_file_location("image_formats_alone", image_formats.__file__)
    assert spec is not None and spec.loader is not None
    alone = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "image_formats_alone", alone)
    spec.loader.exec_module(alone)
    assert alone.format_names() == "JPEG, PNG, WebP, BMP, TIFF and GIF"
    assert ".heic" not in alone.suffixes() and "avif" not in alone.accept_attribute()
    monkeypatch.setattr(image_formats, "FORMATS", alone.FORMATS)
    with pytest.raises(UnsupportedFormat, match="TIFF and GIF"):
        read_image(heic, max_bytes=10**6, max_pixels=10**6)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_what_it_is_declared_as(name: str) -> None:
    start = example(name)[: image_formats.LONGEST_SIGNATURE]
    for declared in ("", "application/octet-stream", "image/*", DECLARED[name], f"{DECLARED[name].upper()}; x=y"):
        image_formats.check_declared(declared, start)
    wrong = "image/png" if name != "PNG" else "image/jpeg"
    for declared in (wrong, "text/plain", "image/svg+xml", "video/mp4"):
        with pytest.raises(TypeMismatch, match=f"declared as {re.escape(declared)}, but it is {name}") as caught:
            image_formats.check_declared(declared, start)
        assert caught.value.context["found"].startswith("image/")


def test_sloppy_names_of_a_type_are_that_type() -> None:
    image_formats.check_declared("image/jpg", example("JPEG"))
    image_formats.check_declared("image/x-png", example("PNG"))
    image_formats.check_declared("image/png", b"no image at all")  # is said elsewhere


@pytest.mark.parametrize(
    ("name", "starts"),
    [
        ("JPEG", [b"\xff\xd8\xff"]),
        ("TIFF", [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"]),
        ("GIF", [b"GIF87a", b"GIF89a"]),
        ("BMP", [b"BM"]),
        ("WebP", [b"RIFF\x24\0\0\0WEBP"]),
        ("AVIF", [b"\0\0\0\x1cftyp" + brand for brand in b"avif avis mif1 msf1".split()]),
        ("HEIC", [b"\0\0\0\x1cftyp" + brand for brand in b"heic heix heim heis hevc hevx hevm hevs mif1".split()]),
    ],
)
def test_what_a_format_begins_with(name: str, starts: list[bytes]) -> None:
    (format,) = [format for format in image_formats.KNOWN if format.name == name]
    for start in starts:
        assert format.fits(start) and format.fits(start + b"more")
        assert not format.fits(start[:-1]) and not format.fits(b"?" + start)


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("JPEG", "image/jpg image/pjpeg image/jfif image/mpo"),
        ("PNG", "image/x-png image/apng image/vnd.mozilla.apng"),
        ("BMP", "image/bmp image/x-ms-bmp image/x-bmp image/x-windows-bmp"),
        ("TIFF", "image/tif image/x-tiff"),
        ("AVIF", "image/avif-sequence image/heif"),
        ("HEIC", "image/heic image/heif image/heic-sequence image/heif-sequence"),
    ],
)
def test_other_names_of_a_type(name: str, declared: str) -> None:
    for one in declared.split():
        image_formats.check_declared(one, example(name))
