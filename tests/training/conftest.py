"""A data set of a few made-up photos, in the layout of the real one."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from training.dataset import IGNORE


def draw_person(size: tuple[int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A figure of boxes on noise: face, coat, both arms, both legs, both shoes, and a bag to ignore."""
    height, width = size
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (height, width, 3), np.uint8)
    labels = np.zeros(size, np.uint8)
    u, v = height // 10, width // 10
    boxes = {
        13: (1, 4, 2, 6), 7: (2, 3, 5, 7), 15: (2, 2, 5, 3), 14: (2, 7, 5, 8), 17: (5, 3, 8, 5),
        16: (5, 5, 8, 7), 19: (8, 3, 9, 5), 18: (8, 5, 9, 7), IGNORE: (3, 4, 4, 5),
    }  # fmt: skip
    for value, (y0, x0, y1, x1) in boxes.items():
        labels[y0 * u : y1 * u, x0 * v : x1 * v] = value
        if value != IGNORE:
            image[labels == value] = rng.integers(0, 256, 3)
    return image, labels


def person_points(size: tuple[int, int]) -> np.ndarray:
    """(17, 3) float32: the drawn figure's key points, each inside its part, all sure."""
    u, v = size[0] // 10, size[1] // 10
    face = [(1.5, 5), (1.3, 5.4), (1.3, 4.6), (1.4, 5.8), (1.4, 4.2)]
    arms = [(y, x) for y in (2.2, 3.5, 4.8) for x in (7.5, 2.5)]
    legs = [(y, x) for y in (5.2, 6.5, 8.5) for x in (6, 4)]
    return np.array([(x * v, y * u, 0.9) for y, x in face + arms + legs], np.float32)


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    (folder / "photos").mkdir()
    (folder / "labels").mkdir()
    names = [f"{number:04d}" for number in range(6)]
    for seed, name in enumerate(names):
        image, labels = draw_person((200, 140), seed)
        cv2.imwrite(str(folder / "photos" / f"{name}.jpg"), image[..., ::-1])
        picture = Image.fromarray(labels, "L").convert("P")
        picture.putdata(labels.ravel().tolist())
        picture.save(folder / "labels" / f"{name}.png")
    entry = {"keypoints": person_points((200, 140)).tolist(), "box": [28, 20, 112, 180], "ok": True}
    (folder / "keypoints.json").write_text(json.dumps(dict.fromkeys(names, entry)))
    (folder / "tags.json").write_text(json.dumps({name: ["coat", "skirt"] for name in names}))
    (folder / "unlabelled.txt").write_text("\n".join(names[:2]))
    (folder / "train.txt").write_text("\n".join(names[:4]))
    (folder / "val.txt").write_text("\n".join(names[4:]))
    return folder
