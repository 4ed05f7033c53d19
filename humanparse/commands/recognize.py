"""Recognition from the command line: `recognize PHOTO...`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from humanparse.checks import read_settings
from humanparse.commands.photo_files import exit_code, find_photos, read_photo_file
from humanparse.errors import HumanParseError
from humanparse.pipeline import Pipeline
from humanparse.recognition import RECOGNIZERS
from humanparse.recognition.options import MOST, RecognizeOptions
from humanparse.recognition.pipeline import describe_recognition


def define_recognize(recognize: argparse.ArgumentParser) -> None:
    recognize.add_argument("photos", nargs="+", type=Path, metavar="PHOTO_OR_FOLDER", help="- is the standard input")
    recognize.add_argument("--top-k", default=RecognizeOptions.top_k, help=f"how many classes, 1 to {MOST}")
    recognize.add_argument("--recognizer", choices=RECOGNIZERS, help="which one (default: HUMANPARSE_RECOGNIZER)")
    recognize.add_argument("--json", action="store_true", help="one JSON line a photo")
    recognize.set_defaults(run=_recognize)


def _recognize(args: argparse.Namespace) -> int:
    settings = read_settings()
    given = {"top_k": args.top_k, "recognizer": args.recognizer}
    options = RecognizeOptions.from_strings({k: v for k, v in given.items() if v is not None}, settings)
    recognition = Pipeline(settings).recognition
    recognition.load(options.recognizer)
    failed, photos = 0, list(find_photos(args.photos))
    for photo in photos:
        try:
            found = recognition.recognize(read_photo_file(photo), options)
        except HumanParseError as error:
            print(f"{photo}: {error.message}", file=sys.stderr)
            failed += 1
            continue
        if args.json:
            print(json.dumps({"photo": str(photo), **describe_recognition(found)}, ensure_ascii=False))
        else:
            names = (f"{one.label} {one.label_zh} {one.probability:.1%}" for one in found.predictions)
            print(f"{photo}: {'; '.join(names)}")
    return exit_code(args.photos, photos, failed)
