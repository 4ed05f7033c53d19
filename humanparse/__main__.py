"""The command line: `python -m humanparse parse PHOTO_OR_FOLDER... --out results/`; and more, see --help.

Exit codes: 0 all was done; 1 at least one photo was not parsed (the others were), or the fetch
failed; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from tqdm import tqdm

from humanparse import __version__
from humanparse.config import Settings
from humanparse.doctor.command import add_doctor_command
from humanparse.errors import HumanParseError
from humanparse.exports import FORMATS, JSON, Parsed, describe
from humanparse.job_commands import add_job_commands
from humanparse.labels import PALETTES
from humanparse.log_command import add_log_command
from humanparse.operator_commands import add_operator_commands
from humanparse.options import CHOICES, INCLUDES, ParseOptions
from humanparse.parsers import make_parser
from humanparse.photo_files import find_photos, free_name, read_photo_file
from humanparse.pipeline import Answer, Pipeline
from humanparse.recognition import make_recognizer
from humanparse.recognition_commands import add_recognition_commands
from humanparse.studio_commands import add_studio_commands
from humanparse.video_command import add_video_command

USUAL = ("png", "label_map", "people_map")  # what is written where no format is named


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = _make_argument_parser()
    args = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] | None = args.run
    return _parse(parser, args) if run is None else run(args)


def _parse(parser: argparse.ArgumentParser, args: argparse.Namespace) -> int:
    try:
        settings = Settings.from_env()
        given = {
            "parser": args.parser,
            "alpha": args.alpha,
            "outline": not args.no_outline,
            "detail": not args.no_detail,
            "palette": args.palette,
            "include": args.include,
        }
        options = ParseOptions.from_strings({k: v for k, v in given.items() if v is not None}, settings)
        pipeline = Pipeline(settings)
        pipeline.load(options.parser)
    except HumanParseError as error:
        parser.error(error.message)
    as_json = args.json or bool(args.include)
    formats = tuple(dict.fromkeys(args.format or USUAL)) + ((JSON,) if as_json and JSON not in args.format else ())
    return parse_photos(args.photos, args.out, pipeline, options, formats, as_json)


def parse_photos(
    given: list[Path], out: Path, pipeline: Pipeline, options: ParseOptions, formats: tuple[str, ...], as_json: bool
) -> int:
    """Parse files and folders of photos; one that fails is told on stderr and fails alone.

    `formats` are names of FORMATS, and JSON; `as_json` prints JSON lines instead of sentences.
    """
    photos = list(find_photos(given))
    out.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    shared: dict[str, list[bytes]] = {name: [] for name in formats if name != JSON and FORMATS[name].join}
    failed = 0
    bar = tqdm(photos, unit="photo", disable=None, file=sys.stderr)
    for photo in bar:
        try:
            answer = pipeline.parse(read_photo_file(photo), options)
            parsed = Parsed(_name_in(given, photo), answer.parsing, answer.overlay, options.palette, answer.image)
            files = {name: FORMATS[name].write(parsed) for name in formats if name != JSON}
        except HumanParseError as error:
            tqdm.write(f"{photo}: {error.message}", file=sys.stderr)
            failed += 1
            continue
        name = free_name(photo, taken)
        for format, data in files.items():
            if format in shared:
                shared[format].append(data)
            else:
                (out / f"{name}{FORMATS[format].suffix}").write_bytes(data)
        if JSON in formats:
            (out / f"{name}.json").write_bytes(_json(answer, options, 2))
        tqdm.write(_line(photo, answer, options, as_json), file=sys.stdout)
    _write_shared(shared, out)
    if not photos:
        print("There are no photos in what was given.", file=sys.stderr)
    return 1 if failed or not photos else 0


def fetch_weights(args: argparse.Namespace) -> int:
    """Fetch the weights that are named, after telling size and licence."""
    from humanparse.parsers.m2fp import fetch as m2fp
    from humanparse.recognition.general import fetch as general

    try:
        settings = Settings.from_env()
    except HumanParseError as error:
        print(error.message, file=sys.stderr)
        return 2
    hub: ModuleType
    if args.name == "general":
        hub, folder, missing = general, settings.general_dir, make_recognizer("general", settings).available()
        ready = f"General recognition is ready in {folder}; ask for it with recognizer=general."
    else:
        hub, folder, missing = m2fp, settings.m2fp_dir, make_parser("m2fp", settings).available()
        ready = f"M2FP is ready in {folder}; `auto` uses it from now on."
    print(hub.NOTICE, file=sys.stderr)
    if missing is None and args.source is None:
        print(f"The weights are already in {folder}.", file=sys.stderr)
        return 0
    if not args.yes and sys.stdin.isatty() and input("Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        return 1
    try:
        hub.fetch(folder, args.source)
    except HumanParseError as error:
        print(error.message, file=sys.stderr)
        return 1
    print(ready, file=sys.stderr)
    return 0


def _write_shared(files: dict[str, list[bytes]], out: Path) -> None:
    """One file for all photos of the run in every format that holds several: photos.coco.json."""
    for name, parts in files.items():
        format = FORMATS[name]
        if parts and format.join:
            (out / f"photos{format.suffix}").write_bytes(format.join(parts))


def _name_in(given: list[Path], photo: Path) -> str:
    """What data sets call the photo: its path below the folder that was given, or its own name."""
    folders = [folder for folder in given if folder.is_dir() and folder in photo.parents]
    return photo.relative_to(folders[0]).as_posix() if folders else photo.name


def _json(answer: Answer, options: ParseOptions, indent: int | None = None, **more: str) -> bytes:
    return json.dumps(
        {**more, **describe(answer.parsing, options.include), "timing_ms": answer.timing_ms}, indent=indent
    ).encode()


def _line(photo: Path, answer: Answer, options: ParseOptions, as_json: bool) -> str:
    if as_json:
        return _json(answer, options, photo=str(photo)).decode()
    persons = answer.parsing.persons
    who = "; ".join(f"{p.number}: {', '.join(part.name for part in p.parts)}" for p in persons)
    return f"{photo}: {len(persons)} people ({answer.parsing.parser.name}) {who}".rstrip()


def _make_argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m humanparse", description="Multi-person human parsing.")
    parser.add_argument("--version", action="version", version=f"humanparse {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    parse = commands.add_parser("parse", help="photos in, overlays and label maps out")
    parse.set_defaults(run=None)
    parse.add_argument("photos", nargs="+", type=Path, metavar="PHOTO_OR_FOLDER")
    parse.add_argument("--out", type=Path, default=Path("results"), help="folder to write to (default: results)")
    parse.add_argument("--json", action="store_true", help="also NAME.json, and one JSON line a photo on stdout")
    parse.add_argument(
        "--format",
        action="append",
        choices=CHOICES["format"],
        default=[],
        metavar="NAME",
        help=f"what to write, may be given again: {', '.join(CHOICES['format'])} (default: {', '.join(USUAL)})",
    )
    parse.add_argument("--palette", choices=PALETTES, help="colours of overlay and label map (default: our own)")
    parse.add_argument("--parser", choices=CHOICES["parser"], help="which parser (default: HUMANPARSE_PARSER)")
    parse.add_argument("--alpha", type=float, help="opacity of the colours, 0 to 1")
    parse.add_argument("--include", help=f"what else the JSON tells ({', '.join(INCLUDES)}); turns --json on")
    parse.add_argument("--no-outline", action="store_true", help="draw no outlines around people")
    parse.add_argument("--no-detail", action="store_true", help="take no closer look at small people: faster")
    fetch = commands.add_parser("fetch", help="get weights that are not in the repository")
    fetch.add_argument("name", choices=["m2fp", "general"], help="whose weights")
    fetch.add_argument("--from", type=Path, dest="source", metavar="DIR", help="take them from here, not the network")
    fetch.add_argument("--yes", action="store_true", help="do not ask, size and licence are known")
    fetch.set_defaults(run=fetch_weights)
    add_video_command(commands)
    add_recognition_commands(commands)
    add_studio_commands(commands)
    add_job_commands(commands)
    add_operator_commands(commands)
    add_doctor_command(commands)
    add_log_command(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
