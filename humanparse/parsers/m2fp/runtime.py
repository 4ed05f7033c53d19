"""What runs the network: OpenVINO, or torch where that is asked for or OpenVINO cannot."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import multiprocessing
from abc import ABC, abstractmethod
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from humanparse.errors import ParserError, ParserUnavailable
from humanparse.parsers.inference import latency_options
from humanparse.parsers.m2fp.sampling import DeformableSampling
from humanparse.parsers.m2fp.weights import graph_path

if TYPE_CHECKING:
    from humanparse.parsers.m2fp.network import M2FP

SMALL: Final = (128, 128)
LARGEST: Final = (640, 1344)  # (height, width): no input has more pixels
MADV_DONTNEED: Final = 4  # Linux

log = logging.getLogger(__name__)


class Runtime(ABC):
    """Input (1, 3, H, W) float32 -> logits (Q, classes + 1) and masks (Q, H/4, W/4), float32."""

    @abstractmethod
    def run(self, image: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Raises ParserError where the runtime fails. The arrays are valid until the next run."""


class OpenVINORuntime(Runtime):
    """One compiled graph for all sizes of input."""

    def __init__(self, graph: Path, precision: str, threads: int) -> None:
        """Raises ParserUnavailable where OpenVINO cannot run the graph here."""
        DeformableSampling.threads = threads
        core = ov.Core()
        core.add_extension(DeformableSampling)
        options = {
            **latency_options(precision, threads),
            # OpenVINO 2026.4's compiled attention fails on open sizes in bf16 ("Cannot initialize brgemm
            # descriptor"); its separate operations take a hundredth of the time more.
            "SNIPPETS_MODE": "DISABLE",
        }
        try:
            self._request = core.compile_model(core.read_model(graph), "CPU", options).create_infer_request()
        except RuntimeError as exc:  # OpenVINO's errors have no type of their own
            raise ParserUnavailable(f"OpenVINO cannot run M2FP here: {exc}") from exc

        # A small input packs the weights, after which their file need not stay. Then the largest one: what
        # is allocated for it serves all others, where growing from small to large would leave gaps.
        for size in (SMALL, LARGEST):
            self.run(np.zeros((1, 3, *size), np.float32))
            let_go_of(graph.with_suffix(".bin"))

    def run(self, image: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        try:
            self._request.infer({"image": image}, share_inputs=True)
            logits, masks = (self._request.get_tensor(name).data[0] for name in ("logits", "masks"))
        except RuntimeError as exc:
            raise ParserError(f"OpenVINO failed on a {image.shape[3]}x{image.shape[2]} input.") from exc
        return logits, masks


class TorchRuntime(Runtime):
    """The network as written, in float32: the reference that the other one is compared with."""

    def __init__(self, network: M2FP, threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        self._network = network

    def run(self, image: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        import torch

        try:
            with torch.inference_mode():
                prediction = self._network(torch.from_numpy(image))
        except RuntimeError as exc:
            raise ParserError(f"torch failed on a {image.shape[3]}x{image.shape[2]} input.") from exc
        return prediction.logits[0].numpy(), prediction.masks[0].numpy()


def let_go_of(file: Path) -> None:
    """Give the pages of a mapped file back to the system, which reads them again where they are missed.

    Without it 240 MB count as this process's for good. Only a matter of memory: where it cannot be
    done, nothing is.
    """
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        for line in Path("/proc/self/maps").read_text().splitlines():
            if line.endswith(f" {file}"):
                first, end = (int(address, 16) for address in line.split()[0].split("-"))
                libc.madvise(ctypes.c_void_p(first), ctypes.c_size_t(end - first), MADV_DONTNEED)


def make_runtime(folder: Path, kind: str, precision: str, threads: int) -> Runtime:
    """The runtime of `kind`: openvino, torch, or auto, which is OpenVINO where that works.

    Raises WeightsDamaged and ParserUnavailable.
    """
    if kind != "torch":
        try:
            return OpenVINORuntime(converted(folder), precision, threads)
        except ParserUnavailable:
            if kind == "openvino":
                raise
            log.exception("OpenVINO cannot run M2FP here; torch does it instead, more slowly")
    from humanparse.parsers.m2fp.convert import load_network

    return TorchRuntime(load_network(folder), threads)


def converted(folder: Path) -> Path:
    """The converted form's path; it is made now, in a process of its own, where it is not there."""
    graph = graph_path(folder)
    if graph.exists():
        return graph
    log.info("converting M2FP for OpenVINO, once; this takes about half a minute")
    try:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            return pool.submit(_convert, folder).result()
    except BrokenProcessPool as exc:
        raise ParserUnavailable("The conversion of M2FP was killed, probably for lack of memory (2 GB).") from exc


def _convert(folder: Path) -> Path:
    """`convert` for the child process, so that only that one imports torch."""
    from humanparse.parsers.m2fp.convert import convert

    return convert(folder)
