"""Work on a photo line by line: lines that do not depend on each other by all cores, bands that bound what is held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from humanparse.cpu import usable_cores

AT_ONCE: Final = 64  # lines of one thread's turn
BAND_PIXELS: Final = 500_000  # that float maps are held of


def each_line(count: int, kernel: Callable[..., None], *given: Any) -> None:
    """`kernel(*given, first, end)` for all `count` lines; the kernel must let go of Python's lock."""
    with ThreadPoolExecutor(usable_cores()) as pool:
        turns = range(0, count, AT_ONCE)
        for turn in [pool.submit(kernel, *given, start, min(start + AT_ONCE, count)) for start in turns]:
            turn.result()


def bands(image: NDArray[np.uint8]) -> Iterator[slice]:
    """Rows of the image, so many at a time that they have about BAND_PIXELS."""
    height, width = image.shape[:2]
    step = max(1, BAND_PIXELS // width)
    for top in range(0, height, step):
        yield slice(top, min(top + step, height))
