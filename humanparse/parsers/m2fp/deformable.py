"""Multi-scale deformable attention: Zhu et al., Deformable DETR, 2021.

Every query looks at a few points near its own place in each of the levels, and adds up the values
it finds there. Written the usual way, with `grid_sample` for each level, this is more than half of
the network's time on a CPU: the samples of all heads and points are written out, weighted and
added up in separate passes over hundreds of megabytes. Here it is what it is, a weighted sum of
rows of one table, four rows (bilinear) for each sample: `embedding_bag` in torch, and one kernel
in `sampling.py` for OpenVINO. docs/performance.md has the numbers.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from humanparse.parsers.m2fp.configuration import LEVELS, POINTS


def sample(value: Tensor, offsets: Tensor, scores: Tensor, sizes: Tensor) -> Tensor:
    """Weighted sums of bilinear samples.

    value (S, heads, D): all levels' cells, row by row, one level after the other.
    offsets (S, heads, LEVELS, POINTS, 2): (x, y) from the query's own place, in cells of the level
    looked at. scores (S, heads, LEVELS * POINTS): softmax makes the weights of them. sizes (LEVELS, 2)
    int64: each level's (height, width); their products sum to S. Returns (S, heads, D). What lies
    outside is zero.
    """
    cells, heads, width = value.shape
    weights = scores.softmax(-1).view(cells, heads, LEVELS, POINTS)
    place = _places(sizes).unsqueeze(1).unsqueeze(3) + offsets  # (S, heads, LEVELS, POINTS, 2)
    low = place.floor()
    part = place - low
    starts = F.pad(sizes.prod(1).cumsum(0), (1, 0))[:-1].view(1, 1, -1, 1)
    high_x, high_y = (sizes[:, 1] - 1).view(1, 1, -1, 1), (sizes[:, 0] - 1).view(1, 1, -1, 1)
    head = torch.arange(heads).view(1, -1, 1, 1)
    rows, shares = [], []
    for step_y in (0, 1):
        y = low[..., 1].long() + step_y
        share_y = part[..., 1] if step_y else 1 - part[..., 1]
        for step_x in (0, 1):
            x = low[..., 0].long() + step_x
            share_x = part[..., 0] if step_x else 1 - part[..., 0]
            inside = (x >= 0) & (x <= high_x) & (y >= 0) & (y <= high_y)
            cell = starts + y.clamp(min=0).minimum(high_y) * (high_x + 1) + x.clamp(min=0).minimum(high_x)
            rows.append(cell * heads + head)
            shares.append(weights * share_x * share_y * inside)
    bags = torch.stack(rows, -1).view(cells * heads, -1)
    table = value.reshape(cells * heads, width)
    summed = F.embedding_bag(bags, table, per_sample_weights=torch.stack(shares, -1).view_as(bags), mode="sum")
    return summed.view(cells, heads, width)


def _places(sizes: Tensor) -> Tensor:
    """(S, LEVELS, 2) float32: where each cell's middle lies in every level, (x, y) in its cells."""
    rows = []
    for height, width in sizes.tolist():
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        share = torch.stack(((x + 0.5) / width, (y + 0.5) / height), -1).view(-1, 1, 2)
        rows.append(share * sizes.flip(1) - 0.5)
    return torch.cat(rows)


class Sampling(nn.Module):
    """`sample`, shapes and all, as a module, so that the conversion to OpenVINO can put its own in this place."""

    def forward(self, value: Tensor, offsets: Tensor, scores: Tensor, sizes: Tensor) -> Tensor:
        return sample(value, offsets, scores, sizes)


class DeformableAttention(nn.Module):
    """Self-attention over the cells of all levels: x and positions (1, S, C), sizes as in `sample` -> (1, S, C)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        samples = heads * LEVELS * POINTS
        self.sampling_offsets = nn.Linear(width, samples * 2)
        self.attention_weights = nn.Linear(width, samples)
        self.value_proj = nn.Linear(width, width)
        self.output_proj = nn.Linear(width, width)
        self.sampling = Sampling()

    def forward(self, x: Tensor, positions: Tensor, sizes: Tensor) -> Tensor:
        query, heads = x + positions, self.heads
        value = self.value_proj(x).view(-1, heads, x.shape[2] // heads)
        offsets = self.sampling_offsets(query).view(-1, heads, LEVELS, POINTS, 2)
        scores = self.attention_weights(query).view(-1, heads, LEVELS * POINTS)
        found = self.sampling(value, offsets, scores, sizes)
        return self.output_proj(found.flatten(1)).unsqueeze(0)  # type: ignore[no-any-return]
