"""What this process may use of the CPU: cores, and instructions for bfloat16."""

from __future__ import annotations

import os
from pathlib import Path

CGROUP_LIMITS = Path("/sys/fs/cgroup/cpu.max"), Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")


def bf16_permitted() -> bool:
    """False where oneDNN's own variable holds it to an older CPU than bfloat16 needs.

    OpenVINO asks the CPU, not the variable, and dies where the two disagree (2026.4, AVX2).
    """
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", os.environ.get("DNNL_MAX_CPU_ISA", "DEFAULT")).upper()
    return any(word in limit for word in ("DEFAULT", "ALL", "BF16", "FP16", "AMX", "AVX10"))


def usable_cores() -> int:
    """Cores by the affinity mask and the cgroup's quota, at least 1; the host's count is no guide."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(affinity, _quota() or affinity))


def _quota() -> int | None:
    """Whole cores granted by cgroup v2 or v1; None without a limit."""
    version2, version1 = CGROUP_LIMITS
    try:
        if version2.exists():
            quota, period = version2.read_text().split()
            return None if quota == "max" else max(1, round(int(quota) / int(period)))
        if version1.exists():
            quota = version1.read_text().strip()
            period = (version1.parent / "cpu.cfs_period_us").read_text().strip()
            return None if int(quota) <= 0 else max(1, round(int(quota) / int(period)))
    except (OSError, ValueError):
        return None
    return None
