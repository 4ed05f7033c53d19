"""Pseudo labels obey tags, key points and doubt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from humanparse.labels import NAMES
from tests.training.conftest import draw_person, person_points
from training import pseudo
from training.dataset import IGNORE
from training.pose import ARM, FOOT, LEG, Pose, flip_sides, limb_gap, limb_sides
from training.pseudo import find_person, pseudo_labels, settle_sides
from training.tags import TAGS, allowed_classes

SIZE = (200, 140)
POSE = Pose(person_points(SIZE), (28, 20, 112, 180), True)
EVERYWHERE = np.ones(SIZE, np.bool_)


def certain(labels: np.ndarray, share: float = 0.97) -> np.ndarray:
    """(20, H, W) float32: `share` for the class of the map, the rest for the others alike."""
    odds = np.full((20, *labels.shape), (1 - share) / 19, np.float32)
    np.put_along_axis(odds, np.where(labels == IGNORE, 0, labels)[None].astype(np.intp), share, axis=0)
    return odds


def names_of(tags: list[str]) -> set[str]:
    return {NAMES[i] for i in np.flatnonzero(allowed_classes(tags))}


def test_tags_rule_garments_out_and_silence_rules_nothing_out() -> None:
    garments = {"UpperClothes", "Dress", "Coat", "Skirt", "Pants"}
    assert names_of(["t-shirt", "skirt"]) & garments == {"UpperClothes", "Skirt"}
    assert garments <= names_of(["bag", "null"])
    assert "Skirt" not in names_of(["dress", "coat"])
    assert "Skirt" in names_of(["dress", "blouse"])
    assert "Hat" not in names_of(["coat"])
    assert {"Face", "Left-shoe", "Right-shoe"} <= names_of([])


def test_tags_name_classes_that_exist() -> None:
    assert {name for names in TAGS.values() for name in names} <= set(NAMES)


def test_sides_follow_the_nearer_limb_and_doubt_says_nothing() -> None:
    sides = limb_sides(POSE.points, ARM, SIZE, 5)
    assert (sides[50:90, 98:112] == -1).all()
    assert (sides[50:90, 28:40] == 1).all()
    assert (sides[60, 69:72] == 0).all()
    feet = limb_sides(POSE.points, FOOT, SIZE, 5)
    assert (feet[160:180, 75:98] == -1).all()
    assert (feet[160:180, 42:64] == 1).all()
    unsure = POSE.points.copy()
    unsure[7, 2] = 0.3
    assert not limb_sides(unsure, ARM, SIZE, 5).any()
    flipped = limb_sides(flip_sides(POSE.points), ARM, SIZE, 5)
    assert np.array_equal(flipped, -sides)


def test_a_limb_on_the_wrong_side_is_put_right() -> None:
    labels = draw_person(SIZE, 0)[1]
    wrong = labels.copy()
    wrong[labels == 14], wrong[labels == 15] = 15, 14
    assert np.array_equal(settle_sides(wrong, EVERYWHERE, POSE), settle_sides(labels, EVERYWHERE, POSE))
    assert np.array_equal(settle_sides(labels, EVERYWHERE, POSE) == 14, labels == 14)


def test_sure_pixels_are_kept_and_others_ignored() -> None:
    labels = draw_person(SIZE, 0)[1]
    allowed = allowed_classes(["coat", "skirt"])
    made = pseudo_labels(certain(labels), allowed, POSE, EVERYWHERE)
    assert made is not None
    assert np.array_equal(made, np.where(labels == IGNORE, 0, labels))
    odds = certain(labels)
    odds[:, 60:80, 60:80] = 1 / 20
    doubtful = pseudo_labels(odds, allowed, POSE, EVERYWHERE)
    assert doubtful is not None
    assert (doubtful[62:78, 62:78] == IGNORE).all()


def test_photos_that_contradict_their_key_points_are_left_out() -> None:
    labels = draw_person(SIZE, 0)[1]
    allowed = allowed_classes(["coat"])
    assert pseudo_labels(certain(np.roll(labels, 60, axis=0) * 0), allowed, POSE, EVERYWHERE) is None
    elsewhere = np.zeros_like(labels)
    elsewhere[:30, :30] = 7
    assert pseudo_labels(certain(elsewhere), allowed, POSE, EVERYWHERE) is None
    assert pseudo_labels(certain(labels, 0.2), allowed, POSE, EVERYWHERE) is None


def test_other_people_are_not_the_photos_person() -> None:
    people = np.zeros(SIZE, np.uint8)
    people[30:170, 40:100], people[60:170, 100:140] = 2, 1
    near = find_person(people, POSE)
    assert near[100, 70]
    assert not near[100, 105]
    assert not near[5, 70]


def test_the_command_writes_what_training_reads(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = draw_person(SIZE, 0)[1][::2, ::2]
    monkeypatch.setattr(pseudo, "average_probability", lambda parser, image: certain(truth))
    pseudo.main(["--data", str(data), "--out", str(tmp_path)])
    assert (tmp_path / "pseudo.txt").read_text().split() == ["0000", "0001"]
    labels = np.asarray(Image.open(tmp_path / "labels" / "0001.png"))
    assert labels.shape == SIZE
    assert {7, 13, 14, 15} <= set(np.unique(labels))


def test_distance_is_to_the_line_not_to_the_joints() -> None:
    points = np.zeros((17, 3), np.float32)
    points[[11, 13, 15], :2] = (0, 0), (0, 50), (0, 100)
    points[[12, 14, 16], :2] = (20, 0), (20, 50), (20, 100)
    ys, xs = np.array([25, 75, 25]), np.array([4, 10, 30])
    assert np.allclose(limb_gap(points, LEG, ys, xs), (4 - 16, 0, 30 - 10))
    assert np.allclose(limb_gap(points, FOOT, np.array([100]), np.array([5])), (5 - 15,))
