"""`keys add|list|remove`: the file of API keys."""

from __future__ import annotations

import argparse
import sys

from humanparse.config import Settings
from humanparse.errors import ConfigError
from humanparse.keys import KeyFile


def define_keys(keys: argparse.ArgumentParser) -> None:
    keys.add_argument("action", choices=("add", "list", "remove"))
    keys.add_argument("name", nargs="?", help="whose key it is")
    keys.set_defaults(run=_keys)


def _keys(args: argparse.Namespace) -> int:
    path = Settings.from_env().keys_file
    if not path.name:
        raise ConfigError("HUMANPARSE_KEYS_FILE is empty; set it to the file that the service reads, too.")
    keys = KeyFile(path)
    if args.action == "list":
        for key in keys.all():
            print(f"{key.id}  {key.created_at}  {key.name}")
        return 0
    if not args.name:
        raise ConfigError(f"keys {args.action} needs a name.")
    if args.action == "add":
        print(keys.add(args.name))
        print("This is shown once; the file keeps only its hash.", file=sys.stderr)
    else:
        keys.remove(args.name)
    return 0
