"""Models by name, each loaded once, when it is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from humanparse.allocator import give_back

M = TypeVar("M")


class LoadedOnce(Generic[M]):
    """What `load` makes of a name, made once however many threads ask at a time; a failure is tried again next time.

    One is loaded at a time, since each may take a gigabyte while it is made. Who asks for one that is there
    does not wait for another's loading, which takes seconds.
    """

    def __init__(self, load: Callable[[str], M]) -> None:
        self._load = load
        self._loaded: dict[str, M] = {}
        self._loading = threading.Lock()

    def __contains__(self, name: str) -> bool:
        return name in self._loaded

    def __getitem__(self, name: str) -> M:
        """Raises what `load` raises."""
        if name not in self._loaded:
            with self._loading:
                if name not in self._loaded:
                    self._loaded[name] = self._load(name)
                    give_back()
        return self._loaded[name]
