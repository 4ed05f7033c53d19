"""What EfficientNet-Lite is made of, as pieces of an OpenVINO graph: the compact parser's and recognition's encoder.

In int8 every map between layers has 256 levels over the range that is kept for it among the tensors,
and every convolution's weights have 127 over each output channel's own; OpenVINO then computes with
whole numbers.

Sources: Tan and Le, 2019 (the blocks), Liu et al., 2020 (Lite: no squeeze and excitation, ReLU6 throughout).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from openvino import Node, Output
from openvino import opset13 as ops

Tensors = Mapping[str, NDArray[np.floating]]

NORM_EPS: Final = 1e-3  # EfficientNet's own
MIDDLE: Final = 127.0  # EfficientNet-Lite's own normalisation: (value - MIDDLE) / SPREAD
SPREAD: Final = 128.0
RANGE: Final = "range."  # a map's range (low, high) has this and the name of what makes the map as its key


class Layers:
    """Makes layers out of `tensors` by their keys, and knows which of them have been used.

    maps: every map that has a range in int8, by its name.
    """

    def __init__(self, tensors: Tensors, int8: bool = False) -> None:
        self.tensors, self.int8 = tensors, int8
        self.maps: dict[str, Output] = {}
        self.used = {key for key in tensors if key.startswith(RANGE) and not int8}

    def normalise(self, image: Node) -> Output:
        """(1, H, W, 3) uint8 RGB -> (1, 3, H, W) float32 as EfficientNet-Lite takes it."""
        planes = ops.transpose(ops.convert(image, "f32"), constant([0, 3, 1, 2]))
        return self.rounded(ops.divide(ops.subtract(planes, constant(MIDDLE)), constant(SPREAD)), "image")

    def block(self, x: Output, key: str, stride: int) -> Output:
        """MBConv: 1x1 wide (where the tensors have it), 3x3 or 5x5 by channel, 1x1 narrow; `x` added if it fits."""
        y = x
        if f"{key}.expand.conv.weight" in self.tensors:
            y = self.conv_norm(y, f"{key}.expand")
        y = self.conv_norm(y, f"{key}.depthwise", stride=stride, depthwise=True)
        y = self.conv_norm(y, f"{key}.project", linear=True)
        same = stride == 1 and channels_of(x) == channels_of(y)
        return self.rounded(ops.add(x, y), key) if same else y

    def conv_norm(self, x: Output, key: str, stride: int = 1, depthwise: bool = False, linear: bool = False) -> Output:
        """Convolution with the batch normalisation that follows it folded in, then ReLU6."""
        weight = self.take(f"{key}.conv.weight")
        scale = self.take(f"{key}.norm.weight") / np.sqrt(self.take(f"{key}.norm.running_var") + NORM_EPS)
        bias = self.take(f"{key}.norm.bias") - self.take(f"{key}.norm.running_mean") * scale
        y = convolve(x, weight * scale[:, None, None, None], bias, stride, depthwise, self.int8)
        return self.rounded(y if linear else ops.clamp(y, 0.0, 6.0), key)

    def rounded(self, x: Node, key: str) -> Output:
        """In int8, `x` in 256 levels: from 0 where it is never negative, else as far below 0 as above."""
        self.maps[key] = x.output(0)
        if not self.int8:
            return x.output(0)
        low, high = (float(bound) for bound in self.take(RANGE + key))
        if low < 0:
            high = max(high, -low * 127 / 128)
            low = -high * 128 / 127
        bounds = constant(low), constant(high)
        return ops.fake_quantize(x, *bounds, *bounds, levels=256).output(0)

    def take(self, key: str) -> NDArray[np.float32]:
        """A tensor, which counts as used from now on. Raises KeyError."""
        self.used.add(key)
        return self.tensors[key].astype(np.float32)

    def check_all_used(self) -> None:
        """Raises ValueError for a tensor that no layer took."""
        left_over = sorted(set(self.tensors) - self.used)
        if left_over:
            raise ValueError(f"tensors that the graph has no place for: {left_over[:5]}")


def convolve(
    x: Output,
    weight: NDArray[np.float32],
    bias: NDArray[np.float32],
    stride: int,
    depthwise: bool = False,
    int8: bool = False,
) -> Node:
    """A convolution that pads as TensorFlow's SAME does, with its bias: (N, C, H, W) -> (N, O, H/stride, W/stride).

    weight: (O, C, k, k), or (O, 1, k, k) where it is `depthwise`. bias: (O,). int8: the weights in 127 levels.
    """
    # Where the size is open it is even (compact's inputs are multiples of 32); SAME_UPPER is the same there,
    # and right for odd sizes too, but is only taken where the size is known: on open ones it costs time.
    kernel = weight.shape[-1]
    near, far = ((kernel - 2) // 2, (kernel - 1) // 2) if stride == 2 else (kernel // 2, kernel // 2)
    padding = "explicit" if x.get_partial_shape().is_dynamic else "same_upper"
    layout = ([stride, stride], [near, near], [far, far], [1, 1], padding)
    kernels = constant(weight[:, None] if depthwise else weight)
    if int8:
        kernels = _round_weight(kernels, weight)
    y = (ops.group_convolution if depthwise else ops.convolution)(x, kernels, *layout)
    return ops.add(y, constant(bias[None, :, None, None]))


def _round_weight(kernels: Node, weight: NDArray[np.float32]) -> Node:
    """A convolution's weights in 127 levels, as far below 0 as above, for each output channel.

    Half of what a byte holds: CPUs without VNNI add products of bytes in pairs in 16 bits, which would overflow.
    """
    highest = np.maximum(np.abs(weight).max(axis=(1, 2, 3)), 1e-8) * 127 / 63
    bound = highest.reshape(-1, *[1] * (len(kernels.get_output_shape(0)) - 1))
    bounds = constant(-bound), constant(bound)
    return ops.fake_quantize(kernels, *bounds, *bounds, levels=255)


def channels_of(x: Output) -> int:
    """C of an (N, C, H, W) map."""
    return int(x.get_partial_shape()[1].get_length())


def constant(value: object) -> Node:
    """A number or array as a node of the graph; float64 becomes float32."""
    array = np.asarray(value)
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    return ops.constant(array)
