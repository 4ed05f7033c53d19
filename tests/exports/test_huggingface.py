"""Hugging Face's shape, read by huggingface_hub's own types."""

from __future__ import annotations

import json
from base64 import b64decode
from io import BytesIO

import numpy as np
from huggingface_hub import ImageSegmentationOutputElement
from hypothesis import given
from PIL import Image

from humanparse.exports.huggingface import huggingface_segments
from humanparse.labels import NAMES
from humanparse.records import Parsing
from tests.parsings import parsings


@given(parsing=parsings())
def test_huggingface_hub_reads_the_parsing_back(parsing: Parsing) -> None:
    text = json.dumps(huggingface_segments(parsing))
    elements = ImageSegmentationOutputElement.parse_obj_as_list(text)
    people, labels = np.zeros(parsing.size, np.uint8), np.zeros(parsing.size, np.uint8)
    for element in elements:
        mask = Image.open(BytesIO(b64decode(element.mask)))
        assert mask.mode == "L"
        assert element.score is not None and 0 <= element.score <= 1
        inside = np.asarray(mask) == 255
        people[inside], labels[inside] = element["person"], NAMES.index(element.label)
    assert np.array_equal(people, parsing.people)
    assert np.array_equal(labels, parsing.labels)
