"""A data set of a few made-up photos, in the layout of the real one."""

from __future__ import annotations

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
    (folder / "train.txt").write_text("\n".join(names[:4]))
    (folder / "val.txt").write_text("\n".join(names[4:]))
    return folder
