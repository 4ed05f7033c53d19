"""A Parsing in other forms says the same as the Parsing."""

from __future__ import annotations

import json
from base64 import b64decode
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from humanparse.exports import describe
from humanparse.keypoints import KEYPOINT_NAMES
from humanparse.labels import NAMES
from humanparse.options import INCLUDES
from humanparse.records import Parsing
from tests.band_parser import BandParser
from tests.exports.test_maps import read_palette_png


@pytest.fixture
def parsing() -> Parsing:
    return BandParser().parse(np.random.default_rng(3).integers(0, 256, (50, 80, 3), np.uint8))


def test_the_description_is_plain_json_that_repeats_the_records(parsing: Parsing) -> None:
    answer = json.loads(json.dumps(describe(parsing)))
    assert answer["num_persons"] == len(answer["people"]) == 2
    assert answer["parts_detected"] == ["UpperClothes", "Pants", "Face"]
    assert answer["image"] == {"width": 80, "height": 50}
    assert answer["parser"] == {"name": "bands", "version": "1"}
    for person, said in zip(parsing.persons, answer["people"], strict=True):
        assert (said["id"], said["area"], said["score"]) == (person.number, person.area, person.score)
        assert tuple(said["box"]) == person.box
        assert [part["name"] for part in said["parts"]] == [NAMES[part.id] for part in person.parts]
        assert sum(part["area"] for part in said["parts"]) == said["area"]


def test_nothing_is_included_unasked(parsing: Parsing) -> None:
    text = json.dumps(describe(parsing))
    assert not any(f'"{key}' in text for key in ("label_map", "people_map", "mask", "rle", "polygons", "keypoints"))


def test_key_points_come_in_the_order_of_their_names(parsing: Parsing) -> None:
    answer = json.loads(json.dumps(describe(parsing, frozenset({"keypoints"}))))
    assert answer["keypoint_names"] == list(KEYPOINT_NAMES)
    for person, said in zip(parsing.persons, answer["people"], strict=True):
        assert said["keypoints"] == [[x, y, score] for x, y, score in person.keypoints]
        assert len(said["keypoints"]) == 17


def test_masks_rle_and_polygons_are_the_same_pixels(parsing: Parsing) -> None:
    answer = describe(parsing, frozenset(INCLUDES))
    for person in answer["people"]:
        for part in person["parts"]:
            expected = (parsing.people == person["id"]) & (parsing.labels == part["id"])
            mask = np.asarray(Image.open(BytesIO(b64decode(part["mask"]))))
            assert np.array_equal(mask == 255, expected)
            assert np.array_equal(coco_mask.decode(part["rle"]) == 1, expected)
            drawn = np.zeros(parsing.size, np.uint8)
            outlines = [np.array(outline).reshape(-1, 1, 2) for outline in part["polygons"]]
            cv2.drawContours(drawn, outlines, -1, 1, cv2.FILLED)
            assert np.array_equal(drawn == 1, expected)
    ids, _ = read_palette_png(b64decode(answer["label_map"]))
    assert np.array_equal(ids, parsing.labels)
