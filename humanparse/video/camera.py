"""How far the camera has turned between two frames, by what stands behind the people."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE: Final = 160  # pixels of the longer side that is looked at: a frame takes 1 ms
BETTER: Final = 0.4  # of the difference that is left once the shift is undone: a real one leaves less
PLAIN: Final = 2.0  # grey levels: a background of less contrast shows no movement


class Camera:
    """Adds up the shifts from frame to frame; `place` is (2,) x and y in pixels since the first.

    One shift for the whole picture (phase correlation), so that turning is seen and zooming is
    not; a shift counts only if undoing it makes the backgrounds fit, else the camera stood still.
    """

    def __init__(self) -> None:
        self.place: NDArray[np.float64] = np.zeros(2)
        self._last: tuple[NDArray[np.float32], NDArray[np.bool_]] | None = None

    def look(self, image: NDArray[np.uint8], people: NDArray[np.uint8]) -> None:
        """The next frame, (H, W, 3) uint8 RGB, and who is in it, (H, W) uint8, 0 nobody."""
        scale = min(1.0, SIDE / max(people.shape))
        size = (max(8, round(people.shape[1] * scale)), max(8, round(people.shape[0] * scale)))
        grey = cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        behind = cv2.resize(people, size, interpolation=cv2.INTER_NEAREST) == 0
        now = grey.astype(np.float32), np.asarray(behind, np.bool_)
        if self._last is not None and self._last[0].shape == now[0].shape:
            self.place = self.place + _shift(*self._last, *now) / (size[0] / people.shape[1])
        self._last = now


def _shift(
    before: NDArray[np.float32], behind: NDArray[np.bool_], now: NDArray[np.float32], behind_now: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """x and y by which what stands behind people has moved in the picture; zeros where that cannot be told.

    People are part of the picture that is shifted (they may fill most of it), but not of the proof.
    """
    nothing = np.zeros(2)
    if not behind.any() or before[behind].std() < PLAIN:
        return nothing
    window = cv2.createHanningWindow(before.shape[::-1], cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(before.copy(), now.copy(), window)  # it writes on what it is given
    height, width = before.shape
    if max(abs(x) / width, abs(y) / height) > 0.5 or max(abs(x), abs(y)) < 0.1:
        return nothing
    move = np.array([[1, 0, x], [0, 1, y]], np.float32)
    moved = cv2.warpAffine(before, move, (width, height))
    known = cv2.warpAffine(behind.astype(np.uint8), move, (width, height), flags=cv2.INTER_NEAREST) > 0
    both = known & behind & behind_now
    if both.sum() < 0.02 * both.size:
        return nothing
    left, whole = np.abs(moved - now)[both].mean(), np.abs(before - now)[both].mean()
    return np.array([x, y]) if left < BETTER * whole else nothing
