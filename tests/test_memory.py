"""Memory: what processes take together, and what they may take."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from humanparse.memory import family, memory_limit, pss_of, rss_of

GIBI = 1 << 30


def write(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")


def test_pss_is_more_than_nothing_and_no_more_than_rss() -> None:
    own = [psutil.Process()]
    assert 1 << 20 < pss_of(own) <= rss_of(own)


def test_a_family_is_a_process_and_its_children_and_the_dead_count_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    found = family(psutil.Process())
    dead = psutil.Process(child.pid)
    assert child.pid in [process.pid for process in found]
    child.communicate(b"\n")
    assert pss_of([dead]) == rss_of([dead]) == 0
    assert family(dead) == [] or child.pid not in [each.pid for each in family(psutil.Process())]


def test_without_a_cgroup_limit_the_machine_is_the_limit(tmp_path: Path) -> None:
    write(tmp_path, memory__max="max")
    limit = memory_limit(tmp_path, tmp_path / "none")
    assert (limit.bytes, limit.source) == (psutil.virtual_memory().total, "machine")
    assert 0 < limit.used < limit.bytes


def test_the_tightest_limit_on_the_way_up_counts_without_what_can_be_dropped(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("0::/slice/pod\n")
    stat = "anon 5\ninactive_file 100"
    write(tmp_path / "fs" / "slice", memory__max=GIBI // 4, memory__current=3000, memory__stat=stat)
    write(tmp_path / "fs" / "slice" / "pod", memory__max=GIBI // 2, memory__current=2000, memory__stat=stat)
    limit = memory_limit(tmp_path / "fs", tmp_path / "own")
    assert (limit.bytes, limit.used, limit.source) == (GIBI // 4, 2900, "cgroup")


def test_version_1_of_cgroups(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("5:cpu,cpuacct:/a\n4:memory:/docker/x\n")
    root = tmp_path / "fs" / "memory"
    write(root, memory__limit_in_bytes=9223372036854771712)
    folder = root / "docker" / "x"
    write(folder, memory__stat="total_inactive_file 7")
    (folder / "memory.limit_in_bytes").write_text(str(GIBI // 8))
    (folder / "memory.usage_in_bytes").write_text("107")
    limit = memory_limit(tmp_path / "fs", tmp_path / "own")
    assert (limit.bytes, limit.used, limit.source) == (GIBI // 8, 100, "cgroup")


@pytest.mark.parametrize("text", ["", "nonsense", "0::/../../etc"])
def test_whatever_stands_in_the_files_the_machine_is_still_known(tmp_path: Path, text: str) -> None:
    (tmp_path / "own").write_text(text)
    write(tmp_path / "fs", memory__max="garbage")
    assert memory_limit(tmp_path / "fs", tmp_path / "own").source == "machine"
