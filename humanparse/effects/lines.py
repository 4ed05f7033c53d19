"""Work on lines of a photo that do not depend on each other, by as many threads as there are cores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from humanparse.cpu import usable_cores

AT_ONCE: Final = 64  # lines of one thread's turn


def each_line(count: int, kernel: Callable[..., None], *given: Any) -> None:
    """`kernel(*given, first, end)` for all `count` lines; the kernel must let go of Python's lock."""
    with ThreadPoolExecutor(usable_cores()) as pool:
        turns = range(0, count, AT_ONCE)
        for turn in [pool.submit(kernel, *given, start, min(start + AT_ONCE, count)) for start in turns]:
            turn.result()
