"""Memory that many threads took and freed goes back, once the allocator is settled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from humanparse import allocator

PROGRAM = """
import sys, threading, psutil, numpy as np
from humanparse.allocator import settle
if sys.argv[1] == "settled":
    assert settle()
def work():
    for _ in range(3):
        kept = [np.ones(400_000, np.uint8) for _ in range(40)]
        del kept
threads = [threading.Thread(target=lambda: (work(), done.wait())) for _ in range(16)]
done = threading.Event()
before = psutil.Process().memory_info().rss
for thread in threads:
    thread.start()
import time; time.sleep(1)
print((psutil.Process().memory_info().rss - before) >> 20)
done.set()
"""


def test_where_there_is_no_such_allocator_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda _: object())
    assert allocator.settle() is False
    assert allocator.give_back() is False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_it_takes_hold_in_a_process_of_its_own() -> None:
    for how in ("settled", "as it comes"):
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, cwd=Path(__file__).parent.parent
        )
        assert ended.returncode == 0, ended.stderr
        print(how, ended.stdout)
        if how == "settled":
            assert int(ended.stdout) < 128


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_what_a_network_was_made_of_is_given_back() -> None:
    """With small blocks at the end, so that the heap does not shrink by itself."""
    program = (
        "import psutil; from humanparse.allocator import give_back\n"
        "blocks = [bytes(50_000) for _ in range(1200)]; last = bytes(50_000); del blocks\n"
        "before = psutil.Process().memory_info().rss; give_back()\n"
        "print((before - psutil.Process().memory_info().rss) >> 20)"
    )
    root = Path(__file__).parent.parent
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=root, check=True)
    assert int(ended.stdout) > 30
