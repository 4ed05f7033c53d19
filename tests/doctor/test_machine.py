"""What the doctor says of CPU, cores and memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from humanparse.doctor import machine
from humanparse.doctor.findings import OK, WARN, size
from humanparse.memory import Limit

XEON = "processor\t: 0\nmodel name\t: Xeon 9\nflags\t\t: fpu avx2 avx512f avx512_bf16 amx_bf16 amx_tile avx512_fp16\n\n"
GRAVITON = "processor\t: 0\nBogoMIPS\t: 2\nFeatures\t: fp asimd asimdhp bf16\n\n"
ATOM = "processor\t: 0\nmodel name\t: Atom\nflags\t\t: fpu sse2\n\n"


@pytest.mark.parametrize(
    ("text", "features", "state"),
    [
        (XEON, ["AVX2", "AVX512", "BF16", "FP16", "AMX-BF16"], OK),
        (GRAVITON, ["NEON", "BF16", "FP16"], OK),
        (ATOM, [], WARN),
        ("", [], WARN),
    ],
)
def test_features_come_from_what_the_kernel_says(tmp_path: Path, text: str, features: list[str], state: str) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(text)
    finding = machine.check_cpu(file)
    assert (finding.facts["features"], finding.state) == (features, state)


def test_without_the_kernels_file_there_is_still_an_answer(tmp_path: Path) -> None:
    assert machine.check_cpu(tmp_path / "none").facts["model"]


def test_a_cpu_held_back_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpuinfo").write_text(XEON)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    finding = machine.check_cpu(tmp_path / "cpuinfo")
    assert (finding.state, "ONEDNN_MAX_CPU_ISA" in finding.advice) == (WARN, True)


def test_cores_that_others_have_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "usable_cores", lambda: 3)
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 64)
    finding = machine.check_cores()
    assert finding.says == "3 of 64 may be used"
    assert finding.facts == {"usable": 3, "host": 64}


@pytest.mark.parametrize(("used", "state"), [(100_000_000, OK), (900_000_000, WARN)])
def test_too_little_memory_is_told(monkeypatch: pytest.MonkeyPatch, used: int, state: str) -> None:
    monkeypatch.setattr(machine, "memory_limit", lambda: Limit(1_000_000_000, used, "cgroup"))
    finding = machine.check_memory()
    assert finding.state == state
    assert "1.0 GB by the cgroup" in finding.says


def test_versions_are_those_installed() -> None:
    import numpy as np

    assert machine.check_versions().facts["numpy"] == np.__version__


def test_sizes_are_for_people() -> None:
    assert [size(5_000), size(2_500_000), size(25e9)] == ["5 kB", "2.5 MB", "25.0 GB"]
