"""glibc's allocator, told to give memory back. Where the C library is another one, nothing happens.

Photos and label maps are megabytes that live for a second, allocated by many threads. As it comes, glibc
gives every few threads an arena of their own, of which each keeps its high-water mark, and raises the
size from which a block is mapped by itself (and so given back when it is freed) up to 32 MiB, whenever
one is freed. What that costs and saves here: docs/memory.md.
"""

from __future__ import annotations

import ctypes
from typing import Final

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # malloc.h
LARGE: Final = 1 << 20  # bytes from which a block is mapped by itself; glibc does not raise what is set
ARENAS: Final = 2


def settle() -> bool:
    """Few arenas, and large blocks by themselves; call it before threads start. Could it be done?"""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(M_ARENA_MAX, ARENAS)) and bool(mallopt(M_MMAP_THRESHOLD, LARGE))
