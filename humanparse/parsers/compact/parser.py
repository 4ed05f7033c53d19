"""The compact parser: photo -> network -> label map and people map."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import openvino as ov
from numpy.typing import NDArray

from humanparse.config import Settings
from humanparse.cpu import bf16_permitted, usable_cores
from humanparse.errors import ParserError, ParserUnavailable
from humanparse.labels import NAMES, NUM_CLASSES
from humanparse.parsers.compact import weights
from humanparse.parsers.compact.graph import MIDDLE, STRIDE, build_graph
from humanparse.parsers.compact.grouping import group
from humanparse.parsers.compact.posing import find_keypoints
from humanparse.parsers.compact.upsample import argmax_enlarged, enlarge
from humanparse.parsers.contract import Parser
from humanparse.records import ParserInfo, Parsing

LONG_SIDE = 512  # pixels of the network's input; chosen on the validation photos
# A network that learned from whole people is lost where a face fills the frame, so close-ups are
# looked at a second time from further away. On the upper 0.22, 0.35 and 0.5 of the validation
# people, mean IoU over the classes in sight rose from 0.36 to 0.48, 0.46 to 0.48 and 0.52 to 0.54
# (`python -m training.evaluate --upper 0.22`).
FACE = NAMES.index("Face")
TALL_FACE, GOOD_FACE = 80, 62  # pixels of the network's input
MIN_FACE_CELLS = 20
SMALLER_SIDES = (384, 320, 256, 192)
MAX_ENLARGE = 4.0  # tiny photos are enlarged at most so much
BIN = 64  # input sides are padded to multiples of this: few shapes, so the runtime's caches stay small
NOBODY = np.array([10.0] + [-10.0] * (NUM_CLASSES - 1), np.float32)[
    :, None, None
]  # logits of a cell that is background for sure
NEVER = np.float32(-30.0)  # a logit that loses against any other
MIN_PATCH_CELLS = 4  # smaller patches are noise: leaving them out gains 0.1 to 0.2 points of IoU, and calm pictures
MAX_FINE_PIXELS = 4_000_000  # maps are made at most this large, then repeated: finer would be invention


class Frame(NamedTuple):
    """A photo as the network sees it, and the (height, width) of the photo inside the padding."""

    padded: NDArray[np.uint8]
    inner: tuple[int, int]


class Maps(NamedTuple):
    """What the network says at stride 4 of a frame, float32: parts (20, h, w), people (3, h, w), joints (17, h, w)."""

    parts: NDArray[np.float32]
    people: NDArray[np.float32]
    joints: NDArray[np.float32] | None = None  # weights made before version 2 have none

    def cut(self, cells: tuple[int, int]) -> Maps:
        """The upper left `cells` (height, width), without the padding."""
        window = np.s_[:, : cells[0], : cells[1]]
        return Maps(self.parts[window], self.people[window], None if self.joints is None else self.joints[window])


class CompactParser(Parser):
    """Our own EfficientNet-Lite2 network, run by OpenVINO in the fastest form the CPU has."""

    def __init__(self, settings: Settings, file: Path | None = None) -> None:
        """`file`: other weights than the embedded ones, with a .sha256 beside it; training compares so."""
        self._settings = settings
        self._file = file or weights.FILE
        self._checksum = self._file.with_suffix(".sha256")
        self._request: ov.InferRequest | None = None
        self._heads: tuple[str, ...] = ()

    @cached_property  # not read in the constructor: `auto` makes a parser per request to ask if it is available
    def info(self) -> ParserInfo:
        return ParserInfo("compact", weights.weights_version(self._checksum))

    def available(self) -> str | None:
        if self._file.exists():
            return None
        return f"its weights ({self._file.name}) are not in this checkout; fetch the file again with git"

    def load(self) -> None:
        try:
            core = ov.Core()
            graph = build_graph(weights.read_weights(self._file, self._checksum))
            compiled = core.compile_model(graph, "CPU", _runtime_options(core, self._settings))
            self._heads = tuple(output.get_any_name() for output in compiled.outputs)
            self._request = compiled.create_infer_request()
        except RuntimeError as exc:  # OpenVINO's errors have no type of their own
            raise ParserUnavailable(f"OpenVINO cannot run the compact network here: {exc}") from exc
        self.parse(np.zeros((480, 640, 3), np.uint8))

    def parse(self, image: NDArray[np.uint8]) -> Parsing:
        frame = prepare(image)
        maps = self.infer(frame.padded)
        smaller = choose_smaller(maps.parts)
        if smaller is not None:
            frame = prepare(image, smaller)
            maps = self.infer(frame.padded)
        return read_out(maps, frame, (image.shape[0], image.shape[1]), self.info)

    def infer(self, padded: NDArray[np.uint8]) -> Maps:
        """The network's maps for a padded frame."""
        if self._request is None:
            raise ParserUnavailable("The compact parser is not loaded.")
        try:
            self._request.infer({"image": padded[None]})
            return Maps(**{head: self._request.get_tensor(head).data[0].copy() for head in self._heads})
        except RuntimeError as exc:
            raise ParserError(f"OpenVINO failed on a {padded.shape[1]}x{padded.shape[0]} input.") from exc


