"""What the documents promise is what happens."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from docs.picture import PICTURE, parse_astronaut
from humanparse.client import Client
from humanparse.exports import FORMATS
from humanparse.labels import NAMES, PALETTES
from humanparse.options import CHOICES, INCLUDES, OPTIONS
from humanparse.parsers import AUTO, PARSERS
from humanparse.parsers.compact import weights
from humanparse.web.errors import STATUS

ROOT = Path(__file__).parent.parent
READMES = ("README.md", "README.zh.md")
ELIDED = "..."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the examples' photos lie."""
    from skimage import data

    made = tmp_path_factory.mktemp("photos")
    astronaut: NDArray[np.uint8] = data.astronaut()
    for name in ("astronaut.jpg", "photo.jpg"):
        cv2.imwrite(str(made / name), astronaut[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    with zipfile.ZipFile(made / "photos.zip", "w") as archive:
        archive.write(made / "photo.jpg", "photo.jpg")
        archive.writestr("notes.txt", "no photo")
    return made


def curls(text: str) -> list[str]:
    """The curl commands of a document, without the comments behind them."""
    lines = re.findall(r"^ {4}((?:printf .* \| )?curl .*)$", text, re.MULTILINE)
    return [re.split(r"\s+# ", line)[0] for line in lines]


@pytest.mark.parametrize("name", READMES)
def test_the_curl_of_a_readme_prints_the_answer_it_shows(name: str, address: str) -> None:
    text = (ROOT / name).read_text()
    (command,) = curls(text)
    shown = json.loads(re.search(r"```json\n(.*?)```", text, re.DOTALL)[1])  # type: ignore[index]
    check_shown(shown, run_curl(command, address, ROOT), "answer")


def test_the_readmes_picture_has_the_colours_of_today() -> None:
    answer = parse_astronaut()
    shown = cv2.imread(str(PICTURE))[:, 512:, ::-1].astype(int)
    labels = answer.parsing.labels
    for number in np.flatnonzero(np.bincount(labels.ravel()) > 2000):
        apart = np.percentile(np.abs(shown - answer.overlay)[labels == number], 25)  # CPUs round differently
        assert apart < 8, f"{NAMES[number]} has another colour in {PICTURE.name}: run `python -m docs.picture`"


def check_shown(shown: Any, real: Any, where: str) -> None:
    """`shown` is `real`, but for what it elides with three dots, scores and times."""
    if isinstance(shown, str) and shown.endswith(ELIDED):
        assert real.startswith(shown.removesuffix(ELIDED)), where
    elif isinstance(shown, dict):
        assert list(shown) == list(real), where
        for key in shown:
            if key != "timing_ms":
                check_shown(shown[key], real[key], f"{where}.{key}")
    elif isinstance(shown, list) and shown and isinstance(shown[-1], str) and shown[-1] == ELIDED:
        check_some(shown[:-1], real, where)
    elif isinstance(shown, list):
        assert len(shown) == len(real), where
        for index, item in enumerate(shown):
            check_shown(item, real[index], f"{where}[{index}]")
    elif isinstance(shown, (int, float)) and not isinstance(shown, bool):
        assert real == pytest.approx(shown, rel=0.1, abs=8), where  # CPUs round differently
    else:
        assert real == shown, where


def check_some(shown: list[Any], real: list[Any], where: str) -> None:
    """`shown` are some of `real`, in their order: things with an id by that, words by themselves."""
    name = (lambda item: item["id"]) if isinstance(shown[0], dict) else str
    assert len(real) > len(shown), where
    found = {name(item): (index, item) for index, item in enumerate(real)}
    places = [found[name(item)][0] for item in shown]
    assert places == sorted(places), where
    for item in shown:
        check_shown(item, found[name(item)][1], f"{where}[{name(item)}]")


def run_curl(command: str, address: str, folder: Path) -> Any:
    command = command.replace("http://127.0.0.1:5000", address).replace("curl ", "curl --silent --max-time 60 ", 1)
    ended = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(ended.stdout) if ended.stdout else None  # with -o the answer is in a file


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_addresses_with_options_are_quoted(path: Path) -> None:
    """An unquoted ? is a pattern, and zsh refuses one that fits no file."""
    for command in curls(path.read_text()):
        assert "?" not in " ".join(re.split(r"'[^']*'|\"[^\"]*\"", command)), command


def test_every_curl_of_the_api_document_works(address: str, folder: Path) -> None:
    commands = [command for command in curls((ROOT / "docs" / "api.md").read_text()) if "/api/jobs" not in command]
    assert len(commands) == 12
    kept = ""
    for command in commands:
        answer = run_curl(command.replace("/results/ID", f"/results/{kept}"), address, folder)
        kept = (answer or {}).get("id", kept)
        if answer is not None and "results" in answer:
            assert answer["results"][0]["status"] == "success", answer
        else:
            assert answer is None or answer["status"] == "success", answer
    for name in ("overlay.webp", "overlay.jpg", "coat.jpg"):
        assert cv2.imread(str(folder / name)).shape == (512, 512, 3)
    assert json.loads((folder / "photo.coco.json").read_text())["images"][0]["file_name"] == "photo.jpg"
    with zipfile.ZipFile(folder / "parsings.zip") as archive:
        assert archive.namelist() == ["photos.coco.json", "results.json"]


def test_the_jobs_of_the_api_document_work_and_look_as_it_shows(address: str, folder: Path) -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    submit, look, fetch, delete = [command for command in curls(text) if "/api/jobs" in command]
    shown = json.loads(re.search(r'```json\n(\{\n  "id".*?)```', text, re.DOTALL)[1])  # type: ignore[index]
    job = run_curl(submit, address, folder)
    assert run_curl(submit, address, folder)["id"] == job["id"]  # the same Idempotency-Key
    own = {**shown, "state": job["state"], "place": job["place"]}  # it may have begun
    for key in ("id", "created_at", "started_at"):
        assert type(job.pop(key)) in (str, type(own.pop(key)))
    assert list(job.items()) == list(own.items())
    with Client(address) as client:
        id = client.wait(run_curl(submit, address, folder)["id"]).id
    assert run_curl(look.replace("ID", id), address, folder)["state"] == "succeeded"
    assert run_curl(fetch.replace("ID", id), address, folder)["num_persons"] == 1
    assert run_curl(delete.replace("ID", id), address, folder) is None
    assert run_curl(look.replace("ID", id), address, folder)["code"] == "job_expired"


def test_the_batch_answer_that_the_api_document_shows_is_real(address: str, folder: Path) -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    shown = json.loads(re.search(r'```json\n(\{"results".*?)```', text, re.DOTALL)[1])  # type: ignore[index]
    command = next(command for command in curls(text) if "--data-binary @photos.zip" in command)
    real = run_curl(command, address, folder)
    assert [row["file"] for row in real["results"]] == [row["file"] for row in shown["results"]]
    for row, true in zip(shown["results"], real["results"], strict=True):
        problem = row.pop("problem", {})
        assert {**row, "...": "..."} == {**{key: true[key] for key in row if key != "..."}, "...": "..."}
        assert all(true["problem"][key] == problem[key] for key in problem if key != "...")
    assert (real["succeeded"], real["failed"]) == (shown["succeeded"], shown["failed"])


def test_the_python_of_the_client_document_runs(address: str, folder: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "client.md").read_text(), re.DOTALL)
    assert len(blocks) == 6
    program = "\n".join(blocks).replace("http://127.0.0.1:5000", address)
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert "'Face'" in lines[0]
    assert lines[1:4] == ["photo.jpg 1", "astronaut.jpg 1", "Face True"]
    assert re.fullmatch(r"[\w-]{22} queued (\d+|None)", lines[4])
    assert lines[5:7] == ["photo.jpg 1", "astronaut.jpg 1"]
    assert lines[7].startswith("unsupported_format ")
    assert lines[8] == "[1, 1]"
    assert re.match(r"/results/[\w-]{22} 20\S+Z 1 \('photo.jpg', ", lines[9])
    assert "'Face'" in lines[10]
    assert (folder / "cutout.png").read_bytes().startswith(b"\x89PNG")


def test_the_api_document_lists_every_option_include_parser_and_code() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    for name, meaning in OPTIONS.items():
        assert re.search(rf"^\| `{name}` \|.*\| {re.escape(meaning)} \|$", text, re.MULTILINE), name
    for name in (*PALETTES, *CHOICES["overlay"]):
        assert f"`{name}`" in text
    for name, format in FORMATS.items():
        assert f"| `{name}` | {format.media_type} | {format.help} |" in text
    for name, meaning in INCLUDES.items():
        assert f"| `{name}` | {meaning} |" in text
    assert ", ".join(f"`{name}`" for name in (AUTO, *PARSERS)) in text
    for cls, status in STATUS.items():
        if status not in (500, 404) and cls.code != "bad_input":
            assert f"`{cls.code}`" in text


@pytest.mark.parametrize("name", READMES)
def test_the_score_in_a_readme_is_the_model_cards(name: str) -> None:
    card = (weights.FOLDER / "MODEL_CARD.md").read_text()
    score = re.search(r"mean IoU over the 20 classes.*\| (0\.\d+) \|", card)[1]  # type: ignore[index]
    assert f" {float(score):.2f}" in (ROOT / name).read_text()
