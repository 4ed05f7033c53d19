"""What every parser is: load once, then parse photos, one at a time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from humanparse.records import ParserInfo, Parsing


class Parser(ABC):
    """A way from a photo to a `Parsing`. Constructing one is cheap and never fails.

    A parser is loaded once, in the process that uses it (after a fork, not before), and used by
    one thread at a time; the pipeline sees to both. docs/extending.md adds one, step by step.
    """

    memory_bytes: ClassVar[int]
    """What a process with this parser takes at most, for photos of 12 megapixels: so many workers fit a machine."""

    whole_numbers: ClassVar[bool] = False
    """Whether it computes in int8 where nothing else is asked for."""

    formats: ClassVar[tuple[str, ...]] = ()
    """The reduced precisions (f16, bf16) it may compute in, the best first, where the CPU does; else float32."""

    @property
    @abstractmethod
    def info(self) -> ParserInfo:
        """Name and version, known without loading."""

    @abstractmethod
    def available(self) -> str | None:
        """None if `load` can be expected to work; else, in words, what is missing and what to do."""

    @abstractmethod
    def load(self) -> None:
        """Read weights, build and warm the network.

        Raises ParserUnavailable where something is missing, WeightsDamaged where it is not what
        it should be.
        """

    @abstractmethod
    def parse(self, image: NDArray[np.uint8]) -> Parsing:
        """Every person's parts in `image`, (H, W, 3) uint8 RGB; maps of the image's own size.

        Raises ParserError where the runtime fails.
        """

    def glance(self, image: NDArray[np.uint8]) -> Parsing:
        """As `parse`, but cheaper where that takes a closer look at parts of the photo; the same elsewhere."""
        return self.parse(image)
