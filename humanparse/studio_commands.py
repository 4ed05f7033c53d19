"""The studio from the command line: `stylize PHOTO --effect oil --only background --out OUT`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from humanparse.config import Settings
from humanparse.effects import EFFECTS
from humanparse.errors import HumanParseError, InvalidOption
from humanparse.photo_files import read_photo_file
from humanparse.pipeline import Pipeline
from humanparse.studio import Studio
from humanparse.stylize_options import ALL, ENCODERS, SUFFIXES, StylizeOptions


def add_studio_commands(commands: Any) -> None:
    """Add `stylize` to the subparsers of the command line."""
    stylize = commands.add_parser(
        "stylize",
        help="artistic effects on photos, whole or part by part",
        description=f"Effects: {', '.join(EFFECTS)}; {ALL} for the four of the studio.",
    )
    stylize.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    stylize.add_argument("--effect", required=True, help="one, or several with commas between")
    stylize.add_argument("--only", default="", help="only there: background, person, face, coat, ...")
    stylize.add_argument("--except", default="", help="not there: the same words")
    stylize.add_argument("--people", default="", help="only on these people: 1 is the largest")
    stylize.add_argument("--feather", help="width of the soft edge in pixels")
    stylize.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the effect")
    stylize.add_argument("--format", choices=ENCODERS, help="format of the pictures (default: by --out, else jpeg)")
    stylize.add_argument("--parser", help="which parser finds the parts (default: HUMANPARSE_PARSER)")
    stylize.add_argument(
        "--out", type=Path, default=Path("results"), help="a file for one picture, else a folder (default: results)"
    )
    stylize.set_defaults(run=_stylize)


def _stylize(args: argparse.Namespace) -> int:
    try:
        settings = Settings.from_env()
        options = StylizeOptions.from_strings(_given(args), settings)
        pipeline = Pipeline(settings)
        if not options.selection.everywhere:
            pipeline.load(options.parser)
    except HumanParseError as error:
        print(error.message, file=sys.stderr)
        return 2
    studio, failed = Studio(settings, pipeline), 0
    one_file = _is_picture(args.out)
    if one_file and (len(args.photos) > 1 or len(options.effects) > 1):
        print(f"{args.out} is one file, and there are several pictures; name a folder.", file=sys.stderr)
        return 2
    for photo in args.photos:
        try:
            made = studio.stylize(read_photo_file(photo), options)
        except HumanParseError as error:
            print(f"{photo}: {error.message}", file=sys.stderr)
            failed += 1
            continue
        for effect, data in made.pictures.items():
            path = args.out if one_file else args.out / f"{photo.stem}.{effect}{SUFFIXES[made.image_format]}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            print(f"{path}: {made.coverage:.0%} of {photo} changed")
    return 1 if failed else 0


def _given(args: argparse.Namespace) -> dict[str, object]:
    given: dict[str, object] = {name: getattr(args, name) for name in ("effect", "only", "except", "people")}
    given.update({name: getattr(args, name) for name in ("feather", "parser") if getattr(args, name) is not None})
    suffix = args.out.suffix.lower().replace(".jpg", ".jpeg")[1:]
    given["image_format"] = args.format or (suffix if suffix in ENCODERS else "jpeg")
    for text in args.set:
        name, equals, value = text.partition("=")
        if not equals:
            raise InvalidOption(f"--set {text} has no =; write it as --set size=6.")
        given[name] = value
    return given


def _is_picture(out: Path) -> bool:
    return out.suffix.lower() in (*SUFFIXES.values(), ".jpeg") and not out.is_dir()
