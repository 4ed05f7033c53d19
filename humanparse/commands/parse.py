"""`parse PHOTO_OR_FOLDER... --out FOLDER`: photos in, files in the formats that are asked for out."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tqdm import tqdm

from humanparse.answers import write_format
from humanparse.checks import read_settings
from humanparse.commands.parse_options import add_parse_options, read_parse_options
from humanparse.commands.photo_files import exit_code, find_photos, free_name, read_photo_file, write_file
from humanparse.errors import HumanParseError
from humanparse.exports import FORMATS, JSON, describe
from humanparse.options import CHOICES, ParseOptions
from humanparse.pipeline import Answer, Pipeline
from humanparse.stopwatch import with_total

USUAL = ("png", "label_map", "people_map")  # what is written where no format is named


def define_parse(parse: argparse.ArgumentParser) -> None:
    parse.set_defaults(run=_parse)
    parse.add_argument("photos", nargs="+", type=Path, metavar="PHOTO_OR_FOLDER", help="- is the standard input")
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
    add_parse_options(parse, "what else the JSON tells, and turns --json on")


def _parse(args: argparse.Namespace) -> int:
    settings = read_settings()
    options = read_parse_options(args, settings)
    pipeline = Pipeline(settings)
    pipeline.load(options.parser)
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
    taken: set[str] = set()
    shared: dict[str, list[bytes]] = {name: [] for name in formats if name != JSON and FORMATS[name].join}
    failed = 0
    bar = tqdm(photos, unit="photo", disable=None, file=sys.stderr)
    for photo in bar:
        try:
            answer = pipeline.parse(read_photo_file(photo), options)
            own = _name_in(given, photo)
            files = {format: write_format(answer, format, own) for format in formats if format != JSON}
            name = free_name(photo, taken)
            for format, data in files.items():
                if format in shared:
                    shared[format].append(data)
                else:
                    write_file(out / f"{name}{FORMATS[format].suffix}", data)
            if JSON in formats:
                write_file(out / f"{name}.json", _json(answer, 2))
        except HumanParseError as error:
            tqdm.write(f"{photo}: {error.message}", file=sys.stderr)
            failed += 1
            continue
        tqdm.write(_line(photo, answer, as_json), file=sys.stdout)
    try:
        _write_shared(shared, out)
    except HumanParseError as error:
        print(error.message, file=sys.stderr)
        failed += 1
    if failed < len(photos):
        print(f"Written to {out}/.", file=sys.stderr)
    return exit_code(given, photos, failed)


def _write_shared(files: dict[str, list[bytes]], out: Path) -> None:
    """One file for all photos of the run in every format that holds several: photos.coco.json. Raises StorageError."""
    for name, parts in files.items():
        format = FORMATS[name]
        if parts and format.join:
            write_file(out / f"photos{format.suffix}", format.join(parts))


def _name_in(given: list[Path], photo: Path) -> str:
    """What data sets call the photo: its path below the folder that was given, or its own name."""
    folders = [folder for folder in given if folder.is_dir() and folder in photo.parents]
    return photo.relative_to(folders[0]).as_posix() if folders else photo.name


def _json(answer: Answer, indent: int | None = None, **more: str) -> bytes:
    described = describe(answer.parsing, answer.options.include)
    return json.dumps({**more, **described, "timing_ms": with_total(answer.watch.timing_ms)}, indent=indent).encode()


def _line(photo: Path, answer: Answer, as_json: bool) -> str:
    if as_json:
        return _json(answer, photo=str(photo)).decode()
    persons = answer.parsing.persons
    who = "; ".join(f"{p.number}: {', '.join(part.name for part in p.parts)}" for p in persons)
    count = "1 person" if len(persons) == 1 else f"{len(persons)} people"
    return f"{photo}: {count} ({answer.parsing.parser.name}) {who}".rstrip()
