"""The compositor: label map + palette -> overlay, and nothing else.

Colouring is one table lookup over the pixels, whatever the number of classes, people or masks.
Owns no state, knows numpy, OpenCV and the default palette, and never changes what it is given.
Images are (H, W, 3) uint8 RGB, label maps (H, W) uint8 class ids, people maps (H, W) uint8 numbers
(0 nobody). Arrays may have any strides; results are C-contiguous and new.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from humanparse.labels import NAMES, NUM_CLASSES, PALETTE

DEFAULT_ALPHA: Final = 0.55
WHOLE_PERSON: Final = "Human"  # M2FP's 21st class: a person, not a part
OUTLINE: Final = (255, 255, 255)  # a white line, a dark one inside: one of them shows on any photo
OUTLINE_SCALE: Final = 720  # each line is as many pixels wide as the shorter side has of these, at least 1


def colorize(labels: NDArray[np.uint8], palette: NDArray[np.uint8] = PALETTE) -> NDArray[np.uint8]:
    """The label map in colours.

    Args:
        labels: (H, W) uint8 class ids.
        palette: (N, 3) uint8 RGB, N from 1 to 256, row = class id.

    Returns: (H, W, 3) uint8 RGB.
    Raises ValueError where shapes or dtypes differ from these, or an id has no row in the palette.
    """
    _require("labels", labels, (None, None))
    _require("palette", palette, (None, 3))
    if len(palette) > 256:
        raise ValueError(f"palette has {len(palette)} rows; 1 to 256 are allowed")
    if int(labels.max()) >= len(palette):
        raise ValueError(f"labels hold id {int(labels.max())}, but the palette has {len(palette)} rows")
    table = np.zeros((256, 1, 3), np.uint8)
    table[: len(palette), 0] = palette
    # OpenCV's fastest way from one channel to three by table: ten times faster than palette[labels].
    return _uint8(cv2.applyColorMap(labels, table))


def compose_overlay(
    image: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    people: NDArray[np.uint8] | None = None,
    palette: NDArray[np.uint8] = PALETTE,
    alpha: float = DEFAULT_ALPHA,
    outline: bool = True,
) -> NDArray[np.uint8]:
    """The photo with its parts coloured and, if `people` is given, each person outlined.

    Args:
        image: (H, W, 3) uint8 RGB.
        labels: (H, W) uint8 class ids; where 0, and nobody is outlined, the photo stays as it is.
        people: (H, W) uint8 person numbers, 0 nobody. Outlines lie inside the people.
        palette: (N, 3) uint8 RGB, row = class id.
        alpha: opacity of the colours in [0, 1]: 0 gives the photo back, 1 flat colours.
        outline: False draws none, whether or not `people` is given.

    Returns: (H, W, 3) uint8 RGB.
    Raises ValueError where shapes, dtypes or alpha differ from these, or an id has no colour.
    """
    _require("image", image, (None, None, 3))
    _require("labels", labels, image.shape[:2])
    if people is not None:
        _require("people", people, image.shape[:2])
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha}; it must lie in [0, 1]")
    overlay = colorize(labels, palette)  # also for alpha 0: an id without a colour is an error always
    if alpha == 0:
        return image.copy()
    cv2.addWeighted(image, 1 - alpha, overlay, alpha, 0, dst=overlay)
    nobody = (labels == 0).view(np.uint8)  # cv2.compare takes a 1x1 map for a scalar
    cv2.copyTo(image, nobody, overlay)
    if outline and people is not None:
        _draw_outlines(overlay, people)
    return overlay


def generate_colored_parsing(
    masks: Sequence[NDArray[Any]],
    labels: Sequence[int | str],
    image: NDArray[np.uint8],
    palette: NDArray[np.uint8] = PALETTE,
    alpha: float = DEFAULT_ALPHA,
) -> NDArray[np.uint8]:
    """The photo with a list of part masks in colours, as M2FP answers them; no masks, no change.

    `masks` and `labels` as in `flatten_masks`; the rest, the result and the errors as in
    `compose_overlay`.
    """
    _require("image", image, (None, None, 3))
    height, width = image.shape[:2]
    return compose_overlay(image, flatten_masks(masks, labels, (height, width)), palette=palette, alpha=alpha)


def flatten_masks(
    masks: Sequence[NDArray[Any]], labels: Sequence[int | str], size: tuple[int, int]
) -> NDArray[np.uint8]:
    """One label map from masks that may overlap: smaller masks lie on larger, later ones on equals.

    Args:
        masks: each (H, W) bool, integer (0 is outside) or float (above 0.5 is inside).
        labels: for each mask a class id in 0..19 or a class name. Masks of `Human`, which is M2FP's
            name for a whole person, and of the background are no parts and are left out.
        size: (H, W).

    Returns: (H, W) uint8 class ids, 0 where no mask is.
    Raises ValueError where the lists differ in length, a mask in size, or a label is unknown.
    """
    if len(masks) != len(labels):
        raise ValueError(f"{len(masks)} masks, but {len(labels)} labels")
    for mask in masks:
        if mask.shape != size:
            raise ValueError(f"a mask is {mask.shape}; {size} is expected")
    ids = [_class_id(label) for label in labels]
    areas = [int(np.count_nonzero(_inside(mask))) for mask in masks]
    flat = np.zeros(size, np.uint8)
    for i in sorted(range(len(masks)), key=lambda i: -areas[i]):  # stable: equals keep their order
        if ids[i]:
            np.copyto(flat, np.uint8(ids[i]), where=_inside(masks[i]))
    return flat


def _draw_outlines(overlay: NDArray[np.uint8], people: NDArray[np.uint8]) -> None:
    """Draw on `overlay`, in place, along the inside of each person's border with anything but the photo's edge."""
    width = max(1, round(min(people.shape) / OUTLINE_SCALE))
    pixels = overlay.reshape(-1, 3)
    dark = _near_border(people, 2 * width)
    pixels[dark] >>= 1  # half as bright: the part's colour can still be told on a thin arm
    pixels[_near_border(people, width)] = OUTLINE


def _near_border(people: NDArray[np.uint8], reach: int) -> NDArray[np.intp]:
    """Flat positions of somebody's pixels with another number at most `reach` pixels away."""
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    # Largest minus smallest number around each pixel; OpenCV leaves out what lies beyond the edge.
    differs = cv2.morphologyEx(people, cv2.MORPH_GRADIENT, square)
    return np.flatnonzero(np.logical_and(differs, people))


