"""What every recognizer is: load once, then photos one at a time, as every parser is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Label(NamedTuple):
    """What a class is called: English, and Chinese. A model that knows one language has it in both."""

    name: str
    name_zh: str


class RecognizerInfo(NamedTuple):
    """Which recognizer answered: its name and the version of its weights."""

    name: str
    version: str


class Recognizer(ABC):
    """A way from a photo to the probability of every class. Constructing one is cheap and never fails.

    Loaded once, in the process that uses it, and used by one thread at a time; the pipeline sees to both.
    """

    @property
    @abstractmethod
    def info(self) -> RecognizerInfo:
        """Name and version, known without loading."""

    @property
    @abstractmethod
    def labels(self) -> Sequence[Label]:
        """By class id; complete once it is loaded."""

    @abstractmethod
    def available(self) -> str | None:
        """None if `load` can be expected to work; else, in words, what is missing and what to do."""

    @abstractmethod
    def load(self) -> None:
        """Read weights, build and warm the network.

        Raises RecognizerUnavailable where something is missing, WeightsDamaged where it is not what
        it should be.
        """

    @abstractmethod
    def recognize(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(classes,) float32 probabilities that sum to 1, of `image`, (H, W, 3) uint8 RGB.

        Raises ParserError where the runtime fails.
        """
