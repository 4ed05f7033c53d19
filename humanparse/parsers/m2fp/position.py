"""Sine position encoding of a map's cells (Carion et al., DETR, 2020)."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

TEMPERATURE: Final = 10_000.0
EPS: Final = 1e-6


def encode_positions(x: Tensor, width: int) -> Tensor:
    """(1, width, H, W) float32 for a map (N, C, H, W); the first half of the channels are y, the rest x.

    A cell's coordinate is its 1-based index as a share of the side, times 2 pi. Written without
    Python numbers for the sides, so that a traced network keeps them open.
    """
    ones = torch.ones_like(x[:1, :1])
    half = width // 2
    index = torch.arange(half, dtype=torch.float32, device=x.device)
    frequency = TEMPERATURE ** (-2 * torch.div(index, 2, rounding_mode="floor") / half)
    halves = []
    for axis in (2, 3):
        count = ones.cumsum(axis)
        share = count / (count.amax(axis, keepdim=True) + EPS) * (2 * math.pi)
        angle = share * frequency.view(1, half, 1, 1)
        waves = torch.stack((angle[:, 0::2].sin(), angle[:, 1::2].cos()), dim=2)
        halves.append(waves.flatten(1, 2))
    return torch.cat(halves, dim=1)
