"""Masks: every person and part once, and the zip of them says the same as the Parsing."""

from __future__ import annotations

import json
from io import BytesIO
from zipfile import ZipFile

import numpy as np
from hypothesis import given
from PIL import Image

from humanparse.exports.masks import INDEX, mask_files, part_mask
from humanparse.exports.zips import write_zip
from humanparse.records import Parsing
from tests.parsings import parsings


@given(parsing=parsings())
def test_part_masks_are_the_pixels_of_the_part_and_nothing_else(parsing: Parsing) -> None:
    for person in parsing.persons:
        for part in person.parts:
            expected = (parsing.people == person.number) & (parsing.labels == part.id)
            assert np.array_equal(part_mask(parsing, person, part), expected)


@given(parsing=parsings())
def test_the_zip_gives_both_maps_back(parsing: Parsing) -> None:
    people, labels = np.zeros(parsing.size, np.uint8), np.zeros(parsing.size, np.uint8)
    with ZipFile(BytesIO(write_zip(mask_files(parsing)))) as archive:
        assert archive.testzip() is None
        index = json.loads(archive.read(INDEX))
        rows = index["masks"]
        assert {row["file"] for row in rows} | {INDEX} == set(archive.namelist())
        assert len(rows) == sum(1 + len(person.parts) for person in parsing.persons)
        for row in rows:
            image = np.asarray(Image.open(BytesIO(archive.read(row["file"]))))
            assert set(np.unique(image)) <= {0, 255}
            if row["part"] is None:
                people[image == 255] = row["person"]
            else:
                labels[image == 255] = row["part"]
    assert index["image"] == {"width": parsing.size[1], "height": parsing.size[0]}
    assert np.array_equal(people, parsing.people)
    assert np.array_equal(labels, parsing.labels)


@given(parsing=parsings())
def test_the_same_parsing_is_the_same_zip(parsing: Parsing) -> None:
    assert write_zip(mask_files(parsing)) == write_zip(mask_files(parsing))
