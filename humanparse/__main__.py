"""The command line: `python -m humanparse parse PHOTO_OR_FOLDER... --out results/`; and more, see --help.

Exit codes: 0 all was done; 1 at least one photo failed (the others did not), or what was asked could not be
done; 2 wrong usage. What ended early has those of shells: 130 by Ctrl-C, 141 where nobody reads the output any more.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from importlib import import_module

from humanparse import __version__
from humanparse.commands import COMMANDS


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    args = _make_argument_parser(given).parse_args(given)
    run: Callable[[argparse.Namespace], int] = args.run
    try:
        code = run(args)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is flushed at the end goes there
        return 141
    return code


def _make_argument_parser(given: list[str]) -> argparse.ArgumentParser:
    """All commands by name and help; the arguments of the one that was given alone."""
    parser = argparse.ArgumentParser(prog="python -m humanparse", description="Multi-person human parsing.")
    parser.add_argument("--version", action="version", version=f"humanparse {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (module, help) in COMMANDS.items():
        command = commands.add_parser(name, help=help)
        if name in given[:1]:
            getattr(import_module(f"humanparse.commands.{module}"), f"define_{name}")(command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
