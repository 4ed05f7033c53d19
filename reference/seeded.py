"""Numbers that are the same on every machine: weights of a network by key and shape, and photos.

Owns nothing but arithmetic. The numbers come from PCG64's raw bits, whose stream numpy promises to keep (it makes no
such promise for its distributions), through integer or single IEEE operations, never through sin or exp, whose last
bit differs from build to build. So the golden files hold outputs only.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def raw(name: str, seed: int, count: int) -> NDArray[np.uint64]:
    """`count` random 64-bit numbers that depend on `name` and `seed` alone. Returns (count,) uint64."""
    bits = np.random.PCG64(np.random.SeedSequence([seed, zlib.crc32(name.encode())])).random_raw(count)
    return np.asarray(bits, dtype=np.uint64)


def uniform(name: str, seed: int, shape: Sequence[int], low: float, high: float) -> NDArray[np.float32]:
    """Evenly spread numbers in [low, high). Returns an array of `shape`, float32."""
    unit = (raw(name, seed, math.prod(shape)) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return (low + (high - low) * unit).astype(np.float32).reshape(tuple(shape))


def gain(key: str) -> float:
    """What a layer of weights does to the standard deviation of what passes, roughly. `key`: its state dict entry."""
    if ".class_embed." in key:
        return 4.0
    if key.endswith("in_proj_weight"):
        return 2.0  # attention that prefers something ...
    if ".predictor.transformer_" in key and key.endswith(("out_proj.weight", "linear2.weight")):
        return 0.15  # ... and changes queries little: they stay different from each other
    if key.startswith("backbone.") or ".linear1." in key or ".mask_embed.layers.0" in key:
        return math.sqrt(2)  # a ReLU follows
    return 1.0


def spread(key: str, shape: Sequence[int]) -> tuple[float, float]:
    """The interval that the values of the state dict entry `key` come from.

    Chosen so that activations neither die nor grow through the depth, sampling offsets reach past the border, the
    masks have both signs, and the class scores are partly sure and partly not.
    """
    if key.endswith("running_mean"):
        return -0.2, 0.2
    if key.endswith("running_var"):
        return 0.5, 1.5
    if key.endswith(".weight") and len(shape) == 1:  # gain of a norm; a block adds little to what passes by it
        return (0.2, 0.4) if key.endswith("conv3.norm.weight") else (0.8, 1.2)
    if key.endswith("sampling_offsets.bias"):
        return -3.0, 3.0  # cells
    if len(shape) == 1:
        return -0.1, 0.1
    if key.endswith(("level_embed", "level_embed.weight", "query_feat.weight", "query_embed.weight")):
        half = math.sqrt(3)  # an even spread over +-sqrt(3) has variance 1
    else:
        half = gain(key) * math.sqrt(3 / math.prod(shape[1:]))
    return -half, half


def weights(shapes: Mapping[str, Sequence[int]], seed: int) -> dict[str, NDArray[Any]]:
    """A whole state dict. `shapes`: key -> shape. Returns key -> float32 array (int64 for num_batches_tracked).

    Every entry depends on its own key, its shape and `seed`: the order of the keys does not matter.
    """
    state: dict[str, NDArray[Any]] = {}
    for key, shape in shapes.items():
        if key.endswith("num_batches_tracked"):
            state[key] = np.zeros(tuple(shape), dtype=np.int64)
        else:
            state[key] = uniform(key, seed, shape, *spread(key, shape))
    return state


def photo(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """Something with the traits of a photo: a gradient, twelve discs of many sizes, grain.

    Returns (height, width, 3) uint8 RGB, made of integer arithmetic.
    """
    y, x = np.ogrid[:height, :width]
    size = min(height, width)
    numbers = raw("photo", seed, 8 * 13).astype(object).reshape(13, 8)  # Python integers: no overflow
    image = np.empty((height, width, 3), dtype=np.int64)
    for channel in range(3):
        down, right = int(numbers[0, channel]) % 120, int(numbers[0, channel + 3]) % 120
        image[..., channel] = 8 + down * y // height + right * x // width
    for row in numbers[1:]:
        center_y, center_x = int(row[0]) % height, int(row[1]) % width
        radius = 1 + size // 20 + int(row[2]) % (size // 3 + 1)
        disc = (y - center_y) ** 2 + (x - center_x) ** 2 <= radius * radius
        image[disc] = [16 + int(value) % 216 for value in row[3:6]]
    grain = (raw("grain", seed, height * width * 3) >> np.uint64(60)).astype(np.int64)
    return (image + grain.reshape(image.shape) - 8).clip(0, 255).astype(np.uint8)


def checksum(*arrays: NDArray[Any]) -> str:
    """SHA-256 of the arrays' bytes, little-endian, in order. Returns 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()
