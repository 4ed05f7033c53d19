"""The mirror image's answer, turned back, is averaged in: the same places, the other sides."""

from __future__ import annotations

import numpy as np

from humanparse.keypoints import KEYPOINT_NAMES
from humanparse.labels import CLASSES
from humanparse.parsers.compact.mirror import JOINTS, PARTS, both_ways
from humanparse.parsers.compact.reading import Maps

SIZE = (4, 6)


def maps(rng: np.random.Generator, joints: bool = True) -> Maps:
    heads = [rng.normal(size=(count, *SIZE)).astype(np.float32) for count in (20, 3, 17)]
    return Maps(heads[0], heads[1], heads[2] if joints else None)


def test_left_and_right_change_places_and_nothing_else_does() -> None:
    assert [CLASSES[i].name for i in PARTS[14:]] == [
        "Right-arm", "Left-arm", "Right-leg", "Left-leg", "Right-shoe", "Left-shoe",
    ]  # fmt: skip
    assert PARTS[:14].tolist() == list(range(14))
    swapped = [KEYPOINT_NAMES[i] for i in JOINTS]
    sides = {"left": "right", "right": "left"}
    assert swapped == [
        "_".join((sides.get(name.partition("_")[0], name.partition("_")[0]), *name.split("_")[1:]))
        for name in KEYPOINT_NAMES
    ]


def test_one_who_sees_the_same_in_the_mirror_says_the_same_as_before() -> None:
    """An answer that is turned as the picture is turned is its own mean."""
    seen = maps(np.random.default_rng(0))
    turned = Maps(seen.parts[PARTS][:, :, ::-1], seen.people[:, :, ::-1].copy(), seen.joints[JOINTS][:, :, ::-1])
    turned.people[2] *= -1
    answers = iter((seen, turned))
    both = both_ways(lambda padded: next(answers))(np.zeros((16, 24, 3), np.uint8))
    for mean, one in zip(both, seen, strict=True):
        np.testing.assert_allclose(mean, one, atol=1e-6)


def test_the_second_look_is_at_the_mirror_image_and_both_count_alike() -> None:
    rng = np.random.default_rng(1)
    first, second = maps(rng), maps(rng)
    image = rng.integers(0, 256, (16, 24, 3), np.uint8)
    shown = []

    def infer(padded: np.ndarray) -> Maps:
        shown.append(padded)
        return (first, second)[len(shown) - 1]

    both = both_ways(infer)(image)
    assert np.array_equal(shown[0], image)
    assert np.array_equal(shown[1], image[:, ::-1])
    np.testing.assert_allclose(both.parts[14], (first.parts[14] + second.parts[15][:, ::-1]) / 2, atol=1e-6)
    np.testing.assert_allclose(both.people[1], (first.people[1] + second.people[1][:, ::-1]) / 2, atol=1e-6)
    np.testing.assert_allclose(both.people[2], (first.people[2] - second.people[2][:, ::-1]) / 2, atol=1e-6)


def test_weights_without_key_points_stay_without() -> None:
    rng = np.random.default_rng(2)
    both = both_ways(lambda padded: maps(rng, joints=False))(np.zeros((16, 24, 3), np.uint8))
    assert both.joints is None
