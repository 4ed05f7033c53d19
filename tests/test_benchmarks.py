"""Benchmarks are commands that people run: the quick ones, run as small as they go."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.codebase import measure
from benchmarks.everything import BENCHMARKS, Benchmark, run

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("command", ["benchmarks.parse --runs 1", "benchmarks.encoding"])
def test_a_benchmark_runs_and_prints_a_table(command: str) -> None:
    ended = subprocess.run([sys.executable, "-m", *command.split()], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "\n|---|" in ended.stdout


@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda benchmark: benchmark.title)
def test_every_benchmark_of_the_report_takes_its_arguments(benchmark: Benchmark, tmp_path: Path) -> None:
    if benchmark.missing():
        pytest.skip(benchmark.missing())
    plot = f" --plot {tmp_path / benchmark.plot}" if benchmark.plot else ""
    command = f"{benchmark.command}{plot} --help"  # arguments are read in order: a wrong one ends it before the help
    ended = subprocess.run([sys.executable, "-m", *command.split()], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_a_benchmark_that_fails_is_shown_and_one_that_cannot_run_is_excused(tmp_path: Path) -> None:
    text, ok = run(Benchmark("Wrong", "benchmarks.parse --nonsense"), tmp_path)
    assert not ok and "Ended with 2" in text and "--nonsense" in text
    assert run(Benchmark("Absent", "benchmarks.parse", missing=lambda: "no engine"), tmp_path) == (
        "Not run: no engine.",
        True,
    )


def test_the_figures_of_a_codebase(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(
        '"""Doc."""\n\n\ndef f(x: int) -> int:\n    """Said."""\n    # why\n    return x\n'
    )
    (tmp_path / "two.py").write_text("def g(x):\n    return x\n")
    figures = measure([tmp_path], None)
    assert figures["files"] == "2" and figures["lines of code"] == "4" and figures["longest file"] == "7"
    assert figures["typed functions"] == "50 %" and figures["public functions with a docstring"] == "50 %"
    assert figures["comments for 100 lines of code"] == "25.0"
