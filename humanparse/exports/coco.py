"""A COCO data set of one photo or of several: https://cocodataset.org/#format-data, "object detection".

Every part of every person is one annotation; its `category_id` is the class id of CIHP, and
`person_id`, which COCO's readers pass over, says whose it is (from 1, per image).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from humanparse.exports.masks import part_mask, part_rle
from humanparse.labels import CLASSES
from humanparse.records import Parsing


def coco_document(parsing: Parsing, name: str) -> dict[str, Any]:
    """The data set of one photo; `name` becomes the image's `file_name`, ids count from 1."""
    height, width = parsing.size
    annotations = [
        {
            "image_id": 1,
            "category_id": part.id,
            "segmentation": part_rle(part_mask(parsing, person, part)),
            "bbox": [x0, y0, x1 - x0, y1 - y0],
            "area": part.area,
            "iscrowd": 0,
            "score": part.score,
            "person_id": person.number,
        }
        for person in parsing.persons
        for part in person.parts
        for x0, y0, x1, y1 in [part.box]
    ]
    return {
        "info": {"description": "Human parsing", "version": f"{parsing.parser.name} {parsing.parser.version}"},
        "licenses": [],
        "images": [{"id": 1, "file_name": name, "width": width, "height": height}],
        "categories": [{"id": c.id, "name": c.name, "supercategory": "person"} for c in CLASSES[1:]],
        "annotations": [{"id": number, **annotation} for number, annotation in enumerate(annotations, 1)],
    }


def join_coco(documents: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """One data set of the images of several documents by `coco_document`, renumbered in their order."""
    joined: dict[str, Any] = {}
    for document in documents:
        joined = joined or {**document, "images": [], "annotations": []}
        image_id = len(joined["images"]) + 1
        joined["images"] += [{**image, "id": image_id} for image in document["images"]]
        first = len(joined["annotations"]) + 1
        joined["annotations"] += [
            {**annotation, "id": number, "image_id": image_id}
            for number, annotation in enumerate(document["annotations"], first)
        ]
    return joined
