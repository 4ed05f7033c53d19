"""The 17 key points of COCO: order, names, which are a pair, which are joined in a skeleton.

Source: the `keypoints` and `skeleton` of COCO's person category (Lin et al., 2014), counted from 0
here. Left and right are the person's own.
"""

from __future__ import annotations

from typing import Final

KEYPOINT_NAMES: Final = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
)  # fmt: skip
NUM_KEYPOINTS: Final = len(KEYPOINT_NAMES)
MIN_SCORE: Final = 0.2  # from which a key point is shown; below, it is a guess. Chosen on the validation photos
LEFT_RIGHT: Final = tuple((i, i + 1) for i in range(1, NUM_KEYPOINTS, 2))
SKELETON: Final = (
    (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10),
    (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
)  # fmt: skip
