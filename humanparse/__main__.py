"""The command line: `python -m humanparse parse PHOTO_OR_FOLDER... --out results/`.

Exit codes: 0 every photo was parsed; 1 at least one was not, the others were; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from humanparse import __version__
from humanparse.config import Settings
from humanparse.errors import HumanParseError, UnreadableImage
from humanparse.exports import describe, label_map_png, people_map_png
from humanparse.images import encode_png, suffixes
from humanparse.options import INCLUDES, ParseOptions
from humanparse.parsers import AUTO, PARSERS
from humanparse.pipeline import Answer, Pipeline


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = _make_argument_parser()
    args = parser.parse_args(arguments)
    try:
        settings = Settings.from_env()
        given = {
            "parser": args.parser or settings.parser,
            "alpha": args.alpha,
            "outline": not args.no_outline,
            "detail": not args.no_detail,
            "include": args.include,
        }
        options = ParseOptions.from_strings({k: v for k, v in given.items() if v is not None}, settings)
        pipeline = Pipeline(settings)
        pipeline.load(options.parser)
    except HumanParseError as error:
        parser.error(error.message)
    return parse_photos(args.photos, args.out, pipeline, options, args.json or bool(args.include))


def parse_photos(given: list[Path], out: Path, pipeline: Pipeline, options: ParseOptions, as_json: bool) -> int:
    """Parse files and folders of photos; one that fails is told on stderr and fails alone."""
    photos = list(find_photos(given))
    out.mkdir(parents=True, exist_ok=True)
    taken: set[str] = set()
    failed = 0
    bar = tqdm(photos, unit="photo", disable=None, file=sys.stderr)
    for photo in bar:
        try:
            answer = pipeline.parse(_read(photo), options)
        except HumanParseError as error:
            tqdm.write(f"{photo}: {error.message}", file=sys.stderr)
            failed += 1
            continue
        name = _free_name(photo.stem, taken)
        told = _describe(answer, options) if as_json else None
        write_answer(answer, out, name, told)
        tqdm.write(_line(photo, answer, told), file=sys.stdout)
    if not photos:
        print("There are no photos in what was given.", file=sys.stderr)
    return 1 if failed or not photos else 0


def find_photos(given: list[Path]) -> Iterator[Path]:
    """The files themselves, and every photo below the folders, in the order of their names."""
    known = suffixes()
    for path in given:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in known and p.is_file())
        else:
            yield path


def write_answer(answer: Answer, out: Path, name: str, told: dict[str, object] | None) -> None:
    """NAME.overlay.png, NAME.labels.png, NAME.people.png and, if there is something to tell, NAME.json."""
    (out / f"{name}.overlay.png").write_bytes(encode_png(answer.overlay))
    (out / f"{name}.labels.png").write_bytes(label_map_png(answer.parsing))
    (out / f"{name}.people.png").write_bytes(people_map_png(answer.parsing))
    if told is not None:
        (out / f"{name}.json").write_text(json.dumps(told, indent=2))


def _describe(answer: Answer, options: ParseOptions) -> dict[str, object]:
    return {**describe(answer.parsing, options.include), "timing_ms": answer.timing_ms}


def _line(photo: Path, answer: Answer, told: dict[str, object] | None) -> str:
    if told is not None:
        return json.dumps({"photo": str(photo), **told})
    persons = answer.parsing.persons
    who = "; ".join(f"{p.number}: {', '.join(part.name for part in p.parts)}" for p in persons)
    return f"{photo}: {len(persons)} people ({answer.parsing.parser.name}) {who}".rstrip()


def _read(photo: Path) -> bytes:
    try:
        return photo.read_bytes()
    except OSError as exc:
        raise UnreadableImage(f"cannot be read: {exc.strerror}") from exc


def _free_name(stem: str, taken: set[str]) -> str:
    """`stem`, or with a number where an earlier photo of this run had the same."""
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    taken.add(name)
    return name


def _make_argument_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m humanparse", description="Multi-person human parsing.")
    parser.add_argument("--version", action="version", version=f"humanparse {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    parse = commands.add_parser("parse", help="photos in, overlays and label maps out")
    parse.add_argument("photos", nargs="+", type=Path, metavar="PHOTO_OR_FOLDER")
    parse.add_argument("--out", type=Path, default=Path("results"), help="folder to write to (default: results)")
    parse.add_argument("--json", action="store_true", help="also NAME.json, and one JSON line a photo on stdout")
    parse.add_argument("--parser", choices=[AUTO, *PARSERS], help="which parser (default: HUMANPARSE_PARSER)")
    parse.add_argument("--alpha", type=float, help="opacity of the colours, 0 to 1")
    parse.add_argument("--include", help=f"what else the JSON tells ({', '.join(INCLUDES)}); turns --json on")
    parse.add_argument("--no-outline", action="store_true", help="draw no outlines around people")
    parse.add_argument("--no-detail", action="store_true", help="take no closer look at small people: faster")
    return parser


if __name__ == "__main__":
    sys.exit(main())
