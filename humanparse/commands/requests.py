"""The request log from the command line: `python -m humanparse requests --out FILE.csv`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from humanparse.commands.troubles import describe_trouble
from humanparse.config import Settings
from humanparse.errors import HumanParseError
from humanparse.request_log import FILE, OFF, open_request_log, write_csv


def define_requests(requests: argparse.ArgumentParser) -> None:
    requests.add_argument("--out", type=Path, metavar="FILE", help="write it there (default: print it)")
    requests.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    try:
        settings = Settings.from_env()
        log = open_request_log(settings)
        if log is None or not (settings.request_log_dir / FILE).exists():
            print(OFF, "Here, too: commands read the same settings.", file=sys.stderr)
            return 1
        if args.out is None:
            sys.stdout.writelines(write_csv(log.each()))
            return 0
        with args.out.open("w", encoding="utf-8", newline="") as file:
            file.writelines(write_csv(log.each()))
    except (HumanParseError, OSError) as error:
        print(describe_trouble(error), file=sys.stderr)
        return 1
    return 0
