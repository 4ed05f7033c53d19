"""What is kept gives back what was answered."""

from __future__ import annotations

import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from humanparse.config import Settings
from humanparse.encoding import encode_jpeg
from humanparse.errors import NotFound
from humanparse.exports import describe
from humanparse.images import MAX_SIDE
from humanparse.kept import MADE, STORED, _restore, decode_kept, keep, make_file
from humanparse.options import ParseOptions
from humanparse.pipeline import Pipeline

OPTIONS = ParseOptions(alpha=0.25, outline=False, palette="voc")


@pytest.fixture
def kept(pipeline: Pipeline, photo: bytes) -> tuple[dict[str, bytes], Pipeline]:
    return keep(pipeline.parse(photo, OPTIONS)), pipeline


def test_the_parsing_comes_back_whole(
    kept: tuple[dict[str, bytes], Pipeline], photo: bytes, settings: Settings
) -> None:
    files, pipeline = kept
    answer = pipeline.parse(photo, OPTIONS)
    again = _restore(files.__getitem__, settings)
    assert np.array_equal(again.parsing.labels, answer.parsing.labels)
    assert np.array_equal(again.parsing.people, answer.parsing.people)
    everything = frozenset({"keypoints", "rle", "polygons"})
    assert describe(again.parsing, everything) == describe(answer.parsing, everything)
    assert (again.options.alpha, again.options.outline, again.options.palette) == (0.25, False, "voc")
    assert np.abs(again.overlay.astype(int) - answer.overlay).mean() < 3  # the photo is kept as a JPEG


def test_every_file_can_be_made(kept: tuple[dict[str, bytes], Pipeline], settings: Settings) -> None:
    for file in (*STORED, *MADE):
        data, content_type = make_file(kept[0].__getitem__, file, settings)
        assert data
        assert content_type.startswith(("image/", "application/"))
    coco = json.loads(make_file(kept[0].__getitem__, "coco.json", settings)[0])
    assert coco["images"][0]["file_name"] == "photo.jpg"
    data, _ = make_file(kept[0].__getitem__, "person-2-5.png", settings)
    assert Image.open(BytesIO(data)).mode == "RGBA"


def test_a_photo_that_is_longer_than_strangers_may_be_comes_back() -> None:
    """HUMANPARSE_MAX_SIDE may let longer ones in than the usual limit."""
    assert decode_kept(encode_jpeg(np.zeros((2, MAX_SIDE + 1, 3), np.uint8))).shape == (2, MAX_SIDE + 1, 3)


@pytest.mark.parametrize(
    "file", ["options.json", "person-7.png", "person-1-19.png", "person-0.png", "../x", "person-1.jpg"]
)
def test_there_are_no_others(kept: tuple[dict[str, bytes], Pipeline], settings: Settings, file: str) -> None:
    with pytest.raises(NotFound):
        make_file(kept[0].__getitem__, file, settings)
