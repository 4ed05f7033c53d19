"""Laws of every effect: size and type kept, input left alone, small and even photos right, tiles not to be seen."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from humanparse.effects import ART, EFFECTS, apply_effect, choose_values, local
from humanparse.effects.contract import USUAL_SIDE
from humanparse.effects.tiles import Piece, in_tiles
from humanparse.errors import InvalidOption

Image = NDArray[np.uint8]
LOCAL: dict[str, tuple[Piece, object, object]] = {
    "grey": (local.grey, None, None),
    "sepia": (local.sepia, None, None),
    "blur": (local.blur, local.blur_reach, local.blur_factor),
    "pixelate": (local.pixelate, None, local.pixelate_unit),
    "cartoon": (local.cartoon, local.cartoon_reach, local.cartoon_factor),
    "edges": (local.edges, local.edges_reach, None),
    "emboss": (local.emboss, lambda values: 2, None),
    "sharpen": (local.sharpen, local.sharpen_reach, None),
    "posterize": (local.posterize, None, None),
    "invert": (local.invert, None, None),
    "vignette": (local.vignette, None, None),
}
WHOLE = {"pencil", "pencil_color", "watercolor", "oil"}


@pytest.fixture(scope="module")
def photo_image() -> Image:
    from skimage import data

    return np.ascontiguousarray(data.astronaut()[:300, 60:437])


def paint(name: str, image: Image) -> Image:
    return apply_effect(name, image, choose_values(name, {}, (image.shape[0], image.shape[1])))


def test_every_effect_is_named_in_both_languages_and_in_one_of_the_two_ways() -> None:
    assert set(LOCAL) | WHOLE == set(EFFECTS)
    assert set(ART) <= set(EFFECTS)
    assert len({effect.name for effect in EFFECTS.values()}) == len(EFFECTS)
    assert all("\u4e00" <= letter <= "\u9fff" for effect in EFFECTS.values() for letter in effect.name_zh)
    told = [parameter.help_zh for effect in EFFECTS.values() for parameter in effect.parameters]
    assert all("\u4e00" <= text[0] <= "\u9fff" for text in told)


@pytest.mark.parametrize("name", EFFECTS)
def test_size_and_type_are_kept_and_the_photo_is_left_alone(name: str, photo_image: Image) -> None:
    before = photo_image.copy()
    made = paint(name, photo_image)
    assert (made.shape, made.dtype) == (photo_image.shape, np.uint8)
    assert np.array_equal(photo_image, before)
    assert np.array_equal(made, paint(name, photo_image))
    assert not np.array_equal(made, photo_image)


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 3), (9, 9)])
def test_the_smallest_photos_work(name: str, size: tuple[int, int]) -> None:
    image = np.random.default_rng(4).integers(0, 256, (*size, 3), np.uint8)
    assert paint(name, image).shape == image.shape


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (40, 90, 200)])
def test_an_even_photo_stays_even(name: str, colour: tuple[int, int, int]) -> None:
    image = np.full((50, 70, 3), colour, np.uint8)
    made = paint(name, image)
    if name == "vignette":
        assert np.abs(made[25, 35].astype(int) - colour).max() <= 1
        return
    # the pencil's boxes are cut off by the border: the middle has the tone of the paper
    inner = made[20:30, 30:40] if name.startswith("pencil") else made
    assert np.ptp(inner.astype(int), axis=(0, 1)).max() <= (12 if name.startswith("pencil") else 0)
    if name in ("oil", "watercolor", "blur", "pixelate", "sharpen"):
        assert np.array_equal(made, image)


@pytest.mark.parametrize("size", [700, 1700, 3000])
@pytest.mark.parametrize("name", LOCAL)
def test_tiles_cannot_be_seen(name: str, size: int, photo_image: Image) -> None:
    piece, reach, multiple = LOCAL[name]
    values = choose_values(name, {}, (size, size))
    more = {key: value for key, value in (("reach", reach), ("multiple", multiple)) if value is not None}
    whole, tiled = np.empty_like(photo_image), np.empty_like(photo_image)
    in_tiles(piece, side=10_000, **more)(photo_image, values, whole, None)  # type: ignore[arg-type]
    in_tiles(piece, side=67, **more)(photo_image, values, tiled, None)  # type: ignore[arg-type]
    assert np.abs(whole.astype(int) - tiled).max() <= (1 if name in ("cartoon", "edges", "emboss", "vignette") else 0)
    assert (whole != tiled).mean() < 0.001


@pytest.mark.parametrize("name", LOCAL)
def test_tiles_that_nobody_wants_are_not_computed(name: str, photo_image: Image) -> None:
    piece, _, multiple = LOCAL[name]
    seen: list[tuple[int, int]] = []

    def spy(part: Image, values: object, place: object) -> Image:
        seen.append((place.top, place.left))  # type: ignore[attr-defined]
        return piece(part, values, place)  # type: ignore[arg-type]

    mask = np.zeros(photo_image.shape[:2], np.uint8)
    mask[250:260, 20:30] = 1
    values = choose_values(name, {}, (700, 700))
    more = {} if multiple is None else {"multiple": multiple}
    in_tiles(spy, side=80, **more)(photo_image, values, np.empty_like(photo_image), mask)  # type: ignore[arg-type]
    assert len(seen) <= 2


@pytest.mark.parametrize(("size", "levels"), [(1, 8), (3, 32), (20, 128), (6, 48)])
def test_oil_is_opencv_s(size: int, levels: int) -> None:
    """oil.npz: `cv2.xphoto.oilPainting(photo, size, round(256 / levels), cv2.COLOR_RGB2GRAY)` of contrib 5.0.0."""
    with np.load(Path(__file__).with_name("oil.npz")) as golden:
        photo, theirs = golden["photo"], golden[f"size_{size}_levels_{levels}"]
    assert np.array_equal(apply_effect("oil", photo, {"size": size, "levels": levels}), theirs)


def test_oil_leaves_rows_out_that_nobody_wants(photo_image: Image) -> None:
    mask = np.zeros(photo_image.shape[:2], np.uint8)
    mask[100:120, 5] = 1
    values = choose_values("oil", {}, (720, 720))
    made, whole = (apply_effect("oil", photo_image, values, given) for given in (mask, None))
    assert np.array_equal(made[100:120], whole[100:120])


@pytest.mark.parametrize("sigma", [0.3, 3, 8, 11.5, 20, 33])
def test_the_blur_is_gauss_s(photo_image: Image, sigma: float) -> None:
    side = 2 * int(np.ceil(3 * sigma)) + 1
    theirs = cv2.GaussianBlur(photo_image, (side, side), sigma, borderType=cv2.BORDER_REPLICATE)
    apart = np.abs(apply_effect("blur", photo_image, {"sigma": sigma}).astype(int) - theirs)
    assert apart.mean() < 1
    away = int(np.ceil(2 * sigma))  # at the border, pixels of the smaller picture are repeated for those of the photo
    assert apart[away:-away, away:-away].max() <= 5


def test_pixelate_is_the_mean_of_each_square(photo_image: Image) -> None:
    made = apply_effect("pixelate", photo_image, {"block": 50})
    for y, x in ((0, 0), (250, 350)):
        square = photo_image[y : y + 50, x : x + 50].reshape(-1, 3)
        assert np.abs(made[y, x] - square.mean(axis=0)).max() <= 0.51
        assert (made[y : y + 50, x : x + 50] == made[y, x]).all()


def test_defaults_in_pixels_grow_with_the_photo() -> None:
    usual, large, small = (choose_values("oil", {}, size) for size in ((USUAL_SIDE, 900), (2880, 4000), (90, 90)))
    assert (usual["size"], large["size"], small["size"]) == (4, 16, 1)
    assert usual["levels"] == large["levels"] == 48
    assert choose_values("oil", {"size": "7"}, (2880, 4000))["size"] == 7


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("oil", {"size": 0}),
        ("oil", {"size": "21"}),
        ("oil", {"size": "2.5"}),
        ("oil", {"size": "nan"}),
        ("oil", {"size": True}),
        ("oil", {"size": None}),
        ("oil", {"sigma_s": 3}),
        ("grey", {"size": 3}),
        ("pencil", {"shade_factor": "1e999"}),
    ],
)
def test_parameters_that_are_refused(name: str, given: dict[str, object]) -> None:
    with pytest.raises(InvalidOption):
        choose_values(name, given, (100, 100))


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("end", ["low", "high"])
def test_both_ends_of_every_parameter_work(name: str, end: str, photo_image: Image) -> None:
    values = {parameter.name: getattr(parameter, end) for parameter in EFFECTS[name].parameters}
    small = np.ascontiguousarray(photo_image[::4, ::4])
    assert apply_effect(name, small, values).shape == small.shape
