"""The shape of Hugging Face's `image-segmentation` task, as its inference API answers it."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from humanparse.exports.masks import mask_png, part_mask
from humanparse.records import Parsing


def huggingface_segments(parsing: Parsing) -> list[dict[str, Any]]:
    """[{label, score, mask}] of every part of every person: mask is a base64 PNG of the photo's size, 0 or 255.

    `person`, whose part it is, is ours; readers of the shape pass over it.
    """
    return [
        {
            "label": part.name,
            "score": part.score,
            "mask": b64encode(mask_png(part_mask(parsing, person, part))).decode("ascii"),
            "person": person.number,
        }
        for person in parsing.persons
        for part in person.parts
    ]
