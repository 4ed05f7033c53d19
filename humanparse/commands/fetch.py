"""`fetch NAME`: weights that are not in the repository, after telling size and licence."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from types import ModuleType

from humanparse.config import Settings
from humanparse.errors import HumanParseError
from humanparse.parsers import make_parser
from humanparse.recognition import make_recognizer


def define_fetch(fetch: argparse.ArgumentParser) -> None:
    fetch.add_argument("name", choices=["m2fp", "general"], help="whose weights")
    fetch.add_argument("--from", type=Path, dest="source", metavar="DIR", help="take them from here, not the network")
    fetch.add_argument("--yes", action="store_true", help="do not ask, size and licence are known")
    fetch.set_defaults(run=_fetch)


def _fetch(args: argparse.Namespace) -> int:
    from humanparse.parsers.m2fp import fetch as m2fp
    from humanparse.recognition.general import fetch as general

    settings = Settings.from_env()
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
