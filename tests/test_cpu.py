"""Cores this process may use: the smaller of affinity and cgroup quota, never none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from humanparse import cpu


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cpu, "CGROUP_LIMITS", (tmp_path / "cpu.max", tmp_path / "cpu.cfs_quota_us"))
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    return tmp_path


@pytest.mark.parametrize(
    ("limit", "permitted"),
    [(None, True), ("DEFAULT", True), ("AVX2", False), ("avx512_core", False), ("AVX512_CORE_BF16", True),
     ("AVX512_CORE_AMX", True), ("AVX2_VNNI", False), ("SSE41", False)],
)  # fmt: skip
def test_bf16_needs_onednns_permission(limit: str | None, permitted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    if limit:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert cpu.bf16_permitted() is permitted


def test_without_a_limit_the_affinity_counts(cgroup: Path) -> None:
    assert cpu.usable_cores() == 8
    (cgroup / "cpu.max").write_text("max 100000\n")
    assert cpu.usable_cores() == 8


@pytest.mark.parametrize(("quota", "cores"), [(50_000, 1), (100_000, 1), (250_000, 2), (300_000, 3), (1_600_000, 8)])
def test_a_quota_counts_in_both_versions_of_cgroups(cgroup: Path, quota: int, cores: int) -> None:
    (cgroup / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (cgroup / "cpu.cfs_period_us").write_text("100000\n")
    assert cpu.usable_cores() == cores
    (cgroup / "cpu.max").write_text(f"{quota} 100000\n")
    assert cpu.usable_cores() == cores


def test_a_file_that_makes_no_sense_is_no_limit(cgroup: Path) -> None:
    (cgroup / "cpu.max").write_text("what?\n")
    assert cpu.usable_cores() == 8
    (cgroup / "cpu.max").unlink()
    (cgroup / "cpu.cfs_quota_us").write_text("-1\n")
    (cgroup / "cpu.cfs_period_us").write_text("100000\n")
    assert cpu.usable_cores() == 8
