"""Cut-outs: the photo inside, nothing outside."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image

from humanparse.exports.cutouts import cutout_files, cutout_png
from humanparse.exports.masks import part_mask, person_mask
from tests.band_parser import BandParser

IMAGE = np.random.default_rng(3).integers(1, 256, (48, 64, 3), np.uint8)
PARSING = BandParser().parse(IMAGE)


def read(png: bytes) -> np.ndarray:
    with Image.open(BytesIO(png)) as picture:
        assert picture.mode == "RGBA"
        return np.asarray(picture)


def test_a_person_is_cut_out_as_it_is() -> None:
    for person in PARSING.persons:
        for part in (None, *person.parts):
            cut = read(cutout_png(IMAGE, PARSING, person, part))
            x0, y0, x1, y1 = part.box if part else person.box
            mask = (part_mask(PARSING, person, part) if part else person_mask(PARSING, person))[y0:y1, x0:x1]
            assert np.array_equal(cut[..., 3] == 255, mask)
            assert np.array_equal(cut[..., 3] == 0, ~mask)
            assert np.array_equal(cut[mask][:, :3], IMAGE[y0:y1, x0:x1][mask])
            assert not cut[~mask].any()  # under the transparency there is nothing to find


def test_everybody_and_every_part_is_cut_out() -> None:
    files = dict(cutout_files(IMAGE, PARSING))
    assert len(files) == sum(1 + len(person.parts) for person in PARSING.persons)
    assert files["person-1.png"] == cutout_png(IMAGE, PARSING, PARSING.persons[0])
