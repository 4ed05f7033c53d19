"""docs/extending.md, followed to the letter in a copy of the sources."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).parent.parent
TREE = ("humanparse", "templates", "static", "translations", "tests", "docs", "training", "benchmarks", "reference")
TEXT = (ROOT / "docs" / "extending.md").read_text()
RECIPES = [part for part in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:] if "```" in part]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.splitlines()[0])
def test_a_recipe_works_as_it_stands(recipe: str, tmp_path: Path, astronaut: NDArray[np.uint8]) -> None:
    copy_sources(tmp_path)
    cv2.imwrite(str(tmp_path / "photo.jpg"), astronaut[..., ::-1])
    follow(recipe, tmp_path)
    commands = re.findall(r"^ {4}\.venv/bin/python (-m .*)$", recipe, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        ended = subprocess.run(f"{sys.executable} {command}", shell=True, cwd=tmp_path, capture_output=True, text=True)
        assert ended.returncode == 0, f"{command}\n{ended.stdout[-3000:]}\n{ended.stderr[-2000:]}"
    assert list((tmp_path / "results").iterdir())


def copy_sources(target: Path) -> None:
    for name in TREE:
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for path in [*ROOT.glob("*.py"), *ROOT.glob("*.md"), ROOT / "pyproject.toml", ROOT / "Makefile", ROOT / "NOTICE"]:
        shutil.copy(path, target)


def follow(recipe: str, tree: Path) -> None:
    """Write the files of a recipe, and change those that it changes."""
    for kind, name, body in re.findall(r"^```(python|diff)\n# (\S+)\n(.*?)^```", recipe, re.MULTILINE | re.DOTALL):
        path = tree / name
        if kind == "python":
            assert not path.exists(), name
            path.write_text(body)
        else:
            path.write_text(changed(path.read_text(), body.splitlines(), name))


def changed(text: str, lines: list[str], name: str) -> str:
    """`text` with the lines of a diff put in and taken out; what it shows must stand there once."""
    before = "\n".join(line[1:] for line in lines if not line.startswith("+"))
    after = "\n".join(line[1:] for line in lines if not line.startswith("-"))
    if len(lines) == 2 and lines[0].startswith("-"):  # the beginning of a long line
        before, after = lines[0][1:], lines[1][1:]
    assert text.count(before) == 1, f"{name} has {text.count(before)} times:\n{before}"
    return text.replace(before, after)
