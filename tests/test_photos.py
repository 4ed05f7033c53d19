"""The photos that recognition is judged on: their classes exist, and they are found where they lie."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from benchmarks.photos import ANIMALS, OPENCV_PHOTOS, SKIMAGE_PHOTOS, find_ranges, webp_pictures
from benchmarks.stamps import STAMPS
from humanparse.layers import RANGE


def test_every_photo_has_classes_that_there_are() -> None:
    tables: list[dict[str, tuple[int, ...]] | dict[int, tuple[int, ...]]] = [
        *ANIMALS.values(),
        OPENCV_PHOTOS,
        SKIMAGE_PHOTOS,
        STAMPS,
    ]
    rights = [right for table in tables for right in table.values()]
    assert len(rights) == 110
    assert all(right and all(0 <= id < 1000 for id in right) for right in rights)


def test_webp_pictures_are_found_among_other_bytes() -> None:
    def picture(shade: int) -> bytes:
        stream = BytesIO()
        Image.new("RGB", (30, 20), (shade, 9, 9)).save(stream, "webp")
        return stream.getvalue()

    sound = b"RIFF" + (4).to_bytes(4, "little") + b"WAVE"
    made = [picture(9), picture(200)]
    assert list(webp_pictures(b"qres\0" + made[0] + sound + b"names" + made[1])) == made


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_ranges_of_int8_are_those_of_the_pictures() -> None:
    rng = np.random.default_rng(3)
    ranges = find_ranges([rng.integers(0, 256, (260, 260, 3), np.uint8) for _ in range(2)])
    assert ranges[RANGE + "image"] == pytest.approx([-127 / 128, 1])
    assert all(low == 0 for low, high in (ranges[RANGE + key] for key in ("stem", "blocks.0.depthwise", "head")))
    assert all(low <= high for low, high in ranges.values())
