"""The parsers by name. Each is imported when it is first asked for, not before."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

from humanparse.config import Settings
from humanparse.errors import InvalidOption
from humanparse.parsers.contract import Parser

# Importing OpenVINO reports to its makers over the net, from a thread, unless this package of theirs is missing: a
# service tells nobody that it runs, and gunicorn forks after the import, which a thread at work does not survive.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

PARSERS: Final = {
    # name: (module, class), the most accurate first: `auto` takes the first that is available
    "m2fp": ("humanparse.parsers.m2fp.parser", "M2FPParser"),
    "compact": ("humanparse.parsers.compact.parser", "CompactParser"),
}
AUTO: Final = "auto"
EMBEDDED: Final = "compact"  # the one whose weights come with the code


def make_parser(name: str, settings: Settings) -> Parser:
    """The parser called `name`, not loaded yet. Raises InvalidOption for a name we do not know."""
    if name not in PARSERS:
        allowed = [AUTO, *PARSERS]
        raise InvalidOption(f"There is no parser {name!r}; choose one of {', '.join(allowed)}.", allowed=allowed)
    module, attribute = PARSERS[name]
    parser: Parser = getattr(import_module(module), attribute)(settings)
    return parser


def choose_parser(settings: Settings) -> str:
    """The name behind `auto`: the first parser of the table whose weights are here."""
    for name in PARSERS:
        if make_parser(name, settings).available() is None:
            return name
    return EMBEDDED  # its own error says what is wrong
