"""What may be asked of a video beside the options of parsing: which frames, how large, what is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from humanparse.errors import InvalidOption
from humanparse.values import read_flag, read_number

VIDEO_OPTIONS: Final = {
    # name: what it chooses, for the docs
    "every": "take every N-th frame only, 1 to 1000",
    "fps": "take at most so many frames a second, above 0 to 240",
    "max_side": "make frames smaller until no side has more pixels, 64 to 8192",
    "numbers": "draw people's numbers",
    "sound": "keep the sound",
}
MOST_EVERY: Final = 1000
MOST_FPS: Final = 240.0
SIDES: Final = (64, 8192)


@dataclass(frozen=True)
class VideoOptions:
    """The options by name, see VIDEO_OPTIONS; None is without that limit."""

    every: int = 1
    fps: float | None = None
    max_side: int | None = None
    numbers: bool = True
    sound: bool = True

    def __post_init__(self) -> None:
        _check("every", self.every, 1, MOST_EVERY)
        if self.fps is not None and not 0 < self.fps <= MOST_FPS:
            raise _refusal("fps", self.fps, f"above 0, at most {MOST_FPS:g}")
        if self.max_side is not None:
            _check("max_side", self.max_side, *SIDES)

    @classmethod
    def from_strings(cls, given: Mapping[str, str]) -> VideoOptions:
        """Options from a query or a form. Raises InvalidOption."""
        read: dict[str, Callable[[str], Any]] = {
            "every": lambda text: int(read_number("every", text, 1, MOST_EVERY, whole=True)),
            "fps": lambda text: read_number("fps", text, 0, MOST_FPS),
            "max_side": lambda text: int(read_number("max_side", text, *SIDES, whole=True)),
            "numbers": lambda text: read_flag("numbers", text),
            "sound": lambda text: read_flag("sound", text),
        }
        return cls(**{name: read[name](text) for name, text in given.items()})


class Selection:
    """Which of a video's frames are taken, asked for each in its order."""

    def __init__(self, options: VideoOptions) -> None:
        self._every, self._gap_s = options.every, 1 / options.fps if options.fps else 0.0
        self._count, self._due_s = 0, float("-inf")

    def takes(self, time_s: float) -> bool:
        """Is the next frame, at `time_s`, one of them?"""
        index, self._count = self._count, self._count + 1
        if index % self._every:
            return False
        if self._gap_s:
            if time_s < self._due_s - 1e-6:
                return False
            # On the grid of the wanted rate, not from this frame: else 30 to 25 would give 15.
            self._due_s = (time_s if self._due_s < time_s - self._gap_s else self._due_s) + self._gap_s
        return True


def _check(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise _refusal(name, value, f"from {low} to {high}")


def _refusal(name: str, value: object, allowed: str) -> InvalidOption:
    return InvalidOption(f"{name} is {value!r}; it must be {allowed}.", option=name)
