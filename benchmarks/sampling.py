"""Ways to write deformable attention's sampling: `python -m benchmarks.sampling`.

One encoder layer of the real size for a 640x640 input (8400 cells, 8 heads of 32, 3 levels, 4 points):
as everybody writes it (`grid_sample` for each level, stacked, weighted, summed), the same without
stacking, as a sum of table rows (`embedding_bag`), and as the one operation that the parser uses.
Medians in milliseconds; all ways are checked to agree first.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import openvino as ov
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from humanparse.cpu import usable_cores
from humanparse.parsers.m2fp import deformable, sampling
from humanparse.parsers.m2fp.configuration import LEVELS, POINTS

Array = NDArray[np.float32]
Run = Callable[[], Array]

SIZES = ((20, 20), (40, 40), (80, 80))
HEADS, WIDTH = 8, 32
AGREE = 1e-3  # bf16 is not asked for here


def as_published(value: Tensor, offsets: Tensor, scores: Tensor) -> Tensor:
    """Samples of all levels stacked, then weighted and summed over levels and points."""
    samples = [_sample_level(value, offsets, level) for level in range(LEVELS)]
    weights = scores.softmax(-1).permute(1, 0, 2).unsqueeze(1)  # heads, 1, S, L * P
    return (torch.stack(samples, -2).flatten(-2) * weights).sum(-1).permute(2, 0, 1)


def without_stacking(value: Tensor, offsets: Tensor, scores: Tensor) -> Tensor:
    """Each level weighted and summed by itself."""
    weights = scores.softmax(-1).permute(1, 0, 2).unsqueeze(1)
    total = torch.zeros(())
    for level in range(LEVELS):
        part = weights[..., level * POINTS : (level + 1) * POINTS]
        total = total + (_sample_level(value, offsets, level) * part).sum(-1)
    return total.permute(2, 0, 1)


def as_table(value: Tensor, offsets: Tensor, scores: Tensor) -> Tensor:
    """What `deformable.sample` does."""
    return deformable.sample(value, offsets, scores, torch.tensor(SIZES))


def _sample_level(value: Tensor, offsets: Tensor, level: int) -> Tensor:
    """(heads, width, S, POINTS): what all queries find in one level."""
    height, width = SIZES[level]
    start = sum(h * w for h, w in SIZES[:level])
    maps = value[start : start + height * width].view(height, width, HEADS, WIDTH).permute(2, 3, 0, 1)
    size = torch.tensor([width, height])
    place = deformable._places(torch.tensor(SIZES))[:, level] + 0.5  # S, 2
    grid = (place[:, None, None] + offsets[:, :, level]) / size * 2 - 1  # S, heads, P, 2
    return F.grid_sample(maps, grid.permute(1, 0, 2, 3), align_corners=False)


class Wrapped(nn.Module):
    """A function as a module, so that it can be converted."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, value: Tensor, offsets: Tensor, scores: Tensor) -> Tensor:
        return self.function(value, offsets, scores)


def in_openvino(function: Callable[..., Tensor], arrays: list[Array], threads: int) -> Run:
    tensors = tuple(torch.from_numpy(array) for array in arrays)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's, about sizes, which are fixed here
        model = ov.convert_model(Wrapped(function), example_input=tensors, input=[list(a.shape) for a in arrays])
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
    request = ov.Core().compile_model(model, "CPU", options).create_infer_request()
    return lambda: request.infer(arrays)[0]


def in_torch(function: Callable[..., Tensor], arrays: list[Array], threads: int) -> Run:
    torch.set_num_threads(threads)
    tensors = [torch.from_numpy(array) for array in arrays]

    def run() -> Array:
        with torch.inference_mode():
            return function(*tensors).numpy()

    return run


def in_one_operation(arrays: list[Array], threads: int) -> Run:
    out = np.empty_like(arrays[0])

    def run() -> Array:
        value, offsets, scores = arrays
        sampling.sample(value, offsets, scores, np.array(SIZES), out, threads)
        return out

    return run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sampling", description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--threads", type=int, default=usable_cores())
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    cells = sum(h * w for h, w in SIZES)
    arrays = [
        rng.normal(0, 1, (cells, HEADS, WIDTH)).astype(np.float32),
        rng.normal(0, 2, (cells, HEADS, LEVELS, POINTS, 2)).astype(np.float32),
        rng.normal(0, 1, (cells, HEADS, LEVELS * POINTS)).astype(np.float32),
    ]
    make: dict[str, Callable[..., Run]] = {
        "as published, torch": partial(in_torch, as_published),
        "as published, OpenVINO": partial(in_openvino, as_published),
        "without stacking, OpenVINO": partial(in_openvino, without_stacking),
        "as a table, torch": partial(in_torch, as_table),
        "as a table, OpenVINO": partial(in_openvino, as_table),
        "one operation (the parser's)": in_one_operation,
    }
    ways = {name: maker(arrays, args.threads) for name, maker in make.items()}
    expected = ways["as published, torch"]().reshape(cells, HEADS, WIDTH)
    print("| way | ms |\n|---|---:|")
    for name, run in ways.items():
        difference = np.abs(run().reshape(cells, HEADS, WIDTH) - expected).max()
        assert difference < AGREE, f"{name} differs by {difference}"
        times = []
        for _ in range(args.runs):
            start = time.perf_counter()
            run()
            times.append((time.perf_counter() - start) * 1000)
        print(f"| {name} | {statistics.median(times):.1f} |", flush=True)


if __name__ == "__main__":
    main()
