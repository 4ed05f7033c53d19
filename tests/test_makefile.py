"""`make` on a machine that is not ready says what is missing, and leaves nothing half done."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def make(folder: Path, python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`make` in an empty folder with a Python that is this shell script."""
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, folder)
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{python}\n")
    program.chmod(0o755)
    command = ["make", "-C", str(folder), *arguments, f"PYTHON={program}"]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_python_that_does_not_fit_is_told_before_anything_is_made(tmp_path: Path) -> None:
    for version, fits in (((3, 9), False), ((3, 10), True), ((3, 13), True), ((3, 14), False)):
        as_if = f"import sys; sys.version_info = {version}; exec(sys.argv[2])"
        check = f"""[ "$1" = -m ] && exit 7; exec {sys.executable} -c "{as_if}" "$@" """
        ended = make(tmp_path, check, "run")
        assert ended.returncode == 2
        said = f"is Python {version[0]}.{version[1]}; 3.10 to 3.13 are needed. Name another: make run PYTHON="
        assert (said in ended.stderr) is not fits
        assert not (tmp_path / ".venv").exists()


def test_half_an_environment_is_taken_away(tmp_path: Path) -> None:
    half = """[ "$1" = -c ] || { mkdir -p .venv/bin; touch .venv/bin/python; echo no ensurepip; exit 1; }"""
    ended = make(tmp_path, half, "install")
    assert ended.returncode == 2
    assert "no ensurepip" in ended.stdout
    assert not (tmp_path / ".venv").exists()


@pytest.mark.slow  # it makes a real environment
def test_what_is_installed_finds_the_sources_from_any_folder(tmp_path: Path) -> None:
    sources, elsewhere = tmp_path / "grace's sources", tmp_path / "elsewhere"
    for folder in (sources / "humanparse", elsewhere):
        folder.mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", sources)
    (sources / "requirements.txt").touch()
    (sources / "humanparse" / "__main__.py").write_text("print('here I am')")
    subprocess.run(["make", "-C", str(sources), "install", f"PYTHON={sys.executable}"], check=True, capture_output=True)
    command = [str(sources / ".venv" / "bin" / "python"), "-m", "humanparse"]
    ended = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True)
    assert ended.stdout == "here I am\n", ended.stderr


def test_help_names_every_target_that_says_what_it_does(tmp_path: Path) -> None:
    told = make(tmp_path, "", "help").stdout
    targets = re.findall(r"^([a-z0-9-]+):(?!=)(?:.*## (.*))?$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert len(targets) > 20
    for name, words in targets:
        assert f"{name}: {words}\n" in told
