"""The machine: what its CPU computes in, how much of it and of the memory is ours."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from humanparse import __version__
from humanparse.cpu import bf16_permitted, usable_cores
from humanparse.doctor.findings import OK, WARN, Finding, size
from humanparse.memory import memory_limit

CPUINFO: Final = Path("/proc/cpuinfo")
FEATURES: Final = {
    # the kernel's word for it (x86, then ARM) -> ours
    "avx2": "AVX2",
    "avx512f": "AVX512",
    "avx512_vnni": "VNNI",
    "avx512_bf16": "BF16",
    "avx512_fp16": "FP16",
    "amx_bf16": "AMX-BF16",
    "amx_fp16": "AMX-FP16",
    "asimd": "NEON",
    "bf16": "BF16",
    "asimdhp": "FP16",
}
PACKAGES: Final = ("openvino", "numpy", "opencv-python-headless", "pillow", "flask", "gunicorn", "torch")
LEAST_FREE: Final = 500_000_000
"""Bytes that the embedded parser needs for one worker at work, and some to breathe."""


def check_cpu(cpuinfo: Path = CPUINFO) -> Finding:
    """Model and features; slow where there are not even 256-bit vectors."""
    model, features = _read_cpu(cpuinfo)
    facts = {"model": model, "features": features, "architecture": platform.machine()}
    says = f"{model}: {', '.join(features) or 'none of the features that we look for'}"
    if not bf16_permitted():
        return Finding("cpu", WARN, says, "ONEDNN_MAX_CPU_ISA holds oneDNN to an older CPU; unset it.", facts)
    if not {"AVX2", "NEON"} & set(features):
        return Finding("cpu", WARN, says, "Without AVX2 parsing is several times slower.", facts)
    return Finding("cpu", OK, says, "", facts)


def check_cores() -> Finding:
    """Cores by affinity and quota."""
    usable, host = usable_cores(), os.cpu_count() or 1
    says = f"{usable} of {host} may be used" if usable < host else f"{usable}, all may be used"
    advice = "Affinity or a cgroup's quota takes the others." if usable < host else ""
    return Finding("cores", OK, says, advice, {"usable": usable, "host": host})


def check_memory() -> Finding:
    """The limit, and what is left of it."""
    limit = memory_limit()
    free = limit.bytes - limit.used
    facts = {"limit_bytes": limit.bytes, "used_bytes": limit.used, "limit_by": limit.source}
    says = f"{size(limit.bytes)} by the {limit.source}, {size(free)} free"
    if free < LEAST_FREE:
        return Finding("memory", WARN, says, f"A worker needs about {size(LEAST_FREE)}; free some.", facts)
    return Finding("memory", OK, says, "", facts)


def check_versions() -> Finding:
    """Ours, Python's, and of the packages that the result depends on."""
    found = {"humanparse": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return Finding("versions", OK, ", ".join(f"{name} {number}" for name, number in found.items()), "", dict(found))


def _read_cpu(cpuinfo: Path) -> tuple[str, list[str]]:
    """Model and features of the first core; what the system calls the processor where there is no such file."""
    try:
        first = cpuinfo.read_text().split("\n\n")[0]
    except OSError:
        return platform.processor() or platform.machine(), []
    rows = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in first.splitlines())}
    words = set((rows.get("flags") or rows.get("Features") or "").split())
    features = list(dict.fromkeys(name for word, name in FEATURES.items() if word in words))
    return rows.get("model name") or platform.machine(), features
