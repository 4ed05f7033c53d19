"""`purge`: delete all that the service keeps."""

from __future__ import annotations

import argparse
import sys

from humanparse.cache.parsings import open_cache
from humanparse.config import Settings
from humanparse.jobs.backends import open_store
from humanparse.jobs.files import JobFiles
from humanparse.storage import Storage


def define_purge(purge: argparse.ArgumentParser) -> None:
    purge.add_argument("--yes", action="store_true", help="do not ask")
    purge.set_defaults(run=_purge)


def _purge(args: argparse.Namespace) -> int:
    settings = Settings.from_env()
    what = f"{settings.results_dir}, {settings.jobs_dir}"
    if settings.cache_bytes:
        what += ", the cache's Redis" if settings.cache_url else f", {settings.cache_dir}"
    question = f"Delete what the service keeps in {what}? [y/N] "
    if not args.yes and sys.stdin.isatty() and input(question).lower() not in ("y", "yes"):
        return 1
    jobs = open_store(settings).clear()
    JobFiles(settings.jobs_dir).clear()
    results = Storage(settings.results_dir, settings.result_age_s, settings.results_bytes).clear()
    cache = open_cache(settings)
    if cache is not None:
        cache.clear()
    print(f"Deleted: {results} results, {jobs} jobs with their uploads, and the cache.")
    return 0
