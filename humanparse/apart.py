"""Processes of our own that get strangers' files: started without anything of ours, and confined to what they need.

Errors cross the border as JSON, not as pickles: a process that a file has taken over must not be able to run anything
on the other side.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from humanparse.errors import HumanParseError

NO_ROOM: Final = "No decoder can be started now; try again in 1 s."  # where the machine has none for such a process
MOST_WORDS: Final = 1 << 16  # bytes of what such a process may say at a time, pixels aside
STRANGE: Final = "a process apart said what none of ours says"
ROOT: Final = Path(__file__).resolve().parent.parent


def start_apart(module: str, files: Sequence[int]) -> subprocess.Popen[bytes]:
    """`python -m module FILE...`, with these open files (descriptors) and no others. Raises OSError."""
    calm = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MALLOC_ARENA_MAX"), "1")
    quiet: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)  # libraries print what is in files
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, files)],
        cwd=ROOT,
        env=calm,  # nothing of ours: there are secrets among the settings
        pass_fds=files,
        **quiet,
    )


def confine(more_bytes: int, file_bytes: int, files: int) -> None:
    """Bound this process, from now on.

    Args:
        more_bytes: of memory (address space), beside what it has.
        file_bytes: that it may write to a file.
        files: how many it may have open.
    """
    for kind, limit in (
        (resource.RLIMIT_AS, _address_space() + more_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, files),
    ):
        hard = resource.getrlimit(kind)[1]
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (limit, limit))


def outlive_signals() -> None:
    """Ctrl-C and a service's end are told to all of its processes; whoever started this one says when it ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def plain_error(error: HumanParseError) -> dict[str, Any]:
    """An error as JSON can hold it."""
    return {"code": error.code, "message": error.message, "context": error.context}


def read_words(said: bytes | bytearray) -> dict[str, Any]:
    """What such a process says, a JSON object. Raises ConnectionError for anything else: it has been taken over."""
    try:
        words = json.loads(said)
    except (ValueError, RecursionError) as exc:
        raise ConnectionError(STRANGE) from exc
    if not isinstance(words, dict):
        raise ConnectionError(STRANGE)
    return words


def revive_error(problem: Any, known: Sequence[type[HumanParseError]]) -> HumanParseError:
    """The error that `plain_error` was given, if it is of a `known` class; else one of the first of them.

    Raises ConnectionError for what `plain_error` never gives.
    """
    classes = {cls.code: cls for cls in known}
    try:
        return classes.get(problem["code"], known[0])(str(problem["message"]), **problem["context"])
    except (KeyError, TypeError) as exc:
        raise ConnectionError(STRANGE) from exc


def _address_space() -> int:
    """Bytes of it that are ours already, libraries and all."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
