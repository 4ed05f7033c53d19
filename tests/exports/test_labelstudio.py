"""Label Studio's brush masks, read by a decoder of our own after the published one of thi.ng/rle-pack.

The official decoder (label_studio_sdk.converter.brush) brings a second OpenCV that would overwrite
ours, so it is no dependency; what its encoder wrote for one mask stands below and proves the decoder here.
"""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from humanparse.exports.labelstudio import encode_brush, labelstudio_tasks
from humanparse.labels import NAMES
from humanparse.records import Parsing
from tests.parsings import parsings

# Written by label_studio_sdk 2.1.2, `brush.mask2rle`, for the mask of `official_mask`
OFFICIAL = [0, 0, 0, 132, 57, 27, 254, 51, 0, 195, 127, 243, 128, 71, 255, 137, 192, 0]


def official_mask() -> NDArray[np.bool_]:
    mask = np.zeros((3, 11), np.bool_)
    mask[1, 2:9] = mask[2, 0] = True
    return mask


def decode_brush(rle: list[int]) -> NDArray[np.uint8]:
    """Any rle-pack stream of 8-bit words, literal runs too, to its (N,) bytes."""
    bits = "".join(f"{byte:08b}" for byte in rle)
    place = 0

    def read(width: int) -> int:
        nonlocal place
        place += width
        return int(bits[place - width : place], 2)

    count, word = read(32), read(5) + 1
    sizes = [read(4) + 1 for _ in range(4)]
    out: list[int] = []
    while len(out) < count:
        repeated, size = read(1), sizes[read(2)]
        length = read(size) + 1
        out += [read(word)] * length if repeated else [read(word) for _ in range(length)]
    assert len(out) == count
    assert len(bits) - place < 16, "only the last bytes may be padding"
    return np.array(out, np.uint8)


def read_mask(rle: list[int], size: tuple[int, int]) -> NDArray[np.bool_]:
    rgba = decode_brush(rle).reshape(*size, 4)
    assert set(np.unique(rgba)) <= {0, 255}
    return np.asarray(rgba[..., 3] == 255)


def test_the_decoder_here_reads_what_label_studio_wrote() -> None:
    assert np.array_equal(read_mask(OFFICIAL, (3, 11)), official_mask())


def test_ours_is_what_label_studio_writes() -> None:
    ours = encode_brush(official_mask())
    assert ours == OFFICIAL[: len(ours)]
    assert not any(OFFICIAL[len(ours) :])  # it pads whole bytes too


@given(parsing=parsings())
def test_the_task_gives_both_maps_back(parsing: Parsing) -> None:
    (task,) = json.loads(json.dumps(labelstudio_tasks(parsing, "a.jpg")))
    assert task["data"] == {"image": "a.jpg"}
    (prediction,) = task["predictions"]
    people, labels = np.zeros(parsing.size, np.uint8), np.zeros(parsing.size, np.uint8)
    for region in prediction["result"]:
        assert (region["original_height"], region["original_width"]) == parsing.size
        inside = read_mask(region["value"]["rle"], parsing.size)
        (label,) = region["value"]["brushlabels"]
        labels[inside] = NAMES.index(label)
        people[inside] = int(region["meta"]["text"][0].removeprefix("Person "))
    assert np.array_equal(people, parsing.people)
    assert np.array_equal(labels, parsing.labels)
    assert len({region["id"] for region in prediction["result"]}) == len(prediction["result"])
    assert 0 <= prediction["score"] <= 1


@given(lengths=st.lists(st.sampled_from([1, 2, 3, 4, 5, 64, 65, 16384, 16385, 40_000]), min_size=1, max_size=6))
def test_runs_of_every_length_come_back(lengths: list[int]) -> None:
    mask = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)[None]
    rle = encode_brush(mask)
    assert np.array_equal(read_mask(rle, (1, mask.size)), mask)
