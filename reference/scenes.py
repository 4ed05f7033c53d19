"""Constructed answers of the network's queries, as for real scenes: what post-processing starts from.

Each scene is class logits and mask logits of every query plus the three sizes that matter. Plain arithmetic on numpy
arrays (see seeded): both sides build the same scenes, the golden files hold what the reference made of them.
Class ids are CIHP's: 0 background, 1..19 parts, 20 Human, and 21 for "no object".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from reference import seeded

CLASSES = 21
HUMAN = 20
NO_OBJECT = 21
HAT, HAIR, UPPER, COAT, PANTS, FACE = 1, 2, 5, 7, 9, 13
LEFT_ARM, RIGHT_ARM, LEFT_LEG, RIGHT_LEG, LEFT_SHOE, RIGHT_SHOE = 14, 15, 16, 17, 18, 19

Size = tuple[int, int]

# part -> its ellipse in a standing person's own frame: centre y, centre x, radius y, radius x. Heights go from 0 at the
# top of the head to 1 at the soles; x is 0 in the middle, in heights too. The person's left is on the image's right.
BODY: dict[int, tuple[float, float, float, float]] = {
    HAIR: (0.05, 0.0, 0.06, 0.07),
    FACE: (0.10, 0.0, 0.06, 0.05),
    UPPER: (0.32, 0.0, 0.18, 0.12),
    LEFT_ARM: (0.36, 0.15, 0.18, 0.04),
    RIGHT_ARM: (0.36, -0.15, 0.18, 0.04),
    PANTS: (0.68, 0.0, 0.22, 0.11),
    LEFT_SHOE: (0.96, 0.07, 0.04, 0.06),
    RIGHT_SHOE: (0.96, -0.07, 0.04, 0.06),
}
WHOLE = (0.5, 0.0, 0.52, 0.2)


@dataclass(frozen=True)
class Scene:
    """Query outputs for one photo.

    logits: (Q, 22) float32 class logits, the last for "no object".
    masks: (Q, h, w) float32 mask logits over the padded frame, a quarter of its size.
    padded: (height, width) that the network saw, multiples of 32.
    network: (height, width) of the photo within it, at the top left.
    original: (height, width) of the photo as it came.
    """

    logits: NDArray[np.float32]
    masks: NDArray[np.float32]
    padded: Size
    network: Size
    original: Size


@dataclass
class Canvas:
    """Collects queries one by one. Positions are fractions of the padded frame, lengths fractions of its height."""

    padded: Size
    seed: int
    logits: list[NDArray[np.float32]] = field(default_factory=list)
    masks: list[NDArray[np.float32]] = field(default_factory=list)

    def query(self, strengths: dict[int, float], mask: NDArray[np.float64]) -> None:
        """Adds a query whose class logits are `strengths`, -4 elsewhere, each with a little noise.

        Strength 4 for one class alone gives it 0.99, 0 about 0.7, -1 about a half, -3 about a tenth.
        `mask`: (h, w) logits, kept within +-12, with a little noise too.
        """
        number = len(self.logits)
        logits = seeded.uniform(f"logits {number}", self.seed, (CLASSES + 1,), -0.3, 0.3) - np.float32(4)
        for label, strength in strengths.items():
            logits[label] += np.float32(strength + 4)
        noise = seeded.uniform(f"mask {number}", self.seed, mask.shape, -0.4, 0.4)
        self.logits.append(logits)
        self.masks.append((mask.clip(-12, 12).astype(np.float32) + noise).astype(np.float32))

    def ellipse(self, y: float, x: float, radius_y: float, radius_x: float) -> NDArray[np.float64]:
        """Mask logits of an ellipse: 6 in its middle, 0 at its edge. Returns (h, w) float64."""
        height, width = self.padded[0] // 4, self.padded[1] // 4
        rows = (np.arange(height, dtype=np.float64)[:, None] + 0.5) / height
        columns = (np.arange(width, dtype=np.float64)[None, :] + 0.5) / width * (self.padded[1] / self.padded[0])
        x = x * (self.padded[1] / self.padded[0])
        down, right = (rows - y) / radius_y, (columns - x) / radius_x
        return 6 - 6 * (down * down + right * right)

    def part(self, label: int, top: float, x: float, height: float, strength: float = 4.0) -> None:
        """Adds the query of one part (or, label 20, the whole) of a person `height` tall whose head starts at `top`."""
        center_y, center_x, radius_y, radius_x = WHOLE if label == HUMAN else BODY[label]
        x = x + center_x * height * self.padded[0] / self.padded[1]
        self.query({label: strength}, self.ellipse(top + center_y * height, x, radius_y * height, radius_x * height))

    def person(self, top: float, x: float, height: float, parts: tuple[int, ...] = tuple(BODY)) -> None:
        """Adds a Human query and one for each of its `parts`."""
        self.part(HUMAN, top, x, height)
        for label in parts:
            self.part(label, top, x, height)

    def nothing(self, count: int) -> None:
        """Adds `count` queries that are sure to be no object, with masks of both signs."""
        for _ in range(count):
            number = len(self.logits)
            y, x = (float(v) for v in seeded.uniform(f"nothing {number}", self.seed, (2,), 0.1, 0.9))
            self.query({NO_OBJECT: 4.0}, self.ellipse(y, x, 0.2, 0.2))

    def scene(self, network: Size, original: Size) -> Scene:
        return Scene(np.stack(self.logits), np.stack(self.masks), self.padded, network, original)


def family() -> Scene:
    """Three people of different sizes, two of them overlapping, a lone coat; enlarged to the original."""
    canvas = Canvas((160, 224), 1)
    canvas.person(0.08, 0.2, 0.85)
    canvas.person(0.05, 0.42, 0.9, (HAIR, FACE, UPPER, LEFT_ARM, RIGHT_ARM, PANTS, LEFT_SHOE, RIGHT_SHOE))
    canvas.person(0.35, 0.8, 0.5)
    canvas.query({COAT: 3.0}, canvas.ellipse(0.5, 0.62, 0.1, 0.06))
    canvas.nothing(12)
    return canvas.scene((150, 221), (233, 343))


def shrunk() -> Scene:
    """Two people in a photo that is smaller than what the network saw."""
    canvas = Canvas((160, 224), 2)
    canvas.person(0.1, 0.3, 0.8)
    canvas.person(0.1, 0.65, 0.7)
    canvas.nothing(6)
    return canvas.scene((149, 224), (61, 92))


def empty() -> Scene:
    """Nobody: every query says "no object", and some classes are a little likely but below every threshold."""
    canvas = Canvas((96, 128), 3)
    canvas.nothing(8)
    canvas.query({NO_OBJECT: 3.0, HUMAN: -1.0}, canvas.ellipse(0.5, 0.5, 0.3, 0.2))
    canvas.query({NO_OBJECT: 2.0, FACE: -2.0}, canvas.ellipse(0.4, 0.4, 0.2, 0.2))
    return canvas.scene((90, 123), (120, 164))


def faint() -> Scene:
    """Scores from far below to far above the reference's thresholds of 0.1 and 0.3, and masks that are all negative."""
    canvas = Canvas((128, 160), 4)
    for step in range(12):
        canvas.part(HUMAN, 0.1, 0.1 + 0.07 * step, 0.7, -4.0 + 0.5 * step)
        canvas.part(UPPER, 0.1, 0.1 + 0.07 * step, 0.7, -4.0 + 0.5 * step)
    canvas.query({FACE: 4.0}, canvas.ellipse(0.3, 0.3, 0.1, 0.1) - 7)
    canvas.query({HUMAN: 4.0}, canvas.ellipse(0.5, 0.5, 0.4, 0.2) - 7)
    return canvas.scene((128, 150), (170, 199))


