"""glibc's allocator, told to keep one arena. Where the C library is another one, nothing happens.

Photos and label maps are megabytes that live for a second, allocated by dozens of threads. As it comes,
glibc gives them up to eight arenas a core, and each keeps what it had at its fullest. What that cost here,
and what else was tried: docs/memory.md.
"""

from __future__ import annotations

import ctypes
from typing import Final

M_ARENA_MAX: Final = -8  # malloc.h
ARENAS: Final = 1


def settle() -> bool:
    """As MALLOC_ARENA_MAX=1 would, but from within; call it before threads start. Could it be done?"""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(M_ARENA_MAX, ARENAS))


def give_back() -> bool:
    """Give freed memory back to the system: the making of a network leaves much of it. Could it be done?"""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return False
    return bool(trim(0))
