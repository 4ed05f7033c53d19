"""How often recognition is right on photos that nobody trained or chose it on, and what short numbers cost it.

    apt-get download tuxpaint-stamps-default gcompris-qt-data opencv-doc
    for package in *.deb; do dpkg-deb -x "$package" photos; done
    python -m benchmarks.photos photos

The photos are those of Debian packages, unpacked into a folder (/ where they are installed), and of scikit-image:
every photograph in them whose subject, by the package's own name for it or by eye, is a class of ImageNet. `scenes`
are whole photos, `stamps` are cut out. With --formats also every number format, int8 too, against float32:
the first class, how far a probability is off, and the time of the network. The ranges of int8 are those of every other
photo; it is judged on the rest, and so are the others.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.stamps import STAMPS

STAMP_FOLDER = "usr/share/tuxpaint/stamps"
GCOMPRIS = "usr/share/gcompris-qt/rcc"
# file of GCompris' resources -> which of its photos -> classes
ANIMALS: dict[str, dict[int, tuple[int, ...]]] = {
    "explore_farm_animals.rcc": {0: (97,), 2: (348,), 4: (281, 282, 283, 284, 285), 5: (8,), 6: (341,), 7: (235,),
                                 8: (24,)},
    "explore_world_animals.rcc": {0: (104,), 3: (49,), 5: (88,), 6: (105,), 7: (383,), 8: (48,), 9: (296,), 10: (347,),
                                  12: (290,), 13: (388,)},
}  # fmt: skip
OPENCV = "usr/share/doc/opencv-doc"
OPENCV_PHOTOS: dict[str, tuple[int, ...]] = {
    "examples/data/baboon.jpg": (372,),
    "examples/data/fruits.jpg": (950, 951, 953, 954),
    "examples/data/messi5.jpg": (805,),
    "examples/data/orange.jpg": (950,),
    "opencv4/html/orig_butterfly.jpg": (323,),
    "opencv4/html/space_shuttle.jpg": (812,),
    "opencv4/html/squirrel_cls.jpg": (335,),
}
SKIMAGE_PHOTOS: dict[str, tuple[int, ...]] = {
    "chelsea.png": (281, 282, 285),
    "coffee.png": (504, 967, 968),
    "rocket.jpg": (657, 744, 812),
    "motorcycle_left.png": (665, 670),
    "clock_motion.png": (409, 892),
}
FORMATS = ("f32", "f16", "bf16", "int8")
RUNS = 40  # of the network, for each format
RANGE_SHARE = 0.05  # of the photos may have values outside an int8 map's range


class Photo(NamedTuple):
    """One photo: its set, its name, the file's bytes, and the classes that are right."""

    kind: str
    name: str
    data: bytes
    right: tuple[int, ...]


def read_photos(root: Path) -> Iterator[Photo]:
    """All of the above. Raises OSError for a file that is not there."""
    import skimage

    for file, animals in ANIMALS.items():
        pictures = list(webp_pictures((root / GCOMPRIS / file).read_bytes()))
        for index, right in animals.items():
            yield Photo("scenes", f"{file}, {index}", pictures[index], right)
    folders: dict[Path, dict[str, tuple[int, ...]]] = {
        root / OPENCV: OPENCV_PHOTOS,
        Path(skimage.__file__).parent / "data": SKIMAGE_PHOTOS,
    }
    for folder, photos in folders.items():
        for name, right in photos.items():
            yield Photo("scenes", name, (folder / name).read_bytes(), right)
    for name, right in STAMPS.items():
        yield Photo("stamps", name, (root / STAMP_FOLDER / name).read_bytes(), right)


def webp_pictures(resources: bytes) -> Iterator[bytes]:
    """The WebP files in a file of Qt's resources: such as cannot be made smaller lie there as they are."""
    start = resources.find(b"RIFF")
    while start >= 0:
        end = start + 8 + int.from_bytes(resources[start + 4 : start + 8], "little")
        if resources[start + 8 : start + 12] == b"WEBP":
            yield resources[start:end]
        start = resources.find(b"RIFF", start + 4)


def judge(photos: list[Photo]) -> None:
    """Print how often the service's own recognizer is right, and where it is not."""
    from humanparse.config import Settings
    from humanparse.pipeline import Pipeline
    from humanparse.recognition.options import RecognizeOptions

    recognition = Pipeline(Settings(cache_bytes=0)).recognition
    rows: dict[str, list[tuple[bool, bool]]] = {}
    for photo in photos:
        found = recognition.recognize(photo.data, RecognizeOptions(cache=False)).predictions
        ids = [one.class_id for one in found]
        rows.setdefault(photo.kind, []).append((ids[0] in photo.right, bool(set(ids) & set(photo.right))))
        if ids[0] not in photo.right:
            print(f"{photo.name}: {', '.join(f'{one.label} {one.probability:.0%}' for one in found[:3])}")
    print("\n| photos | count | right at first | among five |\n|---|---:|---:|---:|")
    for kind, all_of in rows.items():
        cells = (sum(column) for column in zip(*all_of, strict=True))
        counts = " | ".join(f"{count} ({count / len(all_of):.0%})" for count in cells)
        print(f"| {kind} | {len(all_of)} | {counts} |")


