"""Label Studio's pre-annotations: brush masks, in a run-length code of its own.

The code is that of thi.ng/rle-pack, which Label Studio's editor uses: a bit stream over the RGBA
bytes of the mask, rows first. Head: number of bytes (32 bits), word size - 1 (5 bits), four run
sizes - 1 (4 bits each). Then one record a run: 1 (a repeated word), which run size (2 bits),
length - 1 in that many bits, the word. Not to be mistaken for COCO's.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from humanparse.exports.masks import part_mask
from humanparse.records import Parsing, Part, Person

WORD_BITS: Final = 8
RUN_BITS: Final = np.array([3, 4, 8, 16])  # as Label Studio's own encoder has them
LONGEST_RUN: Final = 1 << 16
CONTROL, OBJECT = "tag", "image"  # names in Label Studio's own labelling configs


def labelstudio_tasks(parsing: Parsing, name: str) -> list[dict[str, Any]]:
    """A list of one task with one prediction, ready for Label Studio's import; `name` is the task's image."""
    parts = [(person, part) for person in parsing.persons for part in person.parts]
    score = sum(part.score * part.area for _, part in parts) / max(1, sum(part.area for _, part in parts))
    prediction = {
        "model_version": f"{parsing.parser.name} {parsing.parser.version}",
        "score": round(score, 4),
        "result": [_region(parsing, person, part) for person, part in parts],
    }
    return [{"data": {OBJECT: name}, "predictions": [prediction]}]


def _region(parsing: Parsing, person: Person, part: Part) -> dict[str, Any]:
    height, width = parsing.size
    return {
        "id": f"person-{person.number}-part-{part.id}",
        "type": "brushlabels",
        "from_name": CONTROL,
        "to_name": OBJECT,
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "score": part.score,
        "value": {"format": "rle", "rle": encode_brush(part_mask(parsing, person, part)), "brushlabels": [part.name]},
        "meta": {"text": [f"Person {person.number}"]},
    }


def encode_brush(mask: NDArray[np.bool_]) -> list[int]:
    """The mask (H, W) as Label Studio's `rle`: bytes as a list of ints. Inside all four channels are 255."""
    lengths, words = _runs(mask.ravel())
    kinds = np.searchsorted(1 << RUN_BITS, lengths)  # the smallest run size that holds the length
    sizes = RUN_BITS[kinds]
    records = ((((4 + kinds) << sizes) + lengths - 1) << WORD_BITS) + words  # 4: the leading 1 before two bits of kind
    head = _bits(np.array([4 * mask.size, WORD_BITS - 1, *(RUN_BITS - 1)]), np.array([32, 5, 4, 4, 4, 4]))
    body = _bits(records, 3 + sizes + WORD_BITS)
    packed: list[int] = np.packbits(np.concatenate([head, body])).tolist()
    return packed


def _runs(flat: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Lengths in bytes, at most LONGEST_RUN, and words of the runs of the mask's RGBA bytes; flat (N,) bool."""
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = 4 * np.diff(starts, append=flat.size)
    words = np.where(flat[starts], 255, 0)
    pieces = -(-lengths // LONGEST_RUN)
    last = np.cumsum(pieces) - 1
    split = np.full(int(pieces.sum()), LONGEST_RUN)
    split[last] = lengths - (pieces - 1) * LONGEST_RUN
    return split, np.repeat(words, pieces)


def _bits(numbers: NDArray[np.intp], widths: NDArray[np.intp]) -> NDArray[np.uint8]:
    """The numbers as bits, one after the other, each `widths` wide and its highest bit first."""
    ends = np.cumsum(widths)
    shifts = np.repeat(ends, widths) - 1 - np.arange(int(ends[-1]))
    return np.asarray((np.repeat(numbers, widths) >> shifts) & 1, np.uint8)
