"""A zip of all that a photo's parsing is good for: pictures, maps, data, masks and cut-outs."""

from __future__ import annotations

import json
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from humanparse.encoding import encode_jpeg, encode_png
from humanparse.exports.coco import coco_document
from humanparse.exports.cutouts import cutouts_zip
from humanparse.exports.description import describe
from humanparse.exports.maps import label_map_png, people_map_png
from humanparse.exports.masks import masks_zip
from humanparse.records import Parsing


def everything_zip(
    image: NDArray[np.uint8], overlay: NDArray[np.uint8], parsing: Parsing, palette: NDArray[np.uint8], name: str
) -> bytes:
    """photo.jpg, overlay.png, labels.png, people.png, parsing.json, coco.json, masks/ and cutouts/ in one zip.

    image, overlay: (H, W, 3) uint8 RGB; palette: (20, 3) uint8 RGB of the label map; name: of COCO's image.
    """
    data = describe(parsing, frozenset({"keypoints"}))
    files = {
        "photo.jpg": encode_jpeg(image),
        "overlay.png": encode_png(overlay),
        "labels.png": label_map_png(parsing, palette),
        "people.png": people_map_png(parsing),
        "parsing.json": json.dumps(data, indent=1).encode(),
        "coco.json": json.dumps(coco_document(parsing, name)).encode(),
        **_members("masks", masks_zip(parsing)),
        **_members("cutouts", cutouts_zip(image, parsing)),
    }
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        for file, content in files.items():
            member = ZipInfo(file)  # a bare one: the same parsing gives the same bytes, without the time of day
            member.compress_type = ZIP_DEFLATED if file.endswith(".json") else ZIP_STORED
            archive.writestr(member, content)
    return stream.getvalue()


def _members(folder: str, data: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(data)) as archive:
        return {f"{folder}/{name}": archive.read(name) for name in archive.namelist()}
