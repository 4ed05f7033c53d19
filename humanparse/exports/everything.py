"""A zip of all that a photo's parsing is good for: pictures, maps, data, masks and cut-outs."""

from __future__ import annotations

import json
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from humanparse.encoding import encode_jpeg, encode_png
from humanparse.exports.coco import coco_document
from humanparse.exports.cutouts import cutout_files
from humanparse.exports.description import describe
from humanparse.exports.maps import label_map_png, people_map_png
from humanparse.exports.masks import mask_files
from humanparse.exports.zips import write_zip
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
    }
    masks = ((f"masks/{file}", content) for file, content in mask_files(parsing))
    cutouts = ((f"cutouts/{file}", content) for file, content in cutout_files(image, parsing))
    return write_zip(chain(files.items(), masks, cutouts))
