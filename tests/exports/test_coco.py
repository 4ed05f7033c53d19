"""COCO: what pycocotools reads from the document is the Parsing."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from humanparse.exports.coco import coco_document, join_coco
from humanparse.labels import CLASSES
from humanparse.records import Parsing
from tests.parsings import parsings


def read_coco(document: dict[str, Any]) -> COCO:
    """The document through a file and pycocotools, which talks to stdout."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = Path(folder, "coco.json")
        path.write_text(json.dumps(document))
        return COCO(str(path))


def check_image(coco: COCO, image_id: int, parsing: Parsing, name: str) -> None:
    (image,) = coco.loadImgs(image_id)
    assert (image["file_name"], image["height"], image["width"]) == (name, *parsing.size)
    people, labels = np.zeros(parsing.size, np.uint8), np.zeros(parsing.size, np.uint8)
    for annotation in coco.loadAnns(coco.getAnnIds(imgIds=image_id)):
        inside = coco.annToMask(annotation) == 1
        people[inside], labels[inside] = annotation["person_id"], annotation["category_id"]
        assert annotation["area"] == inside.sum() == coco_mask.area(annotation["segmentation"])
        assert annotation["bbox"] == coco_mask.toBbox(annotation["segmentation"]).tolist()
        assert annotation["iscrowd"] == 0
    assert np.array_equal(people, parsing.people)
    assert np.array_equal(labels, parsing.labels)


@given(parsing=parsings())
def test_pycocotools_reads_the_parsing_back(parsing: Parsing) -> None:
    coco = read_coco(coco_document(parsing, "a.jpg"))
    assert coco.getImgIds() == [1]
    assert {c["id"]: c["name"] for c in coco.loadCats(coco.getCatIds())} == {c.id: c.name for c in CLASSES[1:]}
    check_image(coco, 1, parsing, "a.jpg")


@given(several=st.lists(parsings(), min_size=1, max_size=4))
def test_joined_documents_are_one_data_set(several: list[Parsing]) -> None:
    document = join_coco(coco_document(parsing, f"{i}.jpg") for i, parsing in enumerate(several))
    coco = read_coco(document)
    assert coco.getImgIds() == list(range(1, len(several) + 1))
    assert [a["id"] for a in document["annotations"]] == list(range(1, len(document["annotations"]) + 1))
    for i, parsing in enumerate(several):
        check_image(coco, i + 1, parsing, f"{i}.jpg")


def test_nothing_joined_is_nothing() -> None:
    assert join_coco([]) == {}
