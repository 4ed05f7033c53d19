"""Deformable attention's sampling as one operation of an OpenVINO graph.

`deformable.sample` says what it computes. OpenVINO has no such operation, and its own ones write
every sample out (docs/performance.md says what was tried). This is a compiled loop that adds up
each row of values where it finds it: first the rows and shares of all of a query's samples, in a
form that vectorises, then the sums.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import numba
import numpy as np
import openvino as ov
from numpy.typing import NDArray

from humanparse.parsers.m2fp.configuration import LEVELS, POINTS
from humanparse.parsers.m2fp.rows import HALF, ONE, ZERO, exp, share_out

FIRST: Final = np.int32(0)
ROWS_A_TURN: Final = 4  # rows of queries that a thread takes at a time
FAST_MATH: Final = {"contract", "reassoc", "nsz", "arcp"}

Kernel = Callable[..., None]


class DeformableSampling(ov.Op):  # type: ignore[misc]
    """value (S, heads, D), offsets (S, heads, LEVELS, POINTS, 2), scores (S, heads, LEVELS * POINTS)
    float32, sizes (LEVELS, 2) integers -> (S, heads, D) float32."""

    threads = 1  # of all networks in this process; set before the first use

    def __init__(self, inputs: list[Any] | None = None) -> None:
        super().__init__(self, inputs)
        if inputs is not None:
            self.constructor_validate_and_infer_types()

    def validate_and_infer_types(self) -> None:
        self.set_output_type(0, ov.Type.f32, self.get_input_partial_shape(0))

    def clone_with_new_inputs(self, inputs: list[Any]) -> DeformableSampling:
        return DeformableSampling(inputs)

    def visit_attributes(self, _visitor: Any) -> bool:
        return True

    def has_evaluate(self) -> bool:
        return True

    def evaluate(self, outputs: list[ov.Tensor], inputs: list[ov.Tensor]) -> bool:
        value, offsets, scores, sizes = (tensor.data for tensor in inputs)
        outputs[0].shape = value.shape
        sample(value, offsets, scores, sizes, outputs[0].data, DeformableSampling.threads)
        return True


def sample(
    value: NDArray[np.float32],
    offsets: NDArray[np.float32],
    scores: NDArray[np.float32],
    sizes: NDArray[np.integer],
    out: NDArray[np.float32],
    threads: int,
) -> None:
    """`deformable.sample` into `out`, on so many threads. Arrays as in DeformableSampling, C-contiguous."""
    kernel = _kernel(value.shape[1], value.shape[2])
    sides = sizes.astype(np.int32)

    def work(first: int, end: int) -> None:
        kernel(value, offsets, scores, sides, out, first, end)

    share_out(work, int(sides[:, 0].sum()), ROWS_A_TURN, threads)


@numba.njit(nogil=True)
def _locate(row: int, sizes: NDArray[np.int32]) -> tuple[int, int, int]:
    """(level, y, first cell of the level) of a row of cells, counted through all levels."""
    level, start, y = 0, 0, row
    while y >= sizes[level, 0]:
        y -= sizes[level, 0]
        start += sizes[level, 0] * sizes[level, 1]
        level += 1
    return level, y, start


@numba.njit(nogil=True, fastmath=FAST_MATH, boundscheck=False)
def _softmax(scores: NDArray[np.float32], weights: NDArray[np.float32], power: NDArray[np.int32], heads: int) -> None:
    """Each head's softmax of scores (heads * LEVELS * POINTS,) into weights; `power` is room for `exp`."""
    samples = LEVELS * POINTS
    for head in range(heads):
        highest = scores[head * samples]
        for i in range(head * samples, (head + 1) * samples):
            highest = max(highest, scores[i])
        for i in range(head * samples, (head + 1) * samples):
            weights[i] = scores[i] - highest
    exp(weights, power, heads * samples)
    for head in range(heads):
        total = ZERO
        for i in range(head * samples, (head + 1) * samples):
            total += weights[i]
        for i in range(head * samples, (head + 1) * samples):
            weights[i] /= total


