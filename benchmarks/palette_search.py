"""The search for a palette whose colours are as far apart as can be: `python -m benchmarks.palette --search`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.colour_vision import VISIONS, Floats, distances, simulate
from humanparse.labels import CLASSES, NAMES, NUM_CLASSES

NEIGHBOURS: Final[Mapping[str, tuple[str, ...]]] = {
    "Hat": ("Hair", "Face", "Sunglasses"),
    "Hair": ("Face", "Sunglasses", "Torso-skin", "UpperClothes", "Coat", "Dress", "Scarf"),
    "Glove": ("UpperClothes", "Coat", "Dress", "Pants", "Left-arm", "Right-arm"),
    "Sunglasses": ("Face",),
    "UpperClothes": ("Coat", "Pants", "Torso-skin", "Scarf", "Skirt", "Left-arm", "Right-arm"),
    "Dress": ("Coat", "Socks", "Torso-skin", "Left-arm", "Right-arm", "Left-leg", "Right-leg"),
    "Coat": ("Pants", "Torso-skin", "Scarf", "Skirt", "Left-arm", "Right-arm"),
    "Socks": ("Pants", "Skirt", "Left-leg", "Right-leg", "Left-shoe", "Right-shoe"),
    "Pants": ("Left-arm", "Right-arm", "Left-leg", "Right-leg", "Left-shoe", "Right-shoe"),
    "Torso-skin": ("Face", "Scarf", "Left-arm", "Right-arm"),
    "Scarf": ("Face",),
    "Skirt": ("Left-arm", "Right-arm", "Left-leg", "Right-leg"),
    "Left-arm": ("Right-arm",),
    "Left-leg": ("Right-leg", "Left-shoe"),
    "Right-leg": ("Right-shoe",),
    "Left-shoe": ("Right-shoe",),
}
"""Classes that often share a border on one body: in a fifth or more of the CCP photos that show the
rarer of the two (our label maps, 994 photos), and what those photos show too seldom, such as gloves."""

WANTED: Final[Mapping[str, Mapping[str, tuple[float, float]]]] = {
    "humanparse": {
        "normal": (16.5, 25.0),
        "protanopia": (10.5, 14.5),
        "deuteranopia": (10.5, 14.5),
        "tritanopia": (10.5, 14.5),
    },
    "safe": {
        "normal": (10.0, 20.0),
        "protanopia": (8.0, 19.0),
        "deuteranopia": (8.0, 19.0),
        "tritanopia": (8.0, 19.0),
    },
}
"""CIEDE2000 the search strives for, (any two classes, classes that touch), for each palette that it
finds. What counts is how these relate to each other: about the most that all eight can have at once."""

LIGHTNESS: Final = (30.0, 91.0)  # CIE L*: darker is lost in a photo's shadows, lighter reads as white
MIN_CHROMA: Final = 30.0  # CIE C*ab: greyer colours look like the photo's own
DARK: Final = ("Coat", "Dress", "Hair", "Pants", "Skirt", "UpperClothes")  # large and often black in the photo:
MIN_LIGHTNESS_ON_DARK: Final = 42.0  # CIE L* of their colours, so that the overlay shows
SKIN: Final = ("Face", "Torso-skin", "Left-arm", "Right-arm", "Left-leg", "Right-leg")
WARM: Final = (0.0, 97.0)  # CIE h_ab of SKIN in degrees, pink to yellow; costs three per cent of the distances
TWIN_HUE: Final = 20.0  # largest difference in h_ab between twins, degrees
TWIN_LIGHTNESS: Final = 25.0  # the left twin is lighter by at least this much, L*
STARTS: Final = 4  # of 60 random ones, those that look best after one descent


def touching() -> NDArray[np.bool_]:
    """(20, 20) symmetric: which classes share a border on a body, by NEIGHBOURS."""
    matrix = np.zeros((NUM_CLASSES, NUM_CLASSES), np.bool_)
    for name, others in NEIGHBOURS.items():
        for other in others:
            i, j = NAMES.index(name), NAMES.index(other)
            matrix[i, j] = matrix[j, i] = True
    return matrix


class Search:
    """Iterated local search over the short hex colours (#RGB) for the palette with the best worst pair.

    A palette is an array of 19 candidate numbers. Its cost is the sum over pairs and visions of
    (wanted / distance) ** p: for large p that is the worst pair's, and because it is a sum, the cost
    of all candidates for one class is a sum of rows of two tables made beforehand.
    """

    def __init__(self, seed: int, wanted: Mapping[str, tuple[float, float]]) -> None:
        self.wanted = wanted
        self.random = np.random.default_rng(seed)
        self.candidates = _candidates()
        lab = simulate(self.candidates, "normal")
        self.lightness = lab[:, 0]
        self.hue = np.degrees(np.arctan2(lab[:, 2], lab[:, 1])) % 360
        with_black = np.vstack([self.candidates, np.zeros((1, 3), np.uint8)])  # the background
        self.distances = {vision: distances(with_black, vision).astype(np.float32) for vision in VISIONS}
        self.touching = touching()[1:, 1:]
        self.allowed = self._allowed()

    def run(self, rounds: int) -> NDArray[np.uint8]:
        """(20, 3) uint8, the best palette after `rounds` disturbances from each of several starts."""
        self._set_power(12)
        starts = sorted((self._descend(self._start()) for _ in range(60)), key=self._cost)[:STARTS]
        self._set_power(36)
        best = min((self._improve(start, rounds) for start in starts), key=self._cost)
        return np.vstack([np.zeros((1, 3), np.uint8), self.candidates[best]])

    def _set_power(self, p: int) -> None:
        """Make the tables: [apart, touching], each (candidates + 1) squared."""
        self.tables = []
        for kind in range(2):
            ratio = [np.minimum(self.wanted[v][kind] / np.maximum(d, 1), 8) for v, d in self.distances.items()]
            self.tables.append(np.sum([r**p for r in ratio], axis=0))

    def _allowed(self) -> NDArray[np.bool_]:
        """(19, candidates): which colours a class may have, whatever the others have."""
        allowed = np.ones((NUM_CLASSES - 1, len(self.candidates)), np.bool_)
        for name in DARK:
            allowed[NAMES.index(name) - 1] = self.lightness >= MIN_LIGHTNESS_ON_DARK
        for name in SKIN:
            allowed[NAMES.index(name) - 1] = (self.hue >= WARM[0]) & (self.hue <= WARM[1])
        return allowed

    def _beside_twin(self, index: int, chosen: NDArray[np.intp]) -> NDArray[np.bool_]:
        """(candidates,): which colours suit this class's twin; left is the lighter one."""
        twin = CLASSES[index + 1].twin
        if twin is None:
            return np.ones(len(self.candidates), np.bool_)
        other = chosen[twin - 1]
        hue = np.abs((self.hue - self.hue[other] + 180) % 360 - 180)
        lighter = self.lightness - self.lightness[other]
        lighter = lighter if index + 1 < twin else -lighter
        suits: NDArray[np.bool_] = (hue <= TWIN_HUE) & (lighter >= TWIN_LIGHTNESS)
        return suits

    def _costs(self, index: int, chosen: NDArray[np.intp]) -> Floats:
        """(candidates,): what each colour would cost as this class's, the other classes kept."""
        others = np.arange(NUM_CLASSES - 1) != index
        near = others & self.touching[index]
        rows = np.append(chosen[others & ~near], len(self.candidates))
        cost = self.tables[0][rows, :-1].sum(0) + self.tables[1][chosen[near], :-1].sum(0)
        return np.where(self.allowed[index] & self._beside_twin(index, chosen), cost, np.inf)

    def _cost(self, chosen: NDArray[np.intp]) -> float:
        return float(sum(self._costs(i, chosen)[chosen[i]] for i in range(NUM_CLASSES - 1)))

    def _start(self) -> NDArray[np.intp]:
        """Random candidates that keep the constraints; twins in pairs."""
        chosen = np.zeros(NUM_CLASSES - 1, np.intp)
        for i in range(NUM_CLASSES - 1):
            twin = CLASSES[i + 1].twin
            suits = self.allowed[i].copy()
            if twin is not None and twin - 1 < i:
                suits &= self._beside_twin(i, chosen)
            elif twin is not None:  # leave room for a darker twin
                suits &= self.lightness > LIGHTNESS[1] - 12
            chosen[i] = self.random.choice(np.flatnonzero(suits))
        return chosen

    def _descend(self, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
        """Give each class its cheapest colour in turn until none changes."""
        changed = True
        while changed:
            changed = False
            for i in self.random.permutation(NUM_CLASSES - 1):
                costs = self._costs(i, chosen)
                cheapest = int(costs.argmin())
                if costs[cheapest] < costs[chosen[i]] * (1 - 1e-6):
                    chosen[i], changed = cheapest, True
        return chosen

    def _improve(self, best: NDArray[np.intp], rounds: int) -> NDArray[np.intp]:
        """Disturb and descend again, keeping what is cheaper."""
        best = self._descend(best.copy())
        cost = self._cost(best)
        for _ in range(rounds):
            trial = self._descend(self._disturb(best))
            trial_cost = self._cost(trial)
            if trial_cost < cost:
                best, cost = trial, trial_cost
        return best

    def _disturb(self, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
        """Give three classes random colours, where the constraints allow."""
        trial = chosen.copy()
        for i in self.random.choice(NUM_CLASSES - 1, 3, replace=False):
            suits = self.allowed[i] & self._beside_twin(i, trial)
            if suits.any():
                trial[i] = self.random.choice(np.flatnonzero(suits))
        return trial


def _candidates() -> NDArray[np.uint8]:
    """(N, 3) uint8: short hex colours that stand out from a photo."""
    levels = np.arange(0, 256, 17, dtype=np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3)
    lab = simulate(colours, "normal")
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    keep = (lab[:, 0] >= LIGHTNESS[0]) & (lab[:, 0] <= LIGHTNESS[1]) & (chroma >= MIN_CHROMA)
    return colours[keep]