def giant() -> Scene:
    """One person who fills the picture, whose masks go on into the padding, and a small one in front."""
    canvas = Canvas((160, 192), 5)
    canvas.query({HUMAN: 4.0}, canvas.ellipse(0.6, 0.6, 0.9, 0.9))
    canvas.query({UPPER: 4.0}, canvas.ellipse(0.9, 0.7, 0.5, 0.7))
    canvas.query({FACE: 4.0}, canvas.ellipse(0.25, 0.55, 0.3, 0.25))
    canvas.query({HAIR: 3.0}, canvas.ellipse(0.05, 0.55, 0.2, 0.35))
    canvas.query({PANTS: 4.0}, canvas.ellipse(0.99, 0.5, 0.02, 0.3))  # in the padding alone
    canvas.query({RIGHT_ARM: 3.0}, canvas.ellipse(0.8, 0.99, 0.3, 0.1))  # across its border
    canvas.person(0.55, 0.25, 0.35)
    canvas.nothing(4)
    return canvas.scene((133, 171), (217, 279))


def strangers() -> Scene:
    """People without parts, parts without people, and a background query that is sure of itself."""
    canvas = Canvas((128, 192), 6)
    canvas.person(0.1, 0.15, 0.75, ())
    canvas.person(0.1, 0.35, 0.75)
    for label in (FACE, UPPER, PANTS):
        canvas.part(label, 0.1, 0.62, 0.75)
    canvas.query({HAT: 4.0}, canvas.ellipse(0.1, 0.9, 0.05, 0.08))
    canvas.query({0: 4.0}, -canvas.ellipse(0.5, 0.35, 0.45, 0.5))
    canvas.nothing(5)
    return canvas.scene((128, 192), (150, 225))


def twins() -> Scene:
    """A portrait with one person found twice, two people nearly in one place, and queries torn between two classes."""
    canvas = Canvas((224, 160), 7)
    canvas.person(0.05, 0.4, 0.9)
    canvas.part(HUMAN, 0.06, 0.41, 0.88, 3.0)
    canvas.part(UPPER, 0.06, 0.41, 0.88, 2.0)
    canvas.person(0.2, 0.6, 0.75)
    canvas.query({UPPER: 2.0, COAT: 1.7}, canvas.ellipse(0.45, 0.6, 0.13, 0.09))
    canvas.query({LEFT_LEG: 2.0, RIGHT_LEG: 2.2}, canvas.ellipse(0.75, 0.62, 0.15, 0.04))
    canvas.query({HUMAN: 1.5, FACE: 1.0}, canvas.ellipse(0.3, 0.2, 0.08, 0.06))
    canvas.nothing(10)
    return canvas.scene((213, 160), (320, 240))


def undecided() -> Scene:
    """Sixty queries torn between four classes each: far more candidates than the hundred that the reference keeps."""
    canvas = Canvas((64, 96), 8)
    numbers = seeded.uniform("undecided", 8, (60, 8), 0, 1).astype(np.float64)
    for row in numbers:
        first = int(row[0] * 17)
        strengths = {first + step: 2 + float(row[1 + step]) for step in range(4)}
        canvas.query(strengths, canvas.ellipse(float(row[5]), float(row[6]), 0.1 + 0.3 * float(row[7]), 0.3))
    return canvas.scene((60, 93), (48, 74))


SCENES: dict[str, Callable[[], Scene]] = {
    scene.__name__: scene for scene in (family, shrunk, empty, faint, giant, strangers, twins, undecided)
}
