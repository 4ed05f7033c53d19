"""What the documents of recognition and of the studio promise is what happens."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import cv2

from humanparse.effects import EFFECTS
from humanparse.effects.selection import GROUPS
from humanparse.recognition import RECOGNIZERS
from humanparse.stylize_options import OPTIONS
from tests.test_docs import check_shown, curls, folder, run_curl

__all__ = ["folder"]  # a fixture
ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def test_the_answer_that_recognition_shows_is_real(address: str, folder: Path) -> None:
    from skimage import data

    cv2.imwrite(str(folder / "cat.jpg"), data.chelsea()[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    text = (DOCS / "recognition.md").read_text()
    (command,) = curls(text)
    shown = json.loads(re.search(r"```json\n(.*?)```", text, re.DOTALL)[1])  # type: ignore[index]
    real = run_curl(command, address, folder)
    assert [one["class_id"] for one in shown["predictions"]] == [one["class_id"] for one in real["predictions"]]
    check_shown({**shown, "cached": real["cached"]}, real, "answer")


def test_every_curl_of_the_studio_works(address: str, folder: Path) -> None:
    commands = curls((DOCS / "studio.md").read_text())
    assert len(commands) == 5
    answers = [run_curl(command, address, folder) for command in commands]
    assert [row["effect"] for row in answers[-1]["pictures"]] == ["sepia", "cartoon"]
    for name in ("oil.jpg", "coat.jpg", "pencil.png"):
        assert cv2.imread(str(folder / name)).shape == (512, 512, 3)
    with zipfile.ZipFile(folder / "four.zip") as archive:
        assert len(archive.namelist()) == 4


def test_the_studio_lists_every_option_effect_parameter_and_word() -> None:
    text = (DOCS / "studio.md").read_text()
    for name, meaning in OPTIONS.items():
        assert f"| `{name}` | {meaning} |" in text
    for name, effect in EFFECTS.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}` | {effect.help} |"))
        for p in effect.parameters:
            unit = " px" if p.pixels else ""
            assert f"`{p.name}` {p.default:g}{unit} ({p.low:g} to {p.high:g})" in row
    for word in GROUPS:
        assert f"`{word}`" in text


def test_recognition_names_every_recognizer() -> None:
    text = (DOCS / "recognition.md").read_text()
    assert all(f"## {name}" in text for name in RECOGNIZERS)
