"""Processes of our own that get strangers' files: started without anything of ours, and confined to what they need."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

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


def _address_space() -> int:
    """Bytes of it that are ours already, libraries and all."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
