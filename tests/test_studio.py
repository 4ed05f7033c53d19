"""From bytes to pictures: options, the size that is worked on, parts, the cache."""

from __future__ import annotations

import io
import zipfile
from base64 import b64decode

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from humanparse.cache.parsings import HIT, MISS, open_cache
from humanparse.config import Settings
from humanparse.effects import ART
from humanparse.errors import InvalidOption, UnsupportedFormat
from humanparse.pipeline import Pipeline
from humanparse.studio import Studio, describe_stylized, zip_stylized
from humanparse.stylize_options import StylizeOptions
from tests.band_parser import HEAD, BandParser


def make(settings: Settings) -> Studio:
    return Studio(settings, Pipeline(settings, lambda *_: BandParser(), open_cache(settings)))


@pytest.fixture
def studio(settings: Settings) -> Studio:
    return make(settings)


@pytest.fixture(scope="module")
def png() -> bytes:
    noise = np.random.default_rng(5).integers(0, 256, (12, 16, 3), np.uint8)
    return cv2.imencode(".png", cv2.resize(noise, (160, 120), interpolation=cv2.INTER_CUBIC))[1].tobytes()


def read(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1], np.uint8)


def options(**given: object) -> StylizeOptions:
    return StylizeOptions.from_strings({"image_format": "png", **given}, Settings())


def test_only_what_was_chosen_changes(studio: Studio, png: bytes) -> None:
    image = read(png)
    made = studio.stylize(png, options(effect="invert", only="face", feather=0))
    face = BandParser().parse(image).labels == HEAD
    assert np.array_equal(read(made.pictures["invert"]), np.where(face[..., None], 255 - image, image))
    assert made.coverage == pytest.approx(face.mean(), abs=1e-4)
    soft = read(studio.stylize(png, options(effect="invert", only="face", feather=8)).pictures["invert"])
    assert not np.array_equal(soft, read(made.pictures["invert"]))


def test_what_is_not_there_changes_nothing(studio: Studio, png: bytes) -> None:
    made = studio.stylize(png, options(effect="oil", only="hat"))
    assert made.coverage == 0
    assert np.array_equal(read(made.pictures["oil"]), read(png))


def test_all_four_at_once(studio: Studio, png: bytes) -> None:
    made = studio.stylize(png, options(effect="all"))
    assert tuple(made.pictures) == ART
    body = describe_stylized(made)
    assert [row["effect"] for row in body["pictures"]] == list(ART)
    assert read(b64decode(body["pictures"][2]["data"])).shape == (120, 160, 3)
    with zipfile.ZipFile(io.BytesIO(zip_stylized(made))) as archive:
        assert archive.namelist() == [f"{name}.png" for name in ART]
        assert archive.read("oil.png") == made.pictures["oil"]


def test_large_photos_are_made_smaller(settings: Settings, png: bytes) -> None:
    made = make(Settings(stylize_pixels=5000, cache_bytes=0)).stylize(png, options(effect="grey", only="person"))
    assert made.size[0] * made.size[1] <= 5000
    assert made.size[1] / made.size[0] == pytest.approx(160 / 120, rel=0.05)
    assert read(made.pictures["grey"]).shape[:2] == made.size
    del settings


def test_the_same_again_comes_from_the_cache(studio: Studio, png: bytes) -> None:
    first = studio.stylize(png, options(effect="oil"))
    again = studio.stylize(png, options(effect="oil"))
    more = studio.stylize(png, options(effect="oil,grey"))
    assert (first.cache, again.cache, more.cache) == (MISS, HIT, MISS)
    assert again.pictures == first.pictures
    assert again.timing_ms == {"total": 0}, "who is answered from the cache does not even wait"
    assert set(more.timing_ms) == {"wait", "decode", "grey", "encode", "total"}


@pytest.mark.parametrize(
    "other",
    [{"size": 2}, {"only": "person"}, {"except": "face"}, {"people": "1"}, {"image_format": "webp"},
     {"only": "person", "feather": 3}],
)  # fmt: skip
def test_whatever_changes_the_picture_is_not_mixed_up(studio: Studio, png: bytes, other: dict[str, object]) -> None:
    first = studio.stylize(png, options(effect="oil"))
    changed = studio.stylize(png, options(effect="oil", **other))
    assert changed.cache == MISS
    assert changed.pictures != first.pictures


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"effect": ""},
        {"effect": "magic"},
        {"effect": ["oil", 3]},
        {"effect": "oil", "sigma_s": 4},
        {"effect": "oil,pencil", "size": 4},
        {"effect": "oil", "format": "pdf"},
        {"effect": "oil", "image_format": "zip"},
        {"effect": "oil", "parser": "magic"},
        {"effect": "oil", "only": "nose"},
        {"effect": "oil", "feather": "wide"},
        {"effect": "oil", "colour": "red"},
    ],
)
def test_options_that_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(InvalidOption):
        StylizeOptions.from_strings(given, Settings())


def test_the_same_effect_twice_is_one() -> None:
    assert options(effect="oil,all,oil").effects == ("oil", "pencil", "pencil_color", "watercolor")


def test_input_is_checked_as_everywhere(studio: Studio) -> None:
    with pytest.raises(UnsupportedFormat):
        studio.stylize(b"no photo", options(effect="oil"))
