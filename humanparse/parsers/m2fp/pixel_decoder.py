"""The pixel decoder: deformable attention over res3 to res5, then one finer map from res2."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from humanparse.parsers.m2fp.backbone import Conv
from humanparse.parsers.m2fp.configuration import LEVELS, PixelDecoder
from humanparse.parsers.m2fp.deformable import DeformableAttention
from humanparse.parsers.m2fp.position import encode_positions

NORM_GROUPS = 32


class GroupNorm(nn.GroupNorm):
    """(N, C, H, W) -> the same. torch's own, written out.

    OpenVINO 2026.4's dies (SIGSEGV) on AVX2 where a map's area is no multiple of 8.
    """

    def __init__(self, width: int) -> None:
        super().__init__(NORM_GROUPS, width)

    def forward(self, x: Tensor) -> Tensor:
        groups = x.reshape(x.shape[0], self.num_groups, -1)
        groups = groups - groups.mean(-1, keepdim=True)
        groups = groups * (groups.square().mean(-1, keepdim=True) + self.eps).rsqrt()
        return groups.view_as(x) * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)


class EncoderLayer(nn.Module):
    """x and positions (1, S, C), sizes as in `deformable.sample` -> (1, S, C).

    Deformable self-attention and a feed-forward network, each normalised after its sum.
    """

    def __init__(self, plan: PixelDecoder) -> None:
        super().__init__()
        self.self_attn = DeformableAttention(plan.width, plan.heads)
        self.norm1 = nn.LayerNorm(plan.width)
        self.linear1 = nn.Linear(plan.width, plan.feedforward)
        self.linear2 = nn.Linear(plan.feedforward, plan.width)
        self.norm2 = nn.LayerNorm(plan.width)

    def forward(self, x: Tensor, positions: Tensor, sizes: Tensor) -> Tensor:
        x = self.norm1(x + self.self_attn(x, positions, sizes))
        return self.norm2(x + self.linear2(F.relu(self.linear1(x))))  # type: ignore[no-any-return]


class Encoder(nn.Module):
    """Only holds the layers, under the checkpoint's keys; Transformer runs them."""

    def __init__(self, plan: PixelDecoder) -> None:
        super().__init__()
        self.layers = nn.ModuleList([EncoderLayer(plan) for _ in range(plan.layers)])


class Transformer(nn.Module):
    """LEVELS maps (1, C, h, w) -> as many of the same sizes: as one row of S cells through the encoder, and back.

    `level_embed` tells the levels apart.
    """

    def __init__(self, plan: PixelDecoder) -> None:
        super().__init__()
        self.encoder = Encoder(plan)
        self.level_embed = nn.Parameter(torch.zeros(LEVELS, plan.width))

    def forward(self, levels: list[Tensor]) -> list[Tensor]:
        width = levels[0].shape[1]
        cells = torch.cat([level.flatten(2).transpose(1, 2) for level in levels], 1)
        positions = torch.cat(
            [
                encode_positions(level, width).flatten(2).transpose(1, 2) + self.level_embed[index]
                for index, level in enumerate(levels)
            ],
            1,
        )
        sizes = torch.stack([_size_of(level) for level in levels])
        for layer in self.encoder.layers:
            cells = layer(cells, positions, sizes)
        ends = [level.shape[2] * level.shape[3] for level in levels]
        rows = torch.split(cells, ends, dim=1)
        return [row.transpose(1, 2).reshape(level.shape) for row, level in zip(rows, levels, strict=True)]


class PixelFeatures(NamedTuple):
    """`masks` (1, mask width, H/4, W/4); `levels` (1, width, h, w) of stride 32, 16 and 8."""

    masks: Tensor
    levels: list[Tensor]


class PixelDecoderNetwork(nn.Module):
    """The four maps (1, C, h, w) of the backbone, finest first -> PixelFeatures."""

    def __init__(self, plan: PixelDecoder, channels: tuple[int, int, int, int]) -> None:
        super().__init__()
        width = plan.width
        self.input_proj = nn.ModuleList(
            nn.Sequential(nn.Conv2d(cin, width, 1), GroupNorm(width)) for cin in channels[:0:-1]
        )
        self.transformer = Transformer(plan)
        self.mask_features = nn.Conv2d(width, plan.mask_width, 1)
        self.adapter_1 = Conv(channels[0], width, 1, GroupNorm(width))
        self.layer_1 = Conv(width, width, 3, GroupNorm(width))

    def forward(self, maps: tuple[Tensor, Tensor, Tensor, Tensor]) -> PixelFeatures:
        levels = [project(x) for project, x in zip(self.input_proj, maps[:0:-1], strict=True)]
        levels = self.transformer(levels)
        side = self.adapter_1(maps[0])
        finest = F.interpolate(levels[-1], size=side.shape[-2:], mode="bilinear", align_corners=False)
        finest = F.relu(self.layer_1(side + finest))
        return PixelFeatures(self.mask_features(finest), levels)


def _size_of(level: Tensor) -> Tensor:
    """(height, width) as an int64 tensor that stays open in a trace."""
    return torch._shape_as_tensor(level)[2:]
