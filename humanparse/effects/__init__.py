"""Artistic filters: what each is called, what it can be told, and how it is run in bounded memory.

contract.py          an effect, a parameter
domain_transform.py  smoothing that keeps edges, line by line, exact at every size
drawing.py           pencil, pencil_color, watercolor: made of it
oil.py               oil, a compiled loop of its own
local.py             effects that look only so far around a pixel
tiles.py             those in tiles, which cannot be seen in the result
selection.py         where an effect goes: background, people, parts, with soft edges
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Final

import numpy as np
from numpy.typing import NDArray

from humanparse.effects import local
from humanparse.effects.contract import Effect, Paint, Parameter, Values
from humanparse.effects.tiles import in_tiles
from humanparse.errors import InvalidOption


def _compiled(module: str, name: str) -> Paint:
    """An effect that numba compiles, imported when it is first used: a service that only parses does not hold it."""

    def paint(image: NDArray[np.uint8], values: Values, out: NDArray[np.uint8], mask: NDArray[np.uint8] | None) -> None:
        real: Paint = getattr(import_module(f"humanparse.effects.{module}"), name)
        real(image, values, out, mask)

    return paint


_SIGMA_R: Final = "how different neighbours may be and still be smoothed into one, as a share of the whole range"
_SIGMA_R_ZH: Final = "相邻颜色相差多少仍被抹成一片，占全范围的份额"
_PENCIL: Final = (
    Parameter("sigma_s", 60, 5, 200, "how far strokes reach", "笔触有多长", pixels=True),
    Parameter("sigma_r", 0.07, 0.01, 1, _SIGMA_R, _SIGMA_R_ZH),
    Parameter("shade_factor", 0.04, 0.005, 0.1, "how bright the paper between strokes is", "笔触之间的纸有多亮"),
    Parameter("hatching", 0.3, 0, 1, "how dark strokes are", "笔触有多深"),
    Parameter("shading", 0.35, 0, 1, "how dark the photo's dark parts are shaded", "照片暗处的阴影有多深"),
)

EFFECTS: Final = {
    # the four of the studio first
    "pencil": Effect(
        "Pencil",
        "铅笔素描",
        "lines, shades and strokes of grey",
        _compiled("drawing", "pencil"),
        _PENCIL,
    ),
    "pencil_color": Effect(
        "Colour pencil",
        "彩色铅笔",
        "the same in the photo's colours",
        _compiled("drawing", "pencil_color"),
        _PENCIL,
    ),
    "oil": Effect(
        "Oil painting",
        "油画",
        "strokes of even colour",
        _compiled("oil", "oil"),
        (
            Parameter("size", 4, 1, 20, "how wide strokes are", "笔触有多宽", pixels=True, whole=True),
            Parameter(
                "levels",
                48,
                8,
                128,
                "how many brightnesses strokes are told apart by",
                "按多少级亮度区分笔触",
                whole=True,
            ),
        ),
    ),
    "watercolor": Effect(
        "Watercolour",
        "水彩画",
        "even washes with dark edges",
        _compiled("drawing", "watercolor"),
        (
            Parameter("sigma_s", 45, 1, 200, "how far washes reach", "水色铺开多远", pixels=True),
            Parameter("sigma_r", 0.35, 0.01, 1, _SIGMA_R, _SIGMA_R_ZH),
            Parameter("edges", 4, 0, 40, "how dark the edges of washes are", "水色边缘有多深", pixels=True),
        ),
    ),
    "grey": Effect("Grey", "黑白", "without colour", in_tiles(local.grey)),
    "sepia": Effect("Sepia", "怀旧", "brown as an old print", in_tiles(local.sepia)),
    "blur": Effect(
        "Blur",
        "模糊",
        "out of focus",
        in_tiles(local.blur, local.blur_reach, local.blur_factor),
        (Parameter("sigma", 8, 0.3, 60, "how far it reaches", "模糊多远", pixels=True),),
    ),
    "pixelate": Effect(
        "Pixelate",
        "马赛克",
        "squares of one colour; recognizable faces want large ones",
        in_tiles(local.pixelate, multiple=local.pixelate_unit),
        (Parameter("block", 16, 2, 200, "side of a square", "方格的边长", pixels=True, whole=True),),
    ),
    "cartoon": Effect(
        "Cartoon",
        "卡通",
        "few colours and black lines",
        in_tiles(local.cartoon, local.cartoon_reach, local.cartoon_factor),
        (
            Parameter("radius", 3, 1, 12, "how far colours are evened out", "颜色抹匀的范围", pixels=True, whole=True),
            Parameter("levels", 10, 3, 64, "how many brightnesses", "多少级亮度", whole=True),
        ),
    ),
    "edges": Effect(
        "Edges",
        "边缘",
        "dark lines where brightness changes",
        in_tiles(local.edges, local.edges_reach),
        (
            Parameter("sigma", 1, 0.3, 10, "how fine lines are", "线条有多细", pixels=True),
            Parameter("strength", 2, 0.2, 10, "how dark they are", "线条有多深"),
        ),
    ),
    "emboss": Effect(
        "Emboss",
        "浮雕",
        "a grey relief, lit from the upper left",
        in_tiles(local.emboss, lambda values: 2),
        (Parameter("strength", 1, 0.2, 5, "how deep it is", "浮雕有多深"),),
    ),
    "sharpen": Effect(
        "Sharpen",
        "锐化",
        "edges made stronger",
        in_tiles(local.sharpen, local.sharpen_reach),
        (
            Parameter("sigma", 1.5, 0.3, 10, "how wide the edges are", "边缘有多宽", pixels=True),
            Parameter("strength", 1, 0.1, 5, "how much", "锐化多少"),
        ),
    ),
    "posterize": Effect(
        "Posterize",
        "色调分离",
        "few brightnesses of each colour",
        in_tiles(local.posterize),
        (Parameter("levels", 5, 2, 64, "how many", "每种颜色多少级", whole=True),),
    ),
    "invert": Effect("Invert", "反色", "a negative", in_tiles(local.invert)),
    "vignette": Effect(
        "Vignette",
        "暗角",
        "darker towards the corners",
        in_tiles(local.vignette),
        (Parameter("strength", 0.7, 0, 1, "how dark the corners are", "四角有多暗"),),
    ),
}
ART: Final = ("pencil", "pencil_color", "oil", "watercolor")


def choose_values(name: str, given: Mapping[str, object], size: tuple[int, int]) -> Values:
    """Every parameter of effect `name` for a photo of `size` (height, width): given, or its default.

    Raises InvalidOption for a name or value that the effect does not take.
    """
    effect = EFFECTS[name]
    known = {parameter.name: parameter for parameter in effect.parameters}
    unknown = sorted(set(given) - set(known))
    if unknown:
        takes = f"it takes {', '.join(known)}" if known else "it takes none"
        raise InvalidOption(f"{name} has no parameter {unknown[0]!r}; {takes}.", option=unknown[0], allowed=list(known))
    return {key: p.read(given[key]) if key in given else p.default_for(size) for key, p in known.items()}


def apply_effect(
    name: str, image: NDArray[np.uint8], values: Values, mask: NDArray[np.uint8] | None = None
) -> NDArray[np.uint8]:
    """The photo with the effect, a new (H, W, 3) uint8 RGB.

    values: as `choose_values` makes them. mask: (H, W) uint8, 0 where the effect is not wanted; what is
    there is undefined then, and may not be computed: `selection.blend` puts the photo there.
    """
    out = np.empty_like(image)
    EFFECTS[name].paint(image, values, out, mask)
    return out