@lru_cache
def _kernel(heads: int, width: int) -> Kernel:
    """The loop for so many heads of such a width; constants, so that the compiler can unroll it."""
    samples = heads * LEVELS * POINTS
    stride = np.int32(heads * width)

    @numba.njit(nogil=True, fastmath=FAST_MATH, boundscheck=False)
    def kernel(
        value: NDArray[np.float32],
        offsets: NDArray[np.float32],
        scores: NDArray[np.float32],
        sizes: NDArray[np.int32],
        out: NDArray[np.float32],
        first_row: int,
        end_row: int,
    ) -> None:
        table, offset, score = value.reshape(-1), offsets.reshape(-1), scores.reshape(-1)
        weight, power = np.empty(samples, np.float32), np.empty(samples, np.int32)
        # per sample of a query: its level's size, where its head's values begin, the level's own place
        high, wide, base = np.empty(samples, np.int32), np.empty(samples, np.int32), np.empty(samples, np.int32)
        last_x, last_y = np.empty(samples, np.int32), np.empty(samples, np.int32)
        middle_y = np.empty(samples, np.float32)
        # per sample: the four rows around it and what each adds
        at00, at01 = np.empty(samples, np.int32), np.empty(samples, np.int32)
        at10, at11 = np.empty(samples, np.int32), np.empty(samples, np.int32)
        share00, share01 = np.empty(samples, np.float32), np.empty(samples, np.float32)
        share10, share11 = np.empty(samples, np.float32), np.empty(samples, np.float32)
        for head in range(heads):
            start = np.int32(0)
            for level in range(LEVELS):
                for point in range(POINTS):
                    i = (head * LEVELS + level) * POINTS + point
                    high[i], wide[i] = sizes[level]
                    last_y[i], last_x[i] = high[i] - 1, wide[i] - 1
                    base[i] = start * stride + head * width
                start += sizes[level, 0] * sizes[level, 1]
        for row in range(first_row, end_row):
            own, query_y, own_start = _locate(row, sizes)
            own_high, own_wide = sizes[own]
            share_y = np.float32((query_y + 0.5) / own_high)
            for i in range(samples):
                middle_y[i] = share_y * np.float32(high[i]) - HALF
            for query_x in range(own_wide):
                query = own_start + query_y * own_wide + query_x
                share_x = np.float32((query_x + 0.5) / own_wide)
                at = query * samples
                _softmax(score[at : at + samples], weight, power, heads)
                for i in range(samples):
                    w, h = np.float32(wide[i]), np.float32(high[i])
                    x = share_x * w - HALF + offset[2 * (at + i)]
                    y = middle_y[i] + offset[2 * (at + i) + 1]
                    x = min(max(x, -ONE), w)  # what lies outside weighs nothing, however far
                    y = min(max(y, -ONE), h)
                    low_x, low_y = np.floor(x), np.floor(y)
                    left = ONE - (x - low_x) if (low_x >= ZERO) & (low_x < w) else ZERO
                    right = x - low_x if low_x < w - ONE else ZERO
                    above = (ONE - (y - low_y)) * weight[i] if (low_y >= ZERO) & (low_y < h) else ZERO
                    below = (y - low_y) * weight[i] if low_y < h - ONE else ZERO
                    share00[i], share01[i] = above * left, above * right
                    share10[i], share11[i] = below * left, below * right
                    # whole numbers are held inside once more: NaN must not become an address
                    x0 = min(max(np.int32(low_x), FIRST), last_x[i])
                    x1 = min(max(np.int32(low_x + ONE), FIRST), last_x[i])
                    y0 = min(max(np.int32(low_y), FIRST), last_y[i]) * wide[i]
                    y1 = min(max(np.int32(low_y + ONE), FIRST), last_y[i]) * wide[i]
                    at00[i], at01[i] = (y0 + x0) * stride + base[i], (y0 + x1) * stride + base[i]
                    at10[i], at11[i] = (y1 + x0) * stride + base[i], (y1 + x1) * stride + base[i]
                for head in range(heads):
                    total = out[query, head]
                    total[:] = ZERO
                    for i in range(head * LEVELS * POINTS, (head + 1) * LEVELS * POINTS):
                        a, b = numba.uint32(at00[i]), numba.uint32(at01[i])
                        c, d = numba.uint32(at10[i]), numba.uint32(at11[i])
                        for k in range(width):
                            total[k] += (
                                share00[i] * table[a + k]
                                + share01[i] * table[b + k]
                                + share10[i] * table[c + k]
                                + share11[i] * table[d + k]
                            )

    return kernel
