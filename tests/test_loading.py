"""Models by name: made once, by one thread at a time, and nobody waits for another's."""

from __future__ import annotations

import threading

import pytest

from humanparse.loading import LoadedOnce


def test_a_model_is_made_once_however_many_ask() -> None:
    made: list[str] = []
    together = threading.Barrier(8)

    def ask() -> None:
        together.wait(10)
        models["compact"]

    models = LoadedOnce(lambda name: made.append(name) or name.upper())
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert made == ["compact"] and models["compact"] == "COMPACT"


def test_one_that_is_there_is_had_while_another_is_made() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def load(name: str) -> str:
        if name == "m2fp":
            begun.set()
            assert go_on.wait(10)
        return name

    models = LoadedOnce(load)
    assert models["compact"] == "compact"
    other = threading.Thread(target=models.__getitem__, args=("m2fp",))
    other.start()
    assert begun.wait(10)
    had: list[str] = []
    asking = threading.Thread(target=lambda: had.append(models["compact"]), daemon=True)
    asking.start()
    asking.join(5)
    assert had == ["compact"] and "m2fp" not in models
    go_on.set()
    other.join(10)
    assert "m2fp" in models


def test_a_failure_is_tried_again_next_time() -> None:
    tries: list[str] = []

    def load(name: str) -> str:
        tries.append(name)
        if len(tries) == 1:
            raise OSError("on its way")
        return name

    models = LoadedOnce(load)
    with pytest.raises(OSError, match="on its way"):
        models["m2fp"]
    assert "m2fp" not in models and models["m2fp"] == "m2fp"
