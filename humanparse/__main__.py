"""The command line: `python -m humanparse parse PHOTO_OR_FOLDER... --out results/`; and more, see --help.

Exit codes: 0 all was done; 1 at least one photo failed (the others did not), or what was asked could not be
done; 2 wrong usage, or a setting or parser that cannot be used. What ended early has those of shells: 130 by Ctrl-C,
141 where nobody reads the output any more.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

from humanparse import __version__
from humanparse.commands import COMMANDS
from humanparse.errors import HumanParseError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    args = _make_argument_parser(given).parse_args(given)
    run: Callable[[argparse.Namespace], int] = args.run
    try:
        code = run(args)
        sys.stdout.flush()
    except HumanParseError as error:
        print(error.message, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is flushed at the end goes there
        return 141
    return code


class _ArgumentParser(argparse.ArgumentParser):
    """Each command refuses what it does not know itself: its usage names what there is."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        found, unknown = super().parse_known_args(args, namespace)
        return (found, unknown) if not unknown else self._refuse(unknown)

    def _refuse(self, unknown: list[str]) -> NoReturn:
        near = get_close_matches(unknown[0].partition("=")[0], self._option_string_actions, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        self.error(f"unrecognized arguments: {' '.join(unknown)}; {hint}`{self.prog} --help` tells what there is")


def _make_argument_parser(given: list[str]) -> argparse.ArgumentParser:
    """All commands by name and help; the arguments of the one that was given alone."""
    parser = _ArgumentParser(prog="python -m humanparse", description="Multi-person human parsing.")
    parser.add_argument("--version", action="version", version=f"humanparse {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (module, help) in COMMANDS.items():
        command = commands.add_parser(name, help=help)
        if name in given[:1]:
            getattr(_import(f"humanparse.commands.{module}"), f"define_{name}")(command)
    return parser


def _import(module: str) -> ModuleType:
    """A command's module; ends the program where this Python has not what it needs."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == __package__:
            raise
        print(f"{sys.executable} has no {error.name}: `make install` puts all into .venv/bin/python.", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    sys.exit(main())
