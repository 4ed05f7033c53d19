"""What an operator does beside the service: `keys add|list|remove`; `purge`, which deletes all that is kept."""

from __future__ import annotations

import argparse
import sys

from humanparse.cache.parsings import open_cache
from humanparse.config import Settings
from humanparse.errors import ConfigError, HumanParseError
from humanparse.jobs.backends import open_store
from humanparse.jobs.files import JobFiles
from humanparse.keys import KeyFile
from humanparse.storage import Storage


def define_keys(keys: argparse.ArgumentParser) -> None:
    keys.add_argument("action", choices=("add", "list", "remove"))
    keys.add_argument("name", nargs="?", help="whose key it is")
    keys.set_defaults(run=_keys)


def define_purge(purge: argparse.ArgumentParser) -> None:
    purge.add_argument("--yes", action="store_true", help="do not ask")
    purge.set_defaults(run=_purge)


def _keys(args: argparse.Namespace) -> int:
    try:
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
    except HumanParseError as error:
        print(error.message, file=sys.stderr)
        return 2
    return 0


def _purge(args: argparse.Namespace) -> int:
    try:
        settings = Settings.from_env()
        what = f"{settings.results_dir}, {settings.jobs_dir}"
        if settings.cache_bytes:
            what += ", the cache's Redis" if settings.cache_url else f", {settings.cache_dir}"
        if not args.yes and sys.stdin.isatty() and input(f"Delete all in {what}? [y/N] ").lower() not in ("y", "yes"):
            return 1
        jobs = open_store(settings).clear()
        JobFiles(settings.jobs_dir).clear()
        results = Storage(settings.results_dir, settings.result_age_s, settings.results_bytes).clear()
        cache = open_cache(settings)
        if cache is not None:
            cache.clear()
    except HumanParseError as error:
        print(error.message, file=sys.stderr)
        return 2
    print(f"Deleted: {results} results, {jobs} jobs with their uploads, and the cache.")
    return 0
