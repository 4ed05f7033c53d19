"""What a request to the studio may ask for, checked once for API, page and command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from humanparse.config import Settings
from humanparse.effects import ART, EFFECTS, choose_values
from humanparse.effects.selection import Selection, read_classes, read_feather, read_people
from humanparse.encoding import encode_jpeg, encode_png, encode_webp
from humanparse.errors import InvalidOption
from humanparse.options import CHOICES
from humanparse.values import check_names, not_default, read_choice

ALL: Final = "all"
ENCODERS: Final = {"jpeg": encode_jpeg, "png": encode_png, "webp": encode_webp}
SUFFIXES: Final = {"jpeg": ".jpg", "png": ".png", "webp": ".webp"}
MEDIA_TYPES: Final = {name: f"image/{name}" for name in ENCODERS}
FORMATS: Final = (*ENCODERS, "json", "zip")
OPTIONS: Final = {
    # name: what it chooses, for the docs; beside the parameters of the effects
    "effect": f"which effect, or several with commas between; `all` is {', '.join(ART)}",
    "only": "only there: `background`, `person`, `head`, `skin`, `clothes`, `arms`, `legs`, `shoes`, or classes",
    "except": "not there: the same words",
    "people": "only on these people: numbers, the largest person is 1",
    "feather": "width of the soft edge in pixels; without it a 120th of the shorter side",
    "format": "format of the answer; `json` has the pictures as base64, `zip` as files",
    "image_format": "format of the pictures in `json` and `zip`",
    "parser": "which parser finds the parts",
}


@dataclass(frozen=True)
class StylizeOptions:
    """The options by name, see OPTIONS; `parameters` are the effect's own, not looked at yet.

    feather: None for the usual one. format: None where none was asked for.
    """

    effects: tuple[str, ...]
    selection: Selection = field(default_factory=Selection)
    feather: float | None = None
    parameters: tuple[tuple[str, float], ...] = ()
    format: str | None = None
    image_format: str = "jpeg"
    parser: str = Settings.parser

    def chosen(self) -> dict[str, Any]:
        """Those that are not the default, by the API's names, as JSON has them; numbers, and names of closed sets."""
        plain = not_default(self, besides=("effects", "selection", "parameters"))
        return {"effect": list(self.effects), **self.selection.chosen(), **dict(self.parameters), **plain}

    @classmethod
    def from_strings(cls, given: Mapping[str, object], settings: Settings) -> StylizeOptions:
        """Options from a query, a form or JSON. Raises InvalidOption for any that we refuse."""
        effects = _read_effects(given.get("effect"))
        own = {parameter.name for name in effects for parameter in EFFECTS[name].parameters}
        check_names(given, (*OPTIONS, *sorted(own)))
        parameters = {name: value for name, value in given.items() if name in own}
        if parameters and len(effects) > 1:
            raise InvalidOption(f"{next(iter(parameters))} is for one effect, and there are {len(effects)}.")
        selection = Selection(
            read_classes("only", given.get("only", "")),
            read_classes("except", given.get("except", "")),
            read_people(given.get("people", "")),
        )
        values = choose_values(effects[0], parameters, (1, 1)) if parameters else {}
        return cls(
            effects,
            selection,
            read_feather(given["feather"]) if given.get("feather") not in (None, "") else None,
            tuple((name, values[name]) for name in sorted(parameters)),
            read_choice("format", given["format"], FORMATS) if given.get("format") else None,
            read_choice("image_format", given.get("image_format", cls.image_format), tuple(ENCODERS)),
            read_choice("parser", given.get("parser", settings.parser), CHOICES["parser"]),
        )


def _read_effects(value: object) -> tuple[str, ...]:
    allowed = [*EFFECTS, ALL]
    if value is None:
        raise InvalidOption(f"effect is missing; choose from {', '.join(allowed)}.", option="effect", allowed=allowed)
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise InvalidOption(f"effect is {value!r}; choose from {', '.join(allowed)}.", option="effect", allowed=allowed)
    found: dict[str, None] = {}
    for name in map(str.strip, names):
        if name not in allowed:
            message = f"effect has {name!r}; choose from {', '.join(allowed)}."
            raise InvalidOption(message, option="effect", allowed=allowed)
        found.update(dict.fromkeys(ART if name == ALL else (name,)))
    return tuple(found)
