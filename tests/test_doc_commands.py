"""The commands of the documents run as they stand, on a photo, a folder of photos and a film."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import cv2
import pytest

from humanparse.request_log import Entry, RequestLog
from tests.test_doc_names import DOCUMENTS, ROOT, commands
from tests.video.films import walk, write_film

GIVEN: Final = {"PHOTO_OR_FOLDER...": "photo.jpg", "FOLDER": "photos", "IN.mp4": "film.mp4", "[--json]": "--json"}
ELSEWHERE: Final = ("fetch", "submit", "job", "rtsp:", "video 0")  # a hub, a running service, a stream, a camera
OURS: Final = re.compile(r"(?:\S*/)?python -m humanparse (.*)")


def commands_of(path: Path) -> list[str]:
    """The arguments of our commands in a document. One whose arguments it leaves out is only named there."""
    mine = [match[1] for line in commands(path) if (match := OURS.fullmatch(line))]
    return [
        line
        for line in dict.fromkeys(mine)
        if (" " in line or line == "doctor") and not any(word in line for word in ELSEWHERE)
    ]


FOUND: Final = {str(path.relative_to(ROOT)): commands_of(path) for path in DOCUMENTS}


def test_the_commands_are_found() -> None:
    names = {line.split()[0] for lines in FOUND.values() for line in lines}
    assert names == {"parse", "video", "recognize", "stylize", "doctor", "keys", "requests"}


@pytest.mark.parametrize("document", [name for name, lines in FOUND.items() if lines])
def test_the_commands_of_a_document_do_what_they_say(document: str, tmp_path: Path) -> None:
    from skimage import data

    cv2.imwrite(str(tmp_path / "photo.jpg"), data.astronaut()[..., ::-1])
    (tmp_path / "photos").mkdir()
    shutil.copy(tmp_path / "photo.jpg", tmp_path / "photos")
    write_film(tmp_path / "film.mp4", walk(3))
    log = RequestLog(tmp_path / "request_log", 10, 1000)
    log.add(Entry(0, "id", "POST", "/api/parse", 200, None, None, None, 1, 1, 50, 9, 9))
    log.close()
    kept = ("RESULTS", "JOBS", "CACHE", "REQUEST_LOG")
    own = {f"HUMANPARSE_{name}_DIR": str(tmp_path / name.lower()) for name in kept}
    own |= {"HUMANPARSE_KEYS_FILE": "keys.json", "HUMANPARSE_REQUEST_LOG_ROWS": "10", "PYTHONPATH": str(ROOT)}
    for line in FOUND[document]:
        for shown, real in GIVEN.items():
            line = line.replace(shown, real)
        command = f"{sys.executable} -m humanparse {line}"
        ended = subprocess.run(
            command, shell=True, cwd=tmp_path, env={**os.environ, **own}, capture_output=True, text=True
        )
        assert ended.returncode == 0, f"{line}: {ended.stdout} {ended.stderr}"
        for name in re.findall(r"(?:--out|--data|>) (\S+\.\w+)", line):
            assert (tmp_path / name).stat().st_size, name