def prepare(image: NDArray[np.uint8], long_side: int = LONG_SIDE) -> Frame:
    """The photo scaled so that its longer side is `long_side` pixels, padded to the next bin."""
    height, width = image.shape[:2]
    scale = min(long_side / max(height, width), MAX_ENLARGE)
    inner = max(1, round(height * scale)), max(1, round(width * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(image, inner[::-1], interpolation=method)
    below, right = -inner[0] % BIN, -inner[1] % BIN
    padded = cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_CONSTANT, value=(int(MIDDLE),) * 3)
    return Frame(np.asarray(padded, np.uint8), inner)


def choose_smaller(logits: NDArray[np.float32]) -> int | None:
    """The longer side at which to look at a close-up again, or None where faces have a usual size.

    logits (20, h, w) of the first look. Faces are measured by the median height of their patches.
    """
    faces = (logits.argmax(axis=0) == FACE).astype(np.uint8)
    stats = cv2.connectedComponentsWithStats(faces, connectivity=8)[2][1:]
    heights = stats[stats[:, cv2.CC_STAT_AREA] >= MIN_FACE_CELLS, cv2.CC_STAT_HEIGHT] * STRIDE
    if not len(heights) or np.median(heights) <= TALL_FACE:
        return None
    wanted = LONG_SIDE * GOOD_FACE / float(np.median(heights))
    return min(SMALLER_SIDES, key=lambda side: abs(side - wanted))


def read_out(maps: Maps, frame: Frame, size: tuple[int, int], info: ParserInfo) -> Parsing:
    """The network's maps of `frame` -> a Parsing of `size` (height, width)."""
    maps = maps.cut((-(-frame.inner[0] // STRIDE), -(-frame.inner[1] // STRIDE)))
    logits = drop_specks(maps.parts)
    somebody = logits.argmax(axis=0) > 0
    closeness, kept = group(maps.people, somebody)
    logits = np.where(somebody & ~kept, NOBODY, logits)
    fine = _fine_size(size)
    scale = frame.inner[0] / STRIDE / fine[0], frame.inner[1] / STRIDE / fine[1]
    labels = argmax_enlarged(logits, fine, scale)
    people = argmax_enlarged(closeness, fine, scale) + np.uint8(1) if len(closeness) else np.zeros_like(labels)
    people[labels == 0] = 0
    labels[people == 0] = 0
    confidence = enlarge(_highest_probability(logits), (0, 0, *fine), scale)
    if fine != size:
        labels, people, confidence = (_repeat(array, size) for array in (labels, people, confidence))
    keypoints = None
    if maps.joints is not None:
        whose = np.where(kept, closeness.argmax(axis=0) + 1, 0) if len(closeness) else np.zeros_like(kept, np.intp)
        of_photo = frame.inner[0] / STRIDE / size[0], frame.inner[1] / STRIDE / size[1]
        keypoints = find_keypoints(maps.joints, whose, len(closeness), of_photo)
    return Parsing.from_maps(labels, people, confidence, info, keypoints)


def drop_specks(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """The logits (20, h, w) with every patch of a class of fewer than MIN_PATCH_CELLS given to the next best class."""
    cleaned = logits.copy()
    top = logits.argmax(axis=0).astype(np.uint8)
    for index in np.flatnonzero(np.bincount(top.ravel())):
        _, patches, stats, _ = cv2.connectedComponentsWithStats((top == index).view(np.uint8), connectivity=8)
        small = stats[:, cv2.CC_STAT_AREA] < MIN_PATCH_CELLS
        small[0] = False  # what is not of this class
        cleaned[index][small[patches]] = NEVER
    return cleaned


def _highest_probability(logits: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(h, w) uint8: the softmax probability of the winning class, times 255."""
    highest = logits.max(axis=0)
    total = np.exp(logits - highest).sum(axis=0)
    return np.asarray(np.round(255 / total), np.uint8)


def _fine_size(size: tuple[int, int]) -> tuple[int, int]:
    """`size`, or a whole fraction of it that has at most MAX_FINE_PIXELS."""
    height, width = size
    divisor = 1
    while -(-height // divisor) * -(-width // divisor) > MAX_FINE_PIXELS:
        divisor += 1
    return -(-height // divisor), -(-width // divisor)


def _repeat(array: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    height, width = size
    return np.asarray(cv2.resize(array, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def _runtime_options(core: ov.Core, settings: Settings) -> dict[str, object]:
    """One photo at a time on all threads; bf16 where the CPU computes in it, float32 elsewhere."""
    fast = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") and bf16_permitted()
    return {
        "INFERENCE_PRECISION_HINT": ("bf16" if fast else "f32") if settings.precision == "auto" else settings.precision,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": settings.threads or usable_cores(),
        "NUM_STREAMS": 1,
    }
