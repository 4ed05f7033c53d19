"""Memory of the service: what it takes, and what it may take. Linux tells most of it; elsewhere less is known.

PSS (proportional set size) divides what processes share among them, so that the sum over all is what
they really take; a sum of RSS counts shared pages once for every process.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

CGROUP: Final = Path("/sys/fs/cgroup")
OWN_CGROUP: Final = Path("/proc/self/cgroup")
NO_LIMIT: Final = 1 << 60
"""Version 1 writes "none" as a number near 2**63."""


@dataclass(frozen=True)
class Limit:
    """The bytes that this process and its neighbours may take together, how many they do, and who says so."""

    bytes: int
    used: int
    source: str


def family(root: psutil.Process) -> list[psutil.Process]:
    """A process and all its descendants."""
    try:
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def pss_of(processes: Iterable[psutil.Process]) -> int:
    """Bytes that the processes take together; those that ended or may not be looked at count nothing.

    Where the system knows no PSS, their unshared memory.
    """
    total = 0
    for process in processes:
        try:
            info = process.memory_full_info()
        except psutil.Error:
            continue
        total += getattr(info, "pss", 0) or getattr(info, "uss", 0)
    return total


def rss_of(processes: Iterable[psutil.Process]) -> int:
    """The sum of their resident sets, in which shared pages count more than once."""
    total = 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


def memory_limit(root: Path = CGROUP, own: Path = OWN_CGROUP) -> Limit:
    """The tightest cgroup limit on this process, or the machine's memory where there is none below it."""
    machine = psutil.virtual_memory()
    tightest = Limit(machine.total, machine.total - machine.available, "machine")
    for limit in _limits(root, own):
        if limit.bytes < tightest.bytes:
            tightest = limit
    return tightest


def _limits(root: Path, own: Path) -> Iterator[Limit]:
    """Of this process's cgroup and all above it, version 2, or version 1's."""
    for folder in _ancestors(root, own, ""):
        limit = _number(folder / "memory.max")
        if limit is not None:
            used = _number(folder / "memory.current") or 0
            yield Limit(limit, used - _reclaimable(folder, "inactive_file"), "cgroup")
    for folder in _ancestors(root / "memory", own, "memory"):
        limit = _number(folder / "memory.limit_in_bytes")
        if limit is not None and limit < NO_LIMIT:
            used = _number(folder / "memory.usage_in_bytes") or 0
            yield Limit(limit, used - _reclaimable(folder, "total_inactive_file"), "cgroup")


def _ancestors(root: Path, own: Path, controller: str) -> Iterator[Path]:
    """Folders from this process's cgroup up to the root; lines of `own` are number:controllers:path."""
    try:
        lines = [line.split(":", 2) for line in own.read_text().splitlines() if line.count(":") >= 2]
    except OSError:
        return
    path = next((line[2] for line in lines if controller in line[1].split(",")), "/")
    folder = root / path.lstrip("/")
    while folder != root and folder.is_relative_to(root):
        yield folder
        folder = folder.parent
    yield root


def _reclaimable(folder: Path, key: str) -> int:
    """File pages not used lately: the kernel drops them before it kills anybody."""
    try:
        rows = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        return int(rows.get(key, 0))
    except (OSError, ValueError):
        return 0


def _number(file: Path) -> int | None:
    """What stands in the file; None for `max` and where there is no file."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None
