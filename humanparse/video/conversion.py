"""Decode, parse and encode at once, each in a thread of its own, with short queues between."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from typing import IO, Any, Final, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from humanparse.exports import describe
from humanparse.labels import PALETTES
from humanparse.options import ParseOptions
from humanparse.records import Parsing
from humanparse.video.clips import Frame, Item
from humanparse.video.drawing import draw_numbers
from humanparse.video.tracking import Tracker
from utils import compose_overlay

QUEUE: Final = 4  # frames between two threads: enough for uneven work, 25 MB at 1080p
WAIT_S: Final = 0.1  # between two looks at whether it is over
T = TypeVar("T")


class Frames(Protocol):
    """Where frames come from. lossy: those that nobody has time for may be left out."""

    @property
    def lossy(self) -> bool: ...

    def items(self) -> Iterator[Item]: ...


class Film(Protocol):
    """Where coloured frames go, in the order of time, and packets of sound between them."""

    def write(self, image: NDArray[np.uint8], ticks: int) -> None: ...

    def write_sound(self, packet: Any) -> None: ...


@dataclass
class Progress:
    """How far it is: frames done, people seen so far, people in the last frame, frames left out for lack of time."""

    done: int = 0
    people: int = 0
    now: int = 0
    dropped: int = 0


@dataclass(frozen=True, eq=False)
class _Parsed:
    frame: Frame
    parsing: Parsing
    ids: list[int] = field(default_factory=list)


def convert(
    source: Frames,
    parse: Callable[[NDArray[np.uint8]], Parsing],
    options: ParseOptions,
    *,
    sink: Film | None = None,
    data: IO[bytes] | None = None,
    numbers: bool = True,
    tell: Callable[[Progress], None] = lambda progress: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Progress:
    """Parse every frame of `source`; the coloured ones go to `sink`, a line of JSON for each to `data`.

    Args:
        parse: (H, W, 3) uint8 RGB -> Parsing; called in this thread, and so is `tell`, after each frame.
        numbers: draw people's numbers.
        stopping: asked before each frame; where it says yes, what has been parsed is written, and that is all.

    Whatever any of the threads or callables raises is raised here, once all threads have stopped.
    The sink is left open.
    """
    over = threading.Event()
    decoded: _ShortQueue[Item] = _ShortQueue(over, lossy=source.lossy)
    parsed: _ShortQueue[Any] = _ShortQueue(over)
    decoder = _Stage("video-decoder", over, lambda: _decode(source, decoded))
    encoder = _Stage("video-encoder", over, lambda: _encode(parsed, sink, data, options, numbers))
    tracker, progress = Tracker(), Progress()
    try:
        for item in decoded:
            if stopping():
                break
            if not isinstance(item, Frame):
                parsed.put(item)
                continue
            parsing = parse(item.image)
            ids = tracker.update(parsing.people, parsing.persons, item.image, item.time_s)
            parsed.put(_Parsed(item, parsing, ids))
            progress.done, progress.now, progress.dropped = progress.done + 1, len(ids), decoded.dropped
            progress.people = max(progress.people, *ids, 0)
            tell(progress)
        parsed.end()
        encoder.join()
    except _Over:
        pass  # the encoder failed, and says below with what
    finally:
        over.set()
        decoder.join()
        encoder.join()
    for stage in (encoder, decoder):
        if stage.error is not None:
            raise stage.error
    return progress


def describe_frame(
    index: int, frame: Frame, parsing: Parsing, ids: list[int], include: frozenset[str]
) -> dict[str, Any]:
    """A frame as plain values: `describe` of its parsing, and people by the numbers that they keep.

    `number` is a person's in this frame alone: that of the people map.
    """
    body = describe(parsing, include)
    people = [{**person, "id": id, "number": person["id"]} for person, id in zip(body["people"], ids, strict=True)]
    return {"frame": index, "time": round(frame.time_s, 6), **body, "people": people}


def _decode(source: Frames, decoded: _ShortQueue[Item]) -> None:
    try:
        for item in source.items():
            decoded.put(item)
    except _Over:
        return
    decoded.end()


def _encode(
    parsed: _ShortQueue[Any], sink: Film | None, data: IO[bytes] | None, options: ParseOptions, numbers: bool
) -> None:
    index = 0
    for item in parsed:
        if not isinstance(item, _Parsed):
            if sink:
                sink.write_sound(item)
            continue
        if data:
            row = describe_frame(index, item.frame, item.parsing, item.ids, options.include)
            data.write(json.dumps(row).encode() + b"\n")
        if sink:
            sink.write(_draw(item, options, numbers), item.frame.ticks)
        index += 1


def _draw(item: _Parsed, options: ParseOptions, numbers: bool) -> NDArray[np.uint8]:
    outlined = item.parsing.people if options.outline else None
    palette = PALETTES[options.palette]
    overlay = compose_overlay(item.frame.image, item.parsing.labels, outlined, palette, options.alpha)
    if numbers:
        draw_numbers(overlay, item.parsing.persons, item.ids)
    return overlay


class _Over(Exception):
    """The other side of a queue has stopped."""


class _ShortQueue(Generic[T]):
    """Items from one thread to another; `lossy`: where it is full, what has waited longest goes, and is counted."""

    _END: Final = object()

    def __init__(self, over: threading.Event, lossy: bool = False) -> None:
        self._over, self._lossy = over, lossy
        self._queue: Queue[Any] = Queue(1 if lossy else QUEUE)
        self.dropped = 0

    def put(self, item: T) -> None:
        """Raises _Over where nobody will come for it."""
        self._put(item)

    def end(self) -> None:
        """Nothing more comes."""
        with suppress(_Over):
            self._put(self._END, keep=True)

    def __iter__(self) -> Iterator[T]:
        """What was put, in order, until the end, or until it is over."""
        while True:
            try:
                item = self._queue.get(timeout=WAIT_S)
            except Empty:
                if self._over.is_set():
                    return
                continue
            if item is self._END:
                return
            yield item

    def _put(self, item: Any, keep: bool = False) -> None:
        while not self._over.is_set():
            try:
                self._queue.put(item, timeout=0 if self._lossy and not keep else WAIT_S)
                return
            except Full:
                if self._lossy and not keep:
                    self._drop_oldest()
        raise _Over

    def _drop_oldest(self) -> None:
        with suppress(Empty):
            self._queue.get_nowait()
            self.dropped += 1


class _Stage:
    """A thread that remembers what it failed with, and then stops the others."""

    def __init__(self, name: str, over: threading.Event, work: Callable[[], None]) -> None:
        self.error: BaseException | None = None

        def run() -> None:
            try:
                work()
            except BaseException as error:  # raised again in the thread that waits
                self.error = error
                over.set()

        self._thread = threading.Thread(target=run, name=name, daemon=True)
        self._thread.start()

    def join(self) -> None:
        self._thread.join()
