"""What an image-level tag of the data set says about the 20 classes.

The tags are in the data set's own words (59 clothing classes of Clothing Co-Parsing). They name
what is somewhere in the photo, so they rule classes out; where they name nothing for the upper or
the lower body, they are silent about it, and every garment stays possible there.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from humanparse.labels import NAMES, NUM_CLASSES

ALWAYS = ("Background", "Hair", "Torso-skin", "Face", "Left-arm", "Right-arm", "Left-leg", "Right-leg", "Left-shoe")
UPPER = ("UpperClothes",)
OPEN = ("Coat",)
EITHER = ("UpperClothes", "Coat")  # annotators of the two data sets draw the line differently
LOWER = ("Pants",)
TAGS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("t-shirt", "shirt", "top", "sweater", "blouse", "jumper", "sweatshirt", "hoodie", "bra"), UPPER),
    **dict.fromkeys(("coat", "jacket", "blazer", "cape", "suit"), OPEN),
    **dict.fromkeys(("vest", "cardigan"), EITHER),
    **dict.fromkeys(("romper", "bodysuit"), ("UpperClothes", "Dress", "Pants")),
    **dict.fromkeys(("pants", "jeans", "shorts"), LOWER),
    "dress": ("Dress", "Skirt"),  # below a separate top its lower half is a skirt
    "skirt": ("Skirt",),
    "leggings": ("Pants", "Socks"),
    **dict.fromkeys(("tights", "stockings", "socks"), ("Socks",)),
    "hat": ("Hat",),
    "scarf": ("Scarf",),
    "gloves": ("Glove",),
    **dict.fromkeys(("sunglasses", "glasses"), ("Sunglasses",)),
}
UPPER_BODY = {"UpperClothes", "Dress", "Coat"}
LOWER_BODY = {"Dress", "Skirt", "Pants"}


def allowed_classes(tags: Collection[str]) -> NDArray[np.bool_]:
    """(20,) bool: the classes that a photo with these tags may show; unknown tags say nothing."""
    names = {name for tag in tags for name in TAGS.get(tag, ())}
    if "Dress" in names and "UpperClothes" not in names and "skirt" not in tags:
        names.discard("Skirt")
    silent = [body for body in (UPPER_BODY, LOWER_BODY) if not names & body]
    names = names.union(*silent)
    names |= {*ALWAYS, "Right-shoe"}
    allowed = np.zeros(NUM_CLASSES, np.bool_)
    allowed[[NAMES.index(name) for name in names]] = True
    return allowed
