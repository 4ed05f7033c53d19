"""The compositor's laws, for photos of any size and strides; one golden picture."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from humanparse.labels import NAMES, NUM_CLASSES, PALETTE
from utils import OUTLINE, colorize, compose_overlay, flatten_masks, generate_colored_parsing

Image = NDArray[np.uint8]
Scene = tuple[Image, Image, Image]

SIDES = st.integers(1, 17)
ALPHAS = st.integers(0, 100).map(lambda n: n / 100)
VIEWS = (  # the same pixels with other strides
    lambda a: a,
    lambda a: np.asfortranarray(a),
    lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Image, labels and people of one size: blocks of classes, of nobody and of up to 255 people."""
    height, width = draw(SIDES), draw(SIDES)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    block, crowd = draw(st.sampled_from([1, 3, 6])), draw(st.sampled_from([1, 2, 5, 255]))
    image = random.integers(0, 256, (height, width, 3), np.uint8)
    coarse = (-(-height // block), -(-width // block))
    people = random.integers(0, crowd + 1, coarse).astype(np.uint8)
    labels = np.where(people > 0, random.integers(1, NUM_CLASSES, coarse), 0).astype(np.uint8)
    labels, people = (np.kron(m, np.ones((block, block), np.uint8))[:height, :width] for m in (labels, people))
    view = draw(st.sampled_from(VIEWS))
    return view(image), view(labels), view(people)


@st.composite
def mask_lists(draw: st.DrawFn) -> tuple[list[NDArray[Any]], list[int], tuple[int, int]]:
    """Rectangles that may overlap, in any of the dtypes; their classes; their size."""
    height, width = draw(SIDES), draw(SIDES)
    masks, labels = [], []
    for _ in range(draw(st.integers(0, 6))):
        y, x = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        mask = np.zeros((height, width), draw(st.sampled_from([np.bool_, np.uint8, np.int64, np.float32])))
        mask[y : draw(st.integers(y, height)), x : draw(st.integers(x, width))] = 1
        masks.append(mask)
        labels.append(draw(st.integers(0, NUM_CLASSES - 1)))
    return masks, labels, (height, width)


def border_distance(people: Image) -> NDArray[np.int_]:
    """Chessboard distance of each pixel to the nearest one with another number; slow and plain."""
    height, width = people.shape
    rows, columns = np.mgrid[:height, :width].reshape(2, -1)
    apart = np.maximum(abs(rows[:, None] - rows), abs(columns[:, None] - columns))
    numbers = people.ravel()
    return np.where(numbers[:, None] == numbers, height + width + 9, apart).min(axis=1).reshape(height, width)


# colorize


@given(scenes())
def test_colouring_is_a_table_lookup(scene: Scene) -> None:
    _, labels, _ = scene
    coloured = colorize(labels)
    assert np.array_equal(coloured, PALETTE[labels])
    assert coloured.dtype == np.uint8
    assert coloured.flags.c_contiguous


@given(arrays(np.uint8, (5, 7)), arrays(np.uint8, (256, 3)))
def test_a_palette_may_have_a_colour_for_every_value(labels: Image, palette: Image) -> None:
    assert np.array_equal(colorize(labels, palette), palette[labels])


# compose_overlay: laws


@given(scenes(), st.booleans())
def test_alpha_0_gives_the_photo_back(scene: Scene, outline: bool) -> None:
    image, labels, people = scene
    overlay = compose_overlay(image, labels, people, alpha=0, outline=outline)
    assert np.array_equal(overlay, image)
    assert not np.shares_memory(overlay, image)
    assert overlay.flags.c_contiguous


@given(scenes())
def test_alpha_1_gives_the_same_class_the_same_colour_anywhere(scene: Scene) -> None:
    image, labels, _ = scene
    assert np.array_equal(
        compose_overlay(image, labels, alpha=1), np.where(labels[..., None] > 0, PALETTE[labels], image)
    )


@given(scenes(), ALPHAS)
def test_background_is_the_photo_with_or_without_outlines(scene: Scene, alpha: float) -> None:
    image, labels, people = scene
    overlay = compose_overlay(image, labels, people, alpha=alpha)
    assert np.array_equal(overlay[labels == 0], image[labels == 0])


@given(scenes(), ALPHAS)
def test_a_blend_is_the_weighted_mean(scene: Scene, alpha: float) -> None:
    image, labels, _ = scene
    mean = (1 - alpha) * image + alpha * PALETTE[labels].astype(float)
    overlay = compose_overlay(image, labels, alpha=alpha)
    assert np.abs(overlay - mean)[labels > 0].max(initial=0) < 0.5001


@given(scenes(), ALPHAS, ALPHAS)
def test_more_alpha_is_nowhere_farther_from_the_colour(scene: Scene, one: float, other: float) -> None:
    image, labels, _ = scene
    less, more = (compose_overlay(image, labels, alpha=a).astype(int) for a in sorted((one, other)))
    inside = labels > 0
    colour = PALETTE[labels].astype(int)
    assert np.all(abs(more - colour)[inside] <= abs(less - colour)[inside])


@given(scenes(), ALPHAS, st.booleans())
def test_inputs_are_not_modified_and_the_result_is_ones_own(scene: Scene, alpha: float, outline: bool) -> None:
    before = [array.copy() for array in scene]
    for array in scene:
        array.setflags(write=False)
    image, labels, people = scene
    overlay = compose_overlay(image, labels, people, alpha=alpha, outline=outline)
    assert all(np.array_equal(array, copy) for array, copy in zip(scene, before, strict=True))
    assert overlay.shape == image.shape
    assert overlay.dtype == np.uint8
    assert overlay.flags.c_contiguous
    assert overlay.flags.writeable


@given(scenes(), ALPHAS)
def test_strides_do_not_matter(scene: Scene, alpha: float) -> None:
    contiguous = tuple(np.ascontiguousarray(array) for array in scene)
    assert np.array_equal(compose_overlay(*scene, alpha=alpha), compose_overlay(*contiguous, alpha=alpha))


@pytest.fixture
def opencv_threads() -> Iterator[None]:
    """Gives OpenCV's number of threads back after a test that sets it."""
    before = cv2.getNumThreads()
    yield
    cv2.setNumThreads(before)


@pytest.mark.usefixtures("opencv_threads")
def test_threads_do_not_matter() -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (481, 643, 3), np.uint8)
    people = cv2.resize(random.integers(0, 4, (9, 11), np.uint8), (643, 481), interpolation=cv2.INTER_NEAREST)
    overlays = []
    for threads in (1, 3):
        cv2.setNumThreads(threads)
        overlays.append(compose_overlay(image, people, people))
    assert np.array_equal(*overlays)


# outlines


@given(scenes(), st.sampled_from([0.01, 0.55, 1.0]))
def test_an_outline_is_a_white_line_along_the_inside_and_a_dark_one_beside_it(scene: Scene, alpha: float) -> None:
    image, labels, people = scene
    plain = compose_overlay(image, labels, alpha=alpha)
    outlined = compose_overlay(image, labels, people, alpha=alpha)
    distance = np.where(people > 0, border_distance(people), 99)  # photos this small have lines of one pixel
    assert np.all(outlined[distance == 1] == OUTLINE)
    assert np.array_equal(outlined[distance == 2], plain[distance == 2] // 2)
    assert np.array_equal(outlined[distance > 2], plain[distance > 2])


@given(scenes())
def test_no_outline_without_people_or_if_unwanted(scene: Scene) -> None:
    image, labels, people = scene
    assert np.array_equal(compose_overlay(image, labels, people, outline=False), compose_overlay(image, labels))


def test_somebody_who_fills_the_photo_has_no_outline() -> None:
    image, labels, people = np.zeros((9, 9, 3), np.uint8), np.full((9, 9), 5, np.uint8), np.ones((9, 9), np.uint8)
    assert np.array_equal(compose_overlay(image, labels, people), compose_overlay(image, labels))


@pytest.mark.parametrize(("side", "times"), [(360, 1), (720, 1), (1070, 1), (1090, 2), (1440, 2), (2160, 3)])
def test_lines_grow_with_the_photos_shorter_side(side: int, times: int) -> None:
    people = np.zeros((side, side + 400), np.uint8)
    people[:, 50:] = 1
    image, labels = np.zeros((*people.shape, 3), np.uint8), people * np.uint8(5)
    row = compose_overlay(image, labels, people)[300]
    plain = compose_overlay(image, labels)[300]
    white, dark = slice(50, 50 + times), slice(50 + times, 50 + 2 * times)
    assert np.all(row[white] == OUTLINE)
    assert np.array_equal(row[dark], plain[dark] // 2)
    assert np.array_equal(row[dark.stop :], plain[dark.stop :])


def test_golden_overlay() -> None:
    """A hat over a face beside a second person; alpha 0.5 and even numbers, so that nothing is rounded."""
    palette = np.zeros((20, 3), np.uint8)
    palette[1], palette[13] = (200, 100, 0), (0, 60, 240)
    image = np.full((4, 7, 3), 40, np.uint8)
    labels = np.array([[0, 1, 1, 1, 1, 1, 1]] * 2 + [[0, 13, 13, 13, 13, 13, 13]] * 2, np.uint8)
    people = np.array([[0, 1, 1, 1, 1, 1, 2]] * 4, np.uint8)
    p, w = [40, 40, 40], [255, 255, 255]
    hat, face = [120, 70, 20], [20, 50, 140]
    dark_hat, dark_face = [60, 35, 10], [10, 25, 70]
    golden = [[p, w, dark_hat, hat, dark_hat, w, w]] * 2 + [[p, w, dark_face, face, dark_face, w, w]] * 2
    assert np.array_equal(compose_overlay(image, labels, people, palette, 0.5), np.array(golden, np.uint8))


# flatten_masks and generate_colored_parsing


@given(mask_lists())
def test_every_pixel_is_of_the_smallest_part_over_it(given_masks: tuple[list[Any], list[int], tuple[int, int]]) -> None:
    masks, labels, size = given_masks
    flat = flatten_masks(masks, labels, size)
    assert flat.shape == size
    assert flat.dtype == np.uint8
    for y, x in np.ndindex(size):
        over = [i for i, mask in enumerate(masks) if mask[y, x] and labels[i]]
        # of equals the last one counts
        assert flat[y, x] == (labels[min(over, key=lambda i: (masks[i].sum(), -i))] if over else 0)


@given(mask_lists(), st.randoms(use_true_random=False))
def test_order_is_nothing_where_areas_differ(
    given_masks: tuple[list[Any], list[int], tuple[int, int]], random: Any
) -> None:
    masks, labels, size = given_masks
    pairs = list({int(mask.sum()): (mask, label) for mask, label in zip(masks, labels, strict=True)}.values())
    shuffled = random.sample(pairs, len(pairs))
    one, other = (flatten_masks([m for m, _ in p], [label for _, label in p], size) for p in (pairs, shuffled))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("order", [1, -1])
def test_a_small_part_on_a_large_one_stays_visible(order: int) -> None:
    large, small = np.ones((8, 8), np.float32), np.zeros((8, 8), np.float32)
    small[2:4, 2:4] = 1
    flat = flatten_masks([large, small][::order], ["Face", "Sunglasses"][::order], (8, 8))
    assert np.array_equal(flat, np.where(small > 0, NAMES.index("Sunglasses"), NAMES.index("Face")))


@given(mask_lists(), ALPHAS, st.sampled_from([PALETTE, PALETTE[::-1]]))
def test_masks_are_composed_as_their_label_map(
    given_masks: tuple[list[Any], list[int], tuple[int, int]], alpha: float, palette: Image
) -> None:
    masks, labels, size = given_masks
    image = np.arange(size[0] * size[1] * 3).reshape(*size, 3).astype(np.uint8)
    overlay = generate_colored_parsing(masks, [NAMES[i] for i in labels], image, palette, alpha)
    assert np.array_equal(overlay, compose_overlay(image, flatten_masks(masks, labels, size), None, palette, alpha))


@settings(max_examples=10)
@given(arrays(np.uint8, st.tuples(SIDES, SIDES, st.just(3))))
def test_no_masks_no_change(image: Image) -> None:
    overlay = generate_colored_parsing([], [], image)
    assert np.array_equal(overlay, image)
    assert not np.shares_memory(overlay, image)


def test_whole_people_and_background_are_no_parts() -> None:
    part, small = np.ones((4, 4), bool), np.zeros((4, 4), bool)
    small[0, 0] = True
    flat = flatten_masks([part, small, small, small], ["Coat", "Human", "Background", 0], (4, 4))
    assert np.all(flat == NAMES.index("Coat"))


@pytest.mark.parametrize(
    ("values", "dtype"),
    [([0, 255], np.uint8), ([0, -1], np.int16), ([0.5, 0.51], np.float32), ([-1, 1], np.float32), ([0, 1], np.bool_)],
)
def test_inside_is_nonzero_or_above_one_half(values: list[float], dtype: type) -> None:
    mask = np.array([values], dtype)
    assert flatten_masks([mask], [np.int64(5)], (1, 2)).tolist() == [[0, 5]]


# refusals: each names what was given

PHOTO, MAP = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint8)


@pytest.mark.parametrize(
    ("given_instead", "message"),
    [
        ({"image": PHOTO.astype(np.float32)}, r"image is \(4, 6, 3\) float32"),
        ({"image": PHOTO[..., 0]}, r"image is \(4, 6\) uint8"),
        ({"image": np.zeros((4, 6, 4), np.uint8)}, r"image is \(4, 6, 4\) uint8"),
        ({"image": np.zeros((0, 6, 3), np.uint8)}, r"image is \(0, 6, 3\) uint8"),
        ({"labels": MAP.T}, r"labels is \(6, 4\) uint8; \(4, 6\) uint8 is expected"),
        ({"labels": MAP.astype(np.int64)}, "labels is .* int64"),
        ({"labels": MAP + np.uint8(20)}, "labels hold id 20, but the palette has 20 rows"),
        ({"labels": np.eye(4, 6, dtype=np.uint8) * np.uint8(20)}, "labels hold id 20"),
        ({"labels": MAP + np.uint8(20), "alpha": 0}, "labels hold id 20"),
        ({"people": MAP[:2]}, r"people is \(2, 6\) uint8; \(4, 6\)"),
        ({"people": MAP > 0}, "people is .* bool"),
        ({"palette": PALETTE[:, :2]}, r"palette is \(20, 2\)"),
        ({"palette": PALETTE[:0]}, r"palette is \(0, 3\)"),
        ({"palette": np.zeros((257, 3), np.uint8)}, "palette has 257 rows"),
        ({"alpha": 1.01}, r"alpha is 1\.01"),
        ({"alpha": -0.1}, r"alpha is -0\.1"),
        ({"alpha": float("nan")}, "alpha is nan"),
    ],
)
def test_what_does_not_fit_is_refused(given_instead: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compose_overlay(**{"image": PHOTO, "labels": MAP, **given_instead})


@pytest.mark.parametrize(
    ("masks", "labels", "message"),
    [
        ([MAP], [], "1 masks, but 0 labels"),
        ([MAP.T], [1], r"a mask is \(6, 4\); \(4, 6\) is expected"),
        ([MAP], ["Tail"], "label 'Tail' is no class; known are Background, Hat"),
        ([MAP], ["human"], "label 'human' is no class"),
        ([MAP], [20], "label 20 is not a class id"),
        ([MAP], [-1], "label -1 is not a class id"),
    ],
)
def test_masks_that_do_not_fit_are_refused(masks: list[Image], labels: list[int | str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        generate_colored_parsing(masks, labels, PHOTO)


@pytest.mark.parametrize("labels", [MAP.astype(np.int64), PHOTO, MAP[:0]], ids=["integers", "colours", "nothing"])
def test_a_label_map_that_does_not_fit_is_refused_where_it_is_coloured(labels: Image) -> None:
    with pytest.raises(ValueError, match=r"labels is \(.*; \(any, any\) uint8 is expected"):
        colorize(labels)


@pytest.mark.parametrize(("image", "shape"), [(MAP, r"\(4, 6\)"), (MAP.ravel(), r"\(24,\)")], ids=["map", "row"])
def test_an_image_that_does_not_fit_is_refused_with_masks_too(image: Image, shape: str) -> None:
    with pytest.raises(ValueError, match=rf"image is {shape} uint8; \(any, any, 3\) uint8 is expected"):
        generate_colored_parsing([MAP], [1], image)
