"""The options of parsing that commands share."""

from __future__ import annotations

import argparse

from humanparse.config import Settings
from humanparse.labels import PALETTES
from humanparse.options import CHOICES, INCLUDES, ParseOptions


def add_parse_options(parser: argparse.ArgumentParser, include: str) -> None:
    """Add them; include: what the help of --include begins with."""
    parser.add_argument("--parser", choices=CHOICES["parser"], help="which parser (default: HUMANPARSE_PARSER)")
    parser.add_argument("--palette", choices=PALETTES, help="colours (default: our own)")
    parser.add_argument("--alpha", help="opacity of the colours, 0 to 1")
    parser.add_argument("--include", help=f"{include}: {', '.join(INCLUDES)}")
    parser.add_argument("--no-outline", action="store_true", help="draw no outlines around people")
    parser.add_argument("--no-detail", action="store_true", help="take no closer look at small people: faster")


def read_parse_options(args: argparse.Namespace, settings: Settings) -> ParseOptions:
    """What was given of them. Raises InvalidOption."""
    given = {
        "parser": args.parser,
        "alpha": args.alpha,
        "outline": not args.no_outline,
        "detail": not args.no_detail,
        "palette": args.palette,
        "include": args.include,
    }
    return ParseOptions.from_strings({name: value for name, value in given.items() if value is not None}, settings)
