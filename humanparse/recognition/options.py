"""What a request for recognition may ask for, checked once for API, page and command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from humanparse.config import Settings
from humanparse.recognition import RECOGNIZERS
from humanparse.values import check_names, not_default, read_choice, read_flag, read_number

MOST: Final = 100  # that are told, and kept in the cache
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

    def chosen(self) -> dict[str, Any]:
        """Those that are not the default, as JSON has them; numbers, and names of closed sets."""
        return not_default(self)

    @classmethod
    def from_strings(cls, given: Mapping[str, object], settings: Settings) -> RecognizeOptions:
        """Options from a query, a form or JSON. Raises InvalidOption for any that we refuse."""
        check_names(given, tuple(OPTIONS))
        return cls(
            int(read_number("top_k", given.get("top_k", cls.top_k), 1, MOST, whole=True)),
            read_choice("recognizer", given.get("recognizer", settings.recognizer), tuple(RECOGNIZERS)),
            read_flag("cache", given.get("cache", True)),
        )
