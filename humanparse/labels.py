"""The 20 classes of CIHP: what each is called, how it is coloured, which is whose other side.

Ids and order: Gong et al., "Instance-level Human Parsing via Part Grouping Network", ECCV 2018
(the CIHP data set; the same list as LIP, Liang et al., 2018, with Torso-skin for Jumpsuits).
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
    PartClass(1, "Hat", "帽子", (128, 0, 0)),
    PartClass(2, "Hair", "头发", (255, 0, 0)),
    PartClass(3, "Glove", "手套", (0, 85, 0)),
    PartClass(4, "Sunglasses", "墨镜", (170, 0, 51)),
    PartClass(5, "UpperClothes", "上衣", (255, 85, 0)),
    PartClass(6, "Dress", "连衣裙", (0, 0, 85)),
    PartClass(7, "Coat", "外套", (0, 119, 221)),
    PartClass(8, "Socks", "袜子", (85, 85, 0)),
    PartClass(9, "Pants", "裤子", (0, 85, 85)),
    PartClass(10, "Torso-skin", "躯干皮肤", (85, 51, 0)),
    PartClass(11, "Scarf", "围巾", (52, 86, 128)),
    PartClass(12, "Skirt", "半身裙", (0, 128, 0)),
    PartClass(13, "Face", "脸", (0, 0, 255)),
    PartClass(14, "Left-arm", "左臂", (51, 170, 221), twin=15),
    PartClass(15, "Right-arm", "右臂", (0, 255, 255), twin=14),
    PartClass(16, "Left-leg", "左腿", (85, 255, 170), twin=17),
    PartClass(17, "Right-leg", "右腿", (170, 255, 85), twin=16),
    PartClass(18, "Left-shoe", "左鞋", (255, 255, 0), twin=19),
    PartClass(19, "Right-shoe", "右鞋", (255, 170, 0), twin=18),
)

NUM_CLASSES: Final = len(CLASSES)
NAMES: Final = tuple(c.name for c in CLASSES)

PALETTE: Final[NDArray[np.uint8]] = np.array([c.colour for c in CLASSES], dtype=np.uint8)
"""(20, 3) uint8 RGB, row = class id."""
PALETTE.setflags(write=False)
