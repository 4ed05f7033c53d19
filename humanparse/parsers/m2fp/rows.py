"""What compiled loops over rows need: threads to share them, and an exponential that vectorises."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Final

import numba
import numpy as np
from numpy.typing import NDArray

LOG2_E: Final = np.float32(1.44269504)
LN2_HIGH, LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)  # ln 2 in two pieces: no digits are lost
LOWEST, HIGHEST = np.float32(-87.0), np.float32(88.0)  # beyond, float32 has no normal numbers
ZERO, HALF, ONE = np.float32(0), np.float32(0.5), np.float32(1)  # of the type that the loops compute in
# exp(x) = 1 + x + x^2 p(x) on +-ln(2)/2, highest power first (Cephes, Moshier, `expf`)
P0, P1, P2 = np.float32(1.9875691500e-4), np.float32(1.3981999507e-3), np.float32(8.3334519073e-3)
P3, P4, P5 = np.float32(4.1665795894e-2), np.float32(1.6666665459e-1), np.float32(5.0000001201e-1)


@numba.njit(nogil=True, boundscheck=False, fastmath={"contract", "nsz"})
def exp(values: NDArray[np.float32], power: NDArray[np.int32], count: int) -> None:
    """The exponential of the first `count` values, in place, right to 2 in the last place; `power` is room.

    The compiler calls the C library's for each number; this it turns into instructions for 8 or 16.
    """
    for i in range(count):
        x = min(max(values[i], LOWEST), HIGHEST)
        n = np.floor(x * LOG2_E + HALF)
        x = x - n * LN2_HIGH - n * LN2_LOW
        p = ((((P0 * x + P1) * x + P2) * x + P3) * x + P4) * x + P5
        values[i] = p * x * x + x + ONE
        power[i] = (np.int32(n) + np.int32(127)) << np.int32(23)  # 2 ** n, as the bits of a float32
    scale = power.view(np.float32)
    for i in range(count):
        values[i] *= scale[i]


def share_out(work: Callable[[int, int], None], rows: int, a_turn: int, threads: int) -> None:
    """Call `work(first, end)` for all rows, `a_turn` at a time, on so many threads; returns when all is done."""

    def take(first: int) -> None:
        for start in range(first * a_turn, rows, threads * a_turn):
            work(start, min(start + a_turn, rows))

    if threads == 1:
        work(0, rows)
    else:
        list(_pool(threads).map(take, range(threads)))


@lru_cache(maxsize=1)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="rows")
