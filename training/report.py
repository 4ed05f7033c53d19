"""Pictures of a run: the curve, and photos beside truth and prediction."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.dataset import COLOURS, Sample


def read_log(path: Path) -> dict[str, tuple[list[int], list[float]]]:
    """Column -> (steps, values), empty cells left out."""
    series: dict[str, tuple[list[int], list[float]]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            for name, value in row.items():
                if name != "step" and value:
                    steps, values = series.setdefault(name, ([], []))
                    steps.append(int(row["step"]))
                    values.append(float(value))
    return series


def draw_curve(series: dict[str, tuple[list[int], list[float]]], path: Path) -> None:
    """Losses on the left axis, validation mean IoU on the right."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, left = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    for name in ("parts", "people", "joints"):
        if name in series:
            left.plot(*series[name], label=f"{name} loss")
    left.set(xlabel="step", ylabel="training loss")
    if "miou" in series:
        right = left.twinx()
        right.plot(*series["miou"], "k.-", label="validation mIoU")
        right.set(ylabel="validation mean IoU", ylim=(0, 1))
    figure.legend(loc="upper center", ncols=3)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def draw_samples(samples: list[Sample], predicted: list[NDArray[np.uint8]], path: Path) -> None:
    """One row a photo: itself, truth (ignored pixels white), prediction."""
    columns = []
    for sample, labels in zip(samples, predicted, strict=True):
        strip = np.vstack([sample.image, COLOURS[sample.labels], COLOURS[labels]])
        columns.append(cv2.resize(strip, (200, 900), interpolation=cv2.INTER_AREA))
    Image.fromarray(np.hstack(columns)).save(path)
