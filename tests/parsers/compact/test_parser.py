"""The compact parser with its real weights: laws on any photo, sense on a real one."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from humanparse.config import Settings
from humanparse.parsers.compact.frame import BIN, choose_smaller, prepare
from humanparse.parsers.compact.parser import CompactParser
from humanparse.parsers.compact.reading import drop_specks
from tests.parsers.contract import check_contract
from tests.test_records import check_laws


@pytest.fixture(scope="module")
def parser() -> CompactParser:
    made = CompactParser(Settings())
    made.load()
    return made


def test_it_keeps_the_contract(astronaut: NDArray[np.uint8]) -> None:
    check_contract(CompactParser(Settings()), astronaut)


def test_the_astronaut_is_one_person_with_face_and_hair(parser: CompactParser, astronaut: NDArray[np.uint8]) -> None:
    parsing = parser.parse(astronaut)
    check_laws(parsing)
    largest = parsing.persons[0]
    assert {"Face", "Hair"} <= {part.name for part in largest.parts}
    assert largest.area > 0.9 * sum(person.area for person in parsing.persons)
    face = next(part for part in largest.parts if part.name == "Face")
    assert overlap(face.box, (170, 65, 275, 200)) > 0.6  # measured on the photo by eye
    assert parsing.labels[130, 220] == 13  # between nose and cheek
    assert not parsing.labels[40:120, 315:355].any()  # the wall between her and the shuttle


def test_two_astronauts_are_two_people(parser: CompactParser, astronaut: NDArray[np.uint8]) -> None:
    parsing = parser.parse(np.hstack([astronaut[:, :450], astronaut[:, :450]]))
    faces = [p for p in parsing.persons if any(part.name == "Face" and part.area > 5000 for part in p.parts)]
    assert len(faces) == 2


def test_a_large_photo_says_the_same_as_a_small_one(parser: CompactParser, astronaut: NDArray[np.uint8]) -> None:
    small = parser.parse(astronaut)
    large = parser.parse(cv2.resize(astronaut, (2560, 2560), interpolation=cv2.INTER_CUBIC))
    check_laws(large)
    assert large.size == (2560, 2560)
    assert (large.labels[2::5, 2::5] == small.labels).mean() > 0.9


def test_reduced_precision_says_what_float32_says(astronaut: NDArray[np.uint8]) -> None:
    answers = []
    for precision in ("auto", "f32"):
        made = CompactParser(Settings(precision=precision))
        made.load()
        answers.append(made.parse(astronaut).labels)
    assert (answers[0] == answers[1]).mean() > 0.96


def test_held_to_an_older_cpu_it_says_the_same(parser: CompactParser, astronaut: NDArray[np.uint8]) -> None:
    script = (
        "import sys, numpy as np; from skimage import data; from humanparse.config import Settings;"
        "from humanparse.parsers.compact.parser import CompactParser; p = CompactParser(Settings()); p.load();"
        "sys.stdout.buffer.write(p.parse(data.astronaut()).labels.tobytes())"
    )
    environ = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"}
    ended = subprocess.run([sys.executable, "-c", script], env=environ, stdout=subprocess.PIPE, check=True)
    older = np.frombuffer(ended.stdout, np.uint8).reshape(512, 512)
    assert (older == parser.parse(astronaut).labels).mean() > 0.97


def test_specks_go_to_the_next_best_class_and_patches_stay() -> None:
    logits = np.zeros((20, 12, 12), np.float32)
    logits[0] = 1.0
    logits[5, 2:8, 2:8] = 3.0  # a patch
    logits[9, 4, 4], logits[13, 10, 10] = 5.0, 5.0  # specks: inside the patch, and on nobody
    labels = drop_specks(logits).argmax(axis=0)
    assert (labels[2:8, 2:8] == 5).all()
    assert np.count_nonzero(labels) == 36
    assert logits[9, 4, 4] == 5.0  # the input is as it was


@pytest.mark.parametrize(("height", "side"), [(0, None), (15, None), (20, None), (22, 384), (40, 192), (100, 192)])
def test_tall_faces_are_looked_at_from_further_away(height: int, side: int | None) -> None:
    logits = np.zeros((20, 128, 128), np.float32)
    logits[13, 10 : 10 + height, 50:70] = 5.0
    assert choose_smaller(logits) == side


def test_sides_fall_into_few_bins() -> None:
    shapes = {
        prepare(np.zeros((height, width, 3), np.uint8)).padded.shape
        for height in range(40, 1200, 90)
        for width in range(40, 1200, 90)
    }
    assert all(side % BIN == 0 for shape in shapes for side in shape[:2])
    assert len(shapes) < 60


def test_info_names_parser_and_weights(parser: CompactParser) -> None:
    assert dataclasses.astuple(parser.info)[0] == "compact"
    assert len(parser.info.version) == 8


def overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> float:
    """Intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    inside = max(0, width) * max(0, height)
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return inside / (sum(areas) - inside)
