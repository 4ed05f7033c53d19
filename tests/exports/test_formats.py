"""The table of formats: every one writes, and is what its media type says."""

from __future__ import annotations

import json
from io import BytesIO
from zipfile import is_zipfile

import numpy as np
import pytest
from PIL import Image

from humanparse.exports import FORMATS, Parsed
from humanparse.exports.formats import OVERLAYS
from humanparse.labels import PALETTES
from humanparse.records import Parsing
from tests.band_parser import BandParser


@pytest.fixture
def parsed() -> Parsed:
    image = np.random.default_rng(3).integers(0, 256, (50, 80, 3), np.uint8)
    return Parsed("a.jpg", BandParser().parse(image), "cihp", image, lambda: image)


@pytest.fixture
def nobody(parsed: Parsed) -> Parsed:
    nothing = np.zeros((50, 80), np.uint8)
    return Parsed(
        "b.jpg", Parsing.from_maps(nothing, nothing, nothing, BandParser().info), "cihp", parsed.image, parsed.draw
    )


@pytest.mark.parametrize("who", ["parsed", "nobody"])
@pytest.mark.parametrize("name", FORMATS)
def test_a_file_is_what_its_media_type_says(name: str, who: str, request: pytest.FixtureRequest) -> None:
    format = FORMATS[name]
    data = format.write(request.getfixturevalue(who))
    if format.media_type.startswith("image/"):
        image = Image.open(BytesIO(data))
        assert image.get_format_mimetype() == format.media_type
        assert image.size == (80, 50)
    elif format.media_type == "application/json":
        json.loads(data)
    elif format.media_type == "application/zip":
        assert is_zipfile(BytesIO(data))
    else:
        assert format.media_type.startswith("text/")
        data.decode("ascii")


def test_png_overlays_are_exact_and_the_others_near(parsed: Parsed) -> None:
    flat = np.full((50, 80, 3), (90, 120, 200), np.uint8)
    for name in OVERLAYS:
        read = np.asarray(
            Image.open(BytesIO(FORMATS[name].write(Parsed("", parsed.parsing, "cihp", flat, lambda: flat))))
        )
        assert np.abs(read.astype(int) - flat).max() <= (0 if name == "png" else 4)


def test_the_label_map_takes_the_palette_that_was_asked_for(parsed: Parsed) -> None:
    palette = Image.open(BytesIO(FORMATS["label_map"].write(parsed))).getpalette()
    assert palette is not None
    assert palette[:60] == PALETTES["cihp"].ravel().tolist()


@pytest.mark.parametrize("name", [name for name, format in FORMATS.items() if format.join])
def test_joined_files_hold_every_photo(name: str, parsed: Parsed, nobody: Parsed) -> None:
    format = FORMATS[name]
    assert format.join is not None
    joined = json.loads(format.join([format.write(parsed), format.write(nobody)]))
    text = json.dumps(joined)
    assert "a.jpg" in text
    assert "b.jpg" in text
