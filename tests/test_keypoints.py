"""The key points' table is COCO's."""

from __future__ import annotations

from humanparse.keypoints import KEYPOINT_NAMES, LEFT_RIGHT, NUM_KEYPOINTS, SKELETON


def test_pairs_are_the_two_sides_of_the_same_point() -> None:
    assert len(LEFT_RIGHT) == 8
    for left, right in LEFT_RIGHT:
        assert KEYPOINT_NAMES[left].startswith("left_")
        assert KEYPOINT_NAMES[right] == KEYPOINT_NAMES[left].replace("left", "right")


def test_the_skeleton_joins_every_point_and_is_the_same_on_both_sides() -> None:
    assert {i for bone in SKELETON for i in bone} == set(range(NUM_KEYPOINTS))
    twin = {0: 0} | dict(LEFT_RIGHT) | {right: left for left, right in LEFT_RIGHT}
    bones = {frozenset(bone) for bone in SKELETON}
    assert len(bones) == 19
    assert {frozenset(twin[i] for i in bone) for bone in bones} == bones
