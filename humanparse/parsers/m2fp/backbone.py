"""DeepLab-stem ResNet: He et al., 2016, with the three-convolution stem of DeepLab (Chen et al., 2018).

Keys of the state dict are the checkpoint's; batch normalisation has torch's own epsilon, 1e-5.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from humanparse.parsers.m2fp.configuration import Backbone


class Conv(nn.Conv2d):
    """(N, cin, H, W) -> (N, cout, H/stride, W/stride).

    A convolution without bias and, as its child `norm`, the normalisation after it.
    """

    def __init__(
        self, cin: int, cout: int, kernel: int, norm: nn.Module, stride: int = 1, dilation: int = 1, groups: int = 1
    ) -> None:
        super().__init__(cin, cout, kernel, stride, dilation * (kernel // 2), dilation, groups, bias=False)
        self.norm = norm

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(super().forward(x))  # type: ignore[no-any-return]


def conv_bn(cin: int, cout: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1) -> Conv:
    """A convolution of as many pixels on each side, with its batch normalisation."""
    return Conv(cin, cout, kernel, nn.BatchNorm2d(cout), stride, dilation, groups)


class Stem(nn.Module):
    """(N, 3, H, W) -> (N, C, H/4, W/4): three 3x3 convolutions, the first of stride 2, and a max pool."""

    def __init__(self, cout: int) -> None:
        super().__init__()
        half = cout // 2
        self.conv1 = conv_bn(3, half, 3, stride=2)
        self.conv2 = conv_bn(half, half, 3)
        self.conv3 = conv_bn(half, cout, 3)

    def forward(self, x: Tensor) -> Tensor:
        for conv in (self.conv1, self.conv2, self.conv3):
            x = F.relu(conv(x))
        return F.max_pool2d(x, 3, 2, 1)


class Bottleneck(nn.Module):
    """(N, cin, H, W) -> (N, cout, H/stride, W/stride).

    1x1 narrow, 3x3, 1x1 wide; the shortcut is projected where the width changes.
    """

    def __init__(
        self, cin: int, cout: int, width: int, stride: int, dilation: int, groups: int, stride_in_1x1: bool
    ) -> None:
        super().__init__()
        first, second = (stride, 1) if stride_in_1x1 else (1, stride)
        self.shortcut = conv_bn(cin, cout, 1, stride) if cin != cout else None
        self.conv1 = conv_bn(cin, width, 1, first)
        self.conv2 = conv_bn(width, width, 3, second, dilation, groups)
        self.conv3 = conv_bn(width, cout, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.conv1(x))
        y = self.conv3(F.relu(self.conv2(y)))
        return F.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class ResNet(nn.Module):
    """(N, 3, H, W) -> the maps (N, C, h, w) of res2 to res5, of stride 4, 8, 16, 32 where nothing is dilated."""

    def __init__(self, plan: Backbone) -> None:
        super().__init__()
        self.stem = Stem(plan.stem_channels)
        cin, width = plan.stem_channels, plan.groups * plan.width_per_group
        stages = []
        dilations = (1, 1, plan.res4_dilation, plan.res5_dilation)
        for index, (blocks, cout, dilation) in enumerate(zip(plan.blocks, plan.channels, dilations, strict=True)):
            stage = []
            for block in range(blocks):
                stride = 2 if index > 0 and block == 0 and dilation == 1 else 1
                factor = plan.multi_grid[block] if index == 3 else 1
                stage.append(Bottleneck(cin, cout, width, stride, dilation * factor, plan.groups, plan.stride_in_1x1))
                cin = cout
            stages.append(nn.Sequential(*stage))
            width *= 2
        self.res2, self.res3, self.res4, self.res5 = stages

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        x = self.stem(x)
        res2 = self.res2(x)
        res3 = self.res3(res2)
        res4 = self.res4(res3)
        return res2, res3, res4, self.res5(res4)