def _inside(mask: NDArray[Any]) -> NDArray[np.bool_]:
    """(H, W) bool; the mask itself if it is that already."""
    if mask.dtype == np.bool_:
        return mask
    return np.asarray(mask > 0.5 if mask.dtype.kind == "f" else mask != 0)


def _class_id(label: int | str) -> int:
    """The class id of an id or a name; 0, which is never painted, for a whole person."""
    if label == WHOLE_PERSON:
        return 0
    if isinstance(label, str):
        if label not in NAMES:
            raise ValueError(f"label {label!r} is no class; known are {', '.join(NAMES)} and {WHOLE_PERSON}")
        return NAMES.index(label)
    number = index(label)  # NumPy's integers too, but no fractions
    if not 0 <= number < NUM_CLASSES:
        raise ValueError(f"label {number} is not a class id (0 to {NUM_CLASSES - 1})")
    return number


def _require(name: str, array: NDArray[Any], shape: tuple[int | None, ...]) -> None:
    """Raise ValueError unless `array` is a uint8 array of this shape, None standing for any positive length."""
    fits = len(array.shape) == len(shape) and all(
        given == wanted if wanted is not None else given > 0 for given, wanted in zip(array.shape, shape, strict=True)
    )
    if array.dtype != np.uint8 or not fits:
        wanted = ", ".join("any" if length is None else str(length) for length in shape)
        raise ValueError(f"{name} is {array.shape} {array.dtype}; ({wanted}) uint8 is expected")


def _uint8(array: Any) -> NDArray[np.uint8]:
    """OpenCV's result under its dtype."""
    return np.asarray(array, np.uint8)
