"""What a request may ask for, checked once for page, API and command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from humanparse.config import Settings
from humanparse.errors import InvalidOption
from humanparse.exports import FORMATS, JSON
from humanparse.exports.formats import OVERLAYS
from humanparse.labels import PALETTES
from humanparse.parsers import AUTO, PARSERS
from humanparse.values import check_names, not_default, read_choice, read_flag, read_number

INCLUDES: Final = {
    # name: what it adds to the answer, for the docs and for messages
    "label_map": "base64 palette PNG of the photo's size, pixel value = class id",
    "people_map": "base64 palette PNG of the photo's size, pixel value = person number",
    "masks": "base64 PNG (0 or 255) of every part",
    "rle": "COCO run-length encoding of every part",
    "keypoints": "17 COCO key points of every person, [x, y, score] each, and `keypoint_names`",
    "polygons": "outlines of every part, [x0, y0, x1, y1, ...] each",
}
OPTIONS: Final = {
    # name: what it chooses, for the docs
    "parser": "which parser; `auto` is the most accurate one that can run here",
    "alpha": "opacity of the colours, 0 to 1",
    "outline": "draw people's outlines",
    "detail": "look a second time, and closer at people who are small in the photo",
    "palette": "colours of the overlay and of the label map; the class ids are always those of CIHP",
    "include": "what to add to the JSON, with commas between",
    "overlay": "format of the overlay in the JSON; `none` leaves it out",
    "format": "format of the whole answer",
}
CHOICES: Final = {
    # option -> its names, the default first (the parser's is a setting)
    "parser": (AUTO, *PARSERS),
    "palette": tuple(PALETTES),
    "overlay": (*OVERLAYS, "none"),
    "format": (JSON, *FORMATS),
}


@dataclass(frozen=True)
class ParseOptions:
    """The options by name, see OPTIONS. `format` is None where none was asked for: each way in has its own."""

    parser: str = Settings.parser
    alpha: float = Settings.alpha
    outline: bool = True
    detail: bool = True
    palette: str = CHOICES["palette"][0]
    include: frozenset[str] = frozenset()
    overlay: str = CHOICES["overlay"][0]
    format: str | None = None

    def chosen(self) -> dict[str, Any]:
        """Those that are not the default, as JSON has them; names and values of closed sets, but for alpha."""
        return not_default(self)

    @classmethod
    def from_strings(cls, given: Mapping[str, object], settings: Settings) -> ParseOptions:
        """Options from a query, a form or JSON. Raises InvalidOption for any that we refuse."""
        check_names(given, tuple(OPTIONS))
        return cls(
            parser=_choice("parser", given.get("parser", settings.parser)),
            alpha=read_number("alpha", given.get("alpha", settings.alpha), 0, 1),
            outline=read_flag("outline", given.get("outline", True)),
            detail=read_flag("detail", given.get("detail", True)),
            palette=_choice("palette", given.get("palette", cls.palette)),
            include=_include(given.get("include", "")),
            overlay=_choice("overlay", given.get("overlay", cls.overlay)),
            format=_choice("format", given["format"]) if "format" in given else None,
        )


def _choice(name: str, value: object) -> str:
    return read_choice(name, value, CHOICES[name])


def _include(value: object) -> frozenset[str]:
    if isinstance(value, str):
        names = [name.strip() for name in value.split(",") if name.strip()]
    elif isinstance(value, list) and all(isinstance(name, str) for name in value):
        names = value
    else:
        raise InvalidOption(f"include is {value!r}; it must be a list of names.", option="include")
    unknown = sorted(set(names) - set(INCLUDES))
    if unknown:
        raise InvalidOption(
            f"include has {unknown[0]!r}; it may have {', '.join(INCLUDES)}.", option="include", allowed=list(INCLUDES)
        )
    return frozenset(names)
