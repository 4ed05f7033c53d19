"""The table of formats: what each is called, what it is, and who writes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from humanparse.encoding import encode_jpeg, encode_png, encode_webp
from humanparse.exports.coco import coco_document, join_coco
from humanparse.exports.cutouts import cutout_files
from humanparse.exports.everything import everything_zip
from humanparse.exports.huggingface import huggingface_segments
from humanparse.exports.labelstudio import labelstudio_tasks
from humanparse.exports.maps import label_map_png, people_map_png
from humanparse.exports.masks import mask_files
from humanparse.exports.yolo import yolo_lines
from humanparse.exports.zips import write_zip
from humanparse.labels import PALETTES
from humanparse.records import Parsing

JSON: Final = "json"
"""The default: what `describe` says, with the overlay and the timing. Written by the rooms that know those."""


@dataclass(frozen=True, eq=False)
class Parsed:
    """What a format may write of a photo: its name, Parsing, palette's name, the photo itself, and its overlay.

    image, overlay: (H, W, 3) uint8 RGB. draw: makes the overlay, which most formats do without.
    """

    name: str
    parsing: Parsing
    palette: str
    image: NDArray[np.uint8]
    draw: Callable[[], NDArray[np.uint8]]

    @property
    def overlay(self) -> NDArray[np.uint8]:
        return self.draw()


@dataclass(frozen=True)
class Format:
    """One format: media type, end of a file's name, one line of help, and its writer.

    `join` makes one file of those of several photos, where the format holds several.
    """

    media_type: str
    suffix: str
    help: str
    write: Callable[[Parsed], bytes]
    join: Callable[[Sequence[bytes]], bytes] | None = None


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def _join_coco(files: Sequence[bytes]) -> bytes:
    return _dump(join_coco(json.loads(file) for file in files))


def _join_tasks(files: Sequence[bytes]) -> bytes:
    return _dump([task for file in files for task in json.loads(file)])


FORMATS: Final = {
    "png": Format("image/png", ".overlay.png", "the overlay as PNG", lambda p: encode_png(p.overlay)),
    "jpeg": Format("image/jpeg", ".overlay.jpg", "the overlay as JPEG", lambda p: encode_jpeg(p.overlay)),
    "webp": Format("image/webp", ".overlay.webp", "the overlay as WebP", lambda p: encode_webp(p.overlay)),
    "label_map": Format(
        "image/png",
        ".labels.png",
        "palette PNG of the photo's size, pixel value = class id",
        lambda p: label_map_png(p.parsing, PALETTES[p.palette]),
    ),
    "people_map": Format(
        "image/png",
        ".people.png",
        "palette PNG of the photo's size, pixel value = person number",
        lambda p: people_map_png(p.parsing),
    ),
    "masks": Format(
        "application/zip",
        ".masks.zip",
        "zip of PNG masks (0 or 255) of every person and part, listed in `masks.json`",
        lambda p: write_zip(mask_files(p.parsing)),
    ),
    "cutouts": Format(
        "application/zip",
        ".cutouts.zip",
        "zip of PNGs of every person and part, the rest transparent",
        lambda p: write_zip(cutout_files(p.image, p.parsing)),
    ),
    "everything": Format(
        "application/zip",
        ".zip",
        "zip of photo, overlay, both maps, JSON, COCO JSON, masks and cut-outs",
        lambda p: everything_zip(p.image, p.overlay, p.parsing, PALETTES[p.palette], p.name),
    ),
    "coco": Format(
        "application/json",
        ".coco.json",
        "COCO data set: images, categories, annotations with run lengths",
        lambda p: _dump(coco_document(p.parsing, p.name)),
        _join_coco,
    ),
    "huggingface": Format(
        "application/json",
        ".segments.json",
        "Hugging Face `image-segmentation`: a list of label, score, mask",
        lambda p: _dump(huggingface_segments(p.parsing)),
    ),
    "labelstudio": Format(
        "application/json",
        ".labelstudio.json",
        "Label Studio task with brush predictions",
        lambda p: _dump(labelstudio_tasks(p.parsing, p.name)),
        _join_tasks,
    ),
    "yolo": Format(
        "text/plain",
        ".txt",
        "YOLO segmentation labels: class id and a polygon a line",
        lambda p: yolo_lines(p.parsing).encode(),
    ),
}
OVERLAYS: Final = ("png", "jpeg", "webp")
"""The formats that are the overlay itself."""
