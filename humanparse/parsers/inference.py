"""How the parsers have OpenVINO run their networks: one photo at a time, in the fastest format allowed."""

from __future__ import annotations

import openvino as ov

from humanparse.cpu import bf16_permitted


def choose_precision(wanted: str, formats: tuple[str, ...]) -> str:
    """`wanted`, or for `auto` and `int8` the first of `formats` (f16, bf16) that the CPU computes in, else f32.

    int8 is a matter of the graph, and never of all of it: this is the format of the rest.
    """
    if wanted not in ("auto", "int8"):
        return wanted
    able = ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES") if bf16_permitted() else []
    native = {"f16": "FP16", "bf16": "BF16"}
    return next((name for name in formats if native[name] in able), "f32")


def latency_options(precision: str, threads: int) -> dict[str, object]:
    """Options of a compiled network that answers one photo at a time on all `threads`."""
    return {
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        # Pinned, the threads of two workers would sit on the same cores: two compact workers with a thread each parse
        # 33 photos a second on two cores instead of 18; one worker with two threads, 24 either way.
        "ENABLE_CPU_PINNING": False,
    }
