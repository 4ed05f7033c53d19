"""The studio from the command line: `stylize PHOTO --effect oil --only background --out OUT`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from humanparse.checks import read_settings
from humanparse.commands.photo_files import STDIN, exit_code, find_photos, free_name, read_photo_file, write_file
from humanparse.effects import EFFECTS
from humanparse.errors import HumanParseError, InvalidOption
from humanparse.image_formats import suffixes
from humanparse.pipeline import Pipeline
from humanparse.studio import Studio, Stylized
from humanparse.stylize_options import ALL, ENCODERS, SUFFIXES, StylizeOptions

STDOUT: Final = STDIN  # the same word, -
PARAMETERS: Final = sorted({parameter.name for effect in EFFECTS.values() for parameter in effect.parameters})


def define_stylize(stylize: argparse.ArgumentParser) -> None:
    stylize.description = f"Effects: {', '.join(EFFECTS)}; {ALL} for the four of the studio."
    stylize.add_argument("photos", nargs="+", type=Path, metavar="PHOTO_OR_FOLDER", help="- is the standard input")
    stylize.add_argument("--effect", required=True, help="one, or several with commas between")
    stylize.add_argument("--only", default="", help="only there: background, person, face, coat, ...")
    stylize.add_argument("--except", default="", help="not there: the same words")
    stylize.add_argument("--people", default="", help="only on these people: 1 is the largest")
    stylize.add_argument("--feather", help="width of the soft edge in pixels")
    stylize.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the effect")
    stylize.add_argument("--format", choices=ENCODERS, help="format of the pictures (default: by --out, else jpeg)")
    stylize.add_argument("--parser", help="which parser finds the parts (default: HUMANPARSE_PARSER)")
    stylize.add_argument(
        "--out",
        type=Path,
        default=Path("results"),
        help="a file for one picture, - for the standard output, else a folder (default: results)",
    )
    stylize.set_defaults(run=_stylize)


def _stylize(args: argparse.Namespace) -> int:
    settings = read_settings()
    options = StylizeOptions.from_strings(_given(args), settings)
    photos = list(find_photos(args.photos))
    if _is_one(args.out) and (len(photos) > 1 or len(options.effects) > 1):
        raise InvalidOption(f"{args.out} is one file, and there are several pictures; name a folder.")
    pipeline = Pipeline(settings)
    if not options.selection.everywhere:
        pipeline.load(options.parser)
    studio, failed = Studio(settings, pipeline), 0
    taken: set[str] = set()
    for photo in photos:
        try:
            made = studio.stylize(read_photo_file(photo), options)
            _write(made, photo, args.out, taken)
        except HumanParseError as error:
            print(f"{photo}: {error.message}", file=sys.stderr)
            failed += 1
    return exit_code(args.photos, photos, failed)


def _write(made: Stylized, photo: Path, out: Path, taken: set[str]) -> None:
    """Every picture to its place. Raises StorageError."""
    name = free_name(photo, taken)
    for effect, data in made.pictures.items():
        path = out if _is_one(out) else out / f"{name}.{effect}{SUFFIXES[made.image_format]}"
        if out == STDOUT:
            sys.stdout.buffer.write(data)
        else:
            write_file(path, data)
        where = sys.stderr if out == STDOUT else sys.stdout
        print(f"{path}: {made.coverage:.0%} of {photo} changed", file=where)


def _given(args: argparse.Namespace) -> dict[str, object]:
    """What options are made of. Raises InvalidOption."""
    given: dict[str, object] = {name: getattr(args, name) for name in ("effect", "only", "except", "people")}
    given.update({name: getattr(args, name) for name in ("feather", "parser") if getattr(args, name) is not None})
    named = _format_named(args.out)
    if args.format and named and args.format != named:
        raise InvalidOption(f"--format is {args.format}, and {args.out} would be {named}.")
    given["image_format"] = args.format or named or "jpeg"
    for text in args.set:
        name, equals, value = text.partition("=")
        if not equals:
            raise InvalidOption(f"--set {text} has no =; write it as --set size=6.")
        if name not in PARAMETERS:
            raise InvalidOption(f"--set has no parameter {name!r}; there are {', '.join(PARAMETERS)}.")
        given[name] = value
    return given


def _is_one(out: Path) -> bool:
    return out == STDOUT or _format_named(out) is not None


def _format_named(out: Path) -> str | None:
    """The format that the suffix of `out` stands for; None for a folder. Raises InvalidOption for another format's."""
    suffix = out.suffix.lower()
    if out.is_dir() or suffix not in suffixes():
        return None
    for name, own in SUFFIXES.items():
        if suffix in (own, f".{name}"):
            return name
    allowed = list(SUFFIXES.values())
    raise InvalidOption(f"{out} is of a format that is not written here; name one of {', '.join(allowed)}.")
