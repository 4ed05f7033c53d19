"""What a request for recognition may ask for, checked once for API, page and command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from humanparse.config import Settings
from humanparse.errors import InvalidOption
from humanparse.recognition import RECOGNIZERS

MOST: Final = 100  # that are told, and kept in the cache
TRUE: Final = ("1", "true", "yes", "on")
FALSE: Final = ("0", "false", "no", "off")
OPTIONS: Final = {
    # name: what it chooses, for the docs
    "top_k": "how many of the most likely classes",
    "recognizer": "which recognizer",
    "cache": "may the answer come from the cache, and go there",
}


@dataclass(frozen=True)
class RecognizeOptions:
    """The options by name, see OPTIONS."""

    top_k: int = 5
    recognizer: str = Settings.recognizer
    cache: bool = True

    @classmethod
    def from_strings(cls, given: Mapping[str, object], settings: Settings) -> RecognizeOptions:
        """Options from a query, a form or JSON. Raises InvalidOption for any that we refuse."""
        unknown = sorted(set(given) - set(OPTIONS))
        if unknown:
            allowed = list(OPTIONS)
            raise InvalidOption(f"There is no option {unknown[0]!r}; there are {', '.join(allowed)}.", allowed=allowed)
        recognizer = given.get("recognizer", settings.recognizer)
        if not isinstance(recognizer, str) or recognizer not in RECOGNIZERS:
            raise InvalidOption(
                f"recognizer is {recognizer!r}; it must be one of {', '.join(RECOGNIZERS)}.",
                option="recognizer",
                allowed=list(RECOGNIZERS),
            )
        return cls(_top_k(given.get("top_k", cls.top_k)), recognizer, _flag(given.get("cache", True)))


def _top_k(value: object) -> int:
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= MOST):
        raise InvalidOption(
            f"top_k is {value!r}; it must be a whole number from 1 to {MOST}.", option="top_k", allowed=[1, MOST]
        )
    return int(text)


def _flag(value: object) -> bool:
    text = str(value).lower()
    if text not in TRUE + FALSE:
        raise InvalidOption(f"cache is {value!r}; it must be true or false.", option="cache", allowed=[True, False])
    return text in TRUE
