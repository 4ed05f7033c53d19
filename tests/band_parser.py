"""A parser for tests alone: deterministic, without a network, never served."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from humanparse.config import Settings
from humanparse.keypoints import NUM_KEYPOINTS
from humanparse.parsers.contract import Parser
from humanparse.records import ParserInfo, Parsing

HEAD, CHEST, LEGS = 13, 5, 9  # Face, UpperClothes, Pants


class BandParser(Parser):
    """Two people, as two upright bands of three classes each, the left one narrower.

    Bands cover columns 1/8 to 3/8 and 4/8 to 7/8 of the photo; on photos too narrow for both,
    whatever columns remain. Confidence is the photo's green channel. Key points lie down the middle
    of each band, every second one a guess.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.loads = 0
        del settings

    @property
    def info(self) -> ParserInfo:
        return ParserInfo("bands", "1")

    def available(self) -> str | None:
        return None

    def load(self) -> None:
        self.loads += 1

    def parse(self, image: NDArray[np.uint8]) -> Parsing:
        height, width = image.shape[:2]
        column = (np.arange(width) + 0.5) / width
        bands = (column > 1 / 8) & (column < 3 / 8), (column > 4 / 8) & (column < 7 / 8)
        whose = np.select(bands, [1, 2], 0)
        row = (np.arange(height) + 0.5) / height
        what = np.select([row < 0.2, row < 0.6], [HEAD, CHEST], LEGS)
        people = np.broadcast_to(whose.astype(np.uint8), (height, width)).copy()
        labels = np.where(people > 0, what[:, None], 0).astype(np.uint8)
        down = (np.arange(NUM_KEYPOINTS) + 0.5) / NUM_KEYPOINTS * height
        scores = np.where(np.arange(NUM_KEYPOINTS) % 2, 0.1, 0.9)
        points = np.stack([np.stack([np.full(NUM_KEYPOINTS, x * width), down, scores], 1) for x in (2 / 8, 5.5 / 8)])
        confidence = np.ascontiguousarray(image[:, :, 1])
        return Parsing.from_maps(labels, people, confidence, self.info, points.astype(np.float32))
