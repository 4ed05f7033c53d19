"""ResNeSt (Zhang et al., "ResNeSt: Split-Attention Networks", 2020) in plain PyTorch, for inference.

State dict keys and shapes are those of the authors' implementation with radix 2, one group, a deep
stem, average pooling in front of strides: what ModelScope's checkpoint has (`GeneralRecognitionPipeline`).
"""

from __future__ import annotations

from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

DEPTHS: Final = (3, 4, 23, 3)  # ResNeSt-101
STEM_WIDTH: Final = 64
EXPANSION: Final = 4
RADIX: Final = 2
REDUCTION: Final = 4


class SplitAttention(nn.Module):
    """(N, width, H, W) -> the same.

    A 3x3 convolution into RADIX groups of channels, weighed against each other by what the whole photo shows.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = max(width * RADIX // REDUCTION, 32)
        self.conv = nn.Conv2d(width, width * RADIX, 3, padding=1, groups=RADIX, bias=False)
        self.bn0 = nn.BatchNorm2d(width * RADIX)
        self.fc1 = nn.Conv2d(width, inner, 1)
        self.bn1 = nn.BatchNorm2d(inner)
        self.fc2 = nn.Conv2d(inner, width * RADIX, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn0(self.conv(x)))
        first, second = x.chunk(RADIX, 1)
        whole = F.adaptive_avg_pool2d(first + second, 1)
        attention = self.fc2(F.relu(self.bn1(self.fc1(whole))))
        near, far = attention.chunk(RADIX, 1)
        share = torch.sigmoid(near - far)  # the softmax of two
        return first * share + second * (1 - share)


class Bottleneck(nn.Module):
    """(N, cin, H, W) -> (N, EXPANSION * width, H/stride, W/stride).

    1x1, split attention, 1x1, beside a skip that is pooled and projected where sizes differ.
    """

    def __init__(self, cin: int, width: int, stride: int) -> None:
        super().__init__()
        cout = width * EXPANSION
        self.conv1 = nn.Conv2d(cin, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = SplitAttention(width)
        self.pool = nn.AvgPool2d(3, stride, padding=1) if stride > 1 else None
        self.conv3 = nn.Conv2d(width, cout, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(cout)
        self.downsample: nn.Module | None = None
        if stride > 1 or cin != cout:
            pool = nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False)
            self.downsample = nn.Sequential(pool, nn.Conv2d(cin, cout, 1, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(F.relu(self.bn1(self.conv1(x))))
        if self.pool is not None:
            y = self.pool(y)
        y = self.bn3(self.conv3(y))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNeSt(nn.Module):
    """(N, 3, H, W) float32, normalised as ImageNet's -> (N, classes) probabilities."""

    def __init__(self, classes: int, depths: tuple[int, ...] = DEPTHS, stem_width: int = STEM_WIDTH) -> None:
        """depths, stem_width: other than ResNeSt-101's in tests alone."""
        super().__init__()
        wide = stem_width * 2
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, stem_width, 3, 2, 1, bias=False),
            nn.BatchNorm2d(stem_width),
            nn.ReLU(),
            nn.Conv2d(stem_width, stem_width, 3, 1, 1, bias=False),
            nn.BatchNorm2d(stem_width),
            nn.ReLU(),
            nn.Conv2d(stem_width, wide, 3, 1, 1, bias=False),
        )
        self.bn1 = nn.BatchNorm2d(wide)
        cin, stages = wide, []
        for stage, depth in enumerate(depths):
            width = stem_width << stage
            blocks = []
            for index in range(depth):
                blocks.append(Bottleneck(cin, width, 2 if stage and index == 0 else 1))
                cin = width * EXPANSION
            stages.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.fc = nn.Linear(cin, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3))).softmax(1)  # type: ignore[no-any-return]
