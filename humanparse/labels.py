"""The 20 classes of CIHP: what each is called, how it is coloured, which is whose other side.

Ids and order: Gong et al., "Instance-level Human Parsing via Part Grouping Network", ECCV 2018
(the CIHP data set; the same list as LIP, Liang et al., 2018, with Torso-skin for Jumpsuits).

Colours: found by `python -m benchmarks.palette --search`, which keeps all pairs apart for normal
and for colour-blind eyes, and further apart where classes touch on a body. CIEDE2000 of the closest
pair, any / touching: normal 16.9 / 26.3, protanopia 10.9 / 14.6, deuteranopia 11.1 / 14.8,
tritanopia 10.9 / 15.6; `python -m benchmarks.palette` names the pairs. Skin is warm; twins have
nearly one hue, and the left one is lighter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PartClass:
    """One class of a label map: `id` 0..19, English and Chinese name, RGB colour, left/right twin."""

    id: int
    name: str
    name_zh: str
    colour: tuple[int, int, int]
    twin: int | None = None


CLASSES: Final = (
    PartClass(0, "Background", "背景", (0, 0, 0)),
    PartClass(1, "Hat", "帽子", (17, 0, 255)),
    PartClass(2, "Hair", "头发", (187, 238, 0)),
    PartClass(3, "Glove", "手套", (255, 102, 170)),
    PartClass(4, "Sunglasses", "墨镜", (136, 17, 85)),
    PartClass(5, "UpperClothes", "上衣", (204, 187, 255)),
    PartClass(6, "Dress", "连衣裙", (119, 153, 255)),
    PartClass(7, "Coat", "外套", (34, 136, 119)),
    PartClass(8, "Socks", "袜子", (0, 255, 238)),
    PartClass(9, "Pants", "裤子", (136, 85, 255)),
    PartClass(10, "Torso-skin", "躯干皮肤", (221, 0, 85)),
    PartClass(11, "Scarf", "围巾", (0, 68, 153)),
    PartClass(12, "Skirt", "半身裙", (119, 102, 153)),
    PartClass(13, "Face", "脸", (255, 170, 170)),
    PartClass(14, "Left-arm", "左臂", (187, 170, 0), twin=15),
    PartClass(15, "Right-arm", "右臂", (102, 85, 0), twin=14),
    PartClass(16, "Left-leg", "左腿", (255, 221, 153), twin=17),
    PartClass(17, "Right-leg", "右腿", (170, 119, 0), twin=16),
    PartClass(18, "Left-shoe", "左鞋", (119, 170, 119), twin=19),
    PartClass(19, "Right-shoe", "右鞋", (0, 85, 51), twin=18),
)

NUM_CLASSES: Final = len(CLASSES)
NAMES: Final = tuple(c.name for c in CLASSES)

PALETTE: Final[NDArray[np.uint8]] = np.array([c.colour for c in CLASSES], dtype=np.uint8)
"""(20, 3) uint8 RGB, row = class id."""


def _voc_palette() -> NDArray[np.uint8]:
    """Bit k of a channel's colour, from the top, is bit 3k (red), 3k + 1 (green) or 3k + 2 (blue) of the id."""
    ids = np.arange(NUM_CLASSES)[:, None]
    channels = np.arange(3)
    return np.asarray(sum(((ids >> (3 * k + channels)) & 1) << (7 - k) for k in range(8)), np.uint8)


PALETTES: Final[dict[str, NDArray[np.uint8]]] = {
    "humanparse": PALETTE,
    # The colours of the CIHP and LIP authors' own programs (`label_colours` in CIHP_PGN and LIP_JPPNet).
    "cihp": np.array(
        [
            (0, 0, 0), (128, 0, 0), (255, 0, 0), (0, 85, 0), (170, 0, 51), (255, 85, 0), (0, 0, 85),
            (0, 119, 221), (85, 85, 0), (0, 85, 85), (85, 51, 0), (52, 86, 128), (0, 128, 0), (0, 0, 255),
            (51, 170, 221), (0, 255, 255), (85, 255, 170), (170, 255, 85), (255, 255, 0), (255, 170, 0),
        ],
        dtype=np.uint8,
    ),
    # Pascal VOC's colour map (its development kit's VOClabelcolormap), in which SCHP and others save parsings.
    "voc": _voc_palette(),
    # For colour-blind eyes: `python -m benchmarks.palette safe --search --rounds 1500` gives up distance between
    # classes that are never side by side (9.3 at least) for those that touch: 21.5 at least for all three kinds, where
    # ours has 14.6.
    "safe": np.array(
        [
            (0, 0, 0), (51, 170, 187), (221, 238, 0), (0, 102, 85), (136, 17, 102), (170, 153, 255), (136, 102, 238),
            (51, 255, 238), (221, 187, 255), (136, 34, 238), (153, 0, 51), (68, 51, 170), (85, 102, 153),
            (187, 136, 102), (255, 221, 136), (153, 136, 0), (255, 153, 0), (136, 85, 0), (153, 221, 187),
            (34, 136, 119),
        ],
        dtype=np.uint8,
    ),
    # Greys, for print and for eyes that see no colour: steps of CIE L* from 30 to 97, dealt out so that classes that
    # touch on a body differ by 11 or more.
    "monochrome": np.array(
        [
            (grey, grey, grey)
            for grey in (0, 174, 79, 106, 125, 215, 154, 246, 236, 144, 115, 164, 134, 225, 71, 184, 204, 88, 97, 194)
        ],
        dtype=np.uint8,
    ),
}  # fmt: skip
"""Name -> (20, 3) uint8 RGB, row = class id. Ids mean the same in all of them; ours comes first."""
for _palette in PALETTES.values():
    _palette.setflags(write=False)


def plain_name(name: str) -> str:
    """What is compared of a class's name: its letters and digits, in lower case (UpperClothes, upper-clothes)."""
    return "".join(letter for letter in name.lower() if letter.isalnum())