def compare_formats(photos: list[Photo]) -> None:
    """Print what each number format costs, against float32."""
    from humanparse.images import read_image
    from humanparse.recognition.efficientnet_lite.frame import prepare
    from humanparse.recognition.efficientnet_lite.graph import VARIANTS

    images = [read_image(photo.data, max_bytes=1 << 28, max_pixels=1 << 28) for photo in photos]
    pictures = [prepare(image, VARIANTS[2].side) for image in images]
    judged = photos[1::2]
    networks = {name: make_network(name, find_ranges(pictures[::2])) for name in FORMATS}
    answers = {name: [network(picture) for picture in pictures[1::2]] for name, network in networks.items()}
    spent: dict[str, list[float]] = {name: [] for name in FORMATS}
    for _ in range(RUNS):  # in turn, so that other work on this machine disturbs all alike
        for name, network in networks.items():
            start = time.perf_counter()
            network(pictures[0])
            spent[name].append((time.perf_counter() - start) * 1000)
    print(
        f"\n| format, {len(judged)} photos | right | first as in f32 | furthest off | ms |\n|---|---:|---:|---:|---:|"
    )
    for name in FORMATS:
        pairs = list(zip(answers[name], answers["f32"], strict=True))
        right = sum(int(one.argmax()) in photo.right for (one, _), photo in zip(pairs, judged, strict=True))
        same = sum(one.argmax() == exact.argmax() for one, exact in pairs)
        off = max(float(np.abs(one - exact).max()) for one, exact in pairs)
        print(f"| {name} | {right} | {same} | {off:.2f} | {statistics.median(spent[name]):.1f} |")


def make_network(name: str, ranges: dict[str, NDArray[np.float32]]) -> Callable[[Any], NDArray[np.float32]]:
    """The network in one format; what int8 leaves unrounded is computed as `auto` would."""
    from humanparse.cpu import usable_cores
    from humanparse.parsers.inference import choose_precision
    from humanparse.recognition.efficientnet_lite.graph import VARIANTS, build_graph
    from humanparse.recognition.efficientnet_lite.recognizer import FORMATS as SHORT
    from humanparse.recognition.runtime import Runtime

    int8 = name == "int8"
    graph = build_graph({**_tensors(), **(ranges if int8 else {})}, VARIANTS[2], int8)
    return Runtime(name, graph, choose_precision("auto" if int8 else name, SHORT), usable_cores()).run


def find_ranges(pictures: list[NDArray[np.uint8]]) -> dict[str, NDArray[np.float32]]:
    """The range of every map of the network, as int8 wants them among the tensors."""
    import openvino as ov
    from openvino import opset13 as ops

    from humanparse.layers import RANGE
    from humanparse.recognition.efficientnet_lite.graph import VARIANTS, build_graph

    maps: dict[str, ov.Output] = {}
    graph = build_graph(_tensors(), VARIANTS[2], maps=maps)
    bounds = [reduce(output, [0, 1, 2, 3]) for output in maps.values() for reduce in (ops.reduce_min, ops.reduce_max)]
    graph.add_results([ops.result(bound) for bound in bounds])
    network = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    seen = np.array([[float(value) for value in list(network([p[None]]).values())[1:]] for p in pictures])
    low, high = np.quantile(seen[:, ::2], RANGE_SHARE, 0), np.quantile(seen[:, 1::2], 1 - RANGE_SHARE, 0)
    return {RANGE + key: np.array(pair, np.float32) for key, *pair in zip(maps, low, high, strict=True)}


def _tensors() -> dict[str, NDArray[np.floating]]:
    from humanparse.recognition.efficientnet_lite.weights import find_checkpoint, read_weights

    checkpoint = find_checkpoint(2)
    if checkpoint is None:
        raise SystemExit("EfficientNet-Lite2's weights are not installed.")
    return read_weights(checkpoint)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.photos", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("root", type=Path, help="where the Debian packages are unpacked")
    parser.add_argument("--formats", action="store_true", help="compare number formats, too")
    args = parser.parse_args()
    try:
        photos = list(read_photos(args.root))
    except OSError as error:
        parser.error(f"{error.filename}: {error.strerror}")
    judge(photos)
    if args.formats:
        compare_formats(photos)


if __name__ == "__main__":
    main()
