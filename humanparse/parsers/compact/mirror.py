"""A second look at the mirror image: both answers' mean is better than either.

On the validation photos it takes a fifteenth of the confusion of sides away and adds 0.6 points of mean IoU, for twice
the network's time (docs/compact.md).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from humanparse.keypoints import LEFT_RIGHT, NUM_KEYPOINTS
from humanparse.labels import CLASSES
from humanparse.parsers.compact.reading import Infer, Maps


def _swapped(count: int, pairs: tuple[tuple[int, int], ...]) -> NDArray[np.intp]:
    order = np.arange(count)
    for left, right in pairs:
        order[left], order[right] = right, left
    return order


PARTS: Final = np.array([c.id if c.twin is None else c.twin for c in CLASSES])
"""(20,): class by class, which one a mirror shows; left and right are the person's own."""
JOINTS: Final = _swapped(NUM_KEYPOINTS, LEFT_RIGHT)
TURNED: Final = np.array([1, 1, -1], np.float32)[:, None, None]
"""What a mirror does to the people's maps: the offset across points the other way."""


def both_ways(infer: Infer) -> Infer:
    """`infer`, but the mean of its answers for an image and for its mirror image."""

    def look_twice(padded: NDArray[np.uint8]) -> Maps:
        seen, mirrored = infer(padded), infer(np.ascontiguousarray(padded[:, ::-1]))
        joints = None
        if seen.joints is not None and mirrored.joints is not None:
            joints = _mean(seen.joints, mirrored.joints[JOINTS])
        return Maps(_mean(seen.parts, mirrored.parts[PARTS]), _mean(seen.people, mirrored.people * TURNED), joints)

    return look_twice


def _mean(seen: NDArray[np.float32], mirrored: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of two (n, h, w) arrays, the second read from right to left."""
    return (seen + mirrored[:, :, ::-1]) / np.float32(2)
