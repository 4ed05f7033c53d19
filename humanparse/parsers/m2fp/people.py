"""From queries to people: which queries count, which part is whose, and every pixel resolved once.

What counts and what a pixel shows is the reference's: the label map is the argmax of what it calls
semantic output. Whose it is, the reference does not say. Here a part belongs to the human whose mask
covers most of it, and a pixel of the part to that human if it covers the pixel, else to the human
that covers it most surely, else to the part's own. Parts that no human covers make people of their
own, touching ones together; humans of whom no part is in sight are left out.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from humanparse.parsers.m2fp.frame import Frame
from humanparse.parsers.m2fp.masks import Zoom, fill_row, find_boxes, flat, make_zoom, score_masks, to_probability
from humanparse.parsers.m2fp.rows import ONE, ZERO, share_out
from humanparse.parsers.sizes import fine_size, repeat

TOP: Final = 100  # pairs of query and class that are looked at; so there are never more people than numbers
MIN_SCORE: Final = 0.1
SURE: Final = np.float32(0.5)  # probability times score that a pixel needs
SAME_HUMAN: Final = 0.6  # IoU above which two masks are of one human
MIN_COVERED: Final = 0.1  # share of a part that its human must cover
MIN_CLAIMED: Final = 0.2  # share of a human without parts of its own that others' parts must cover
SCORE_PIXELS: Final = 1_000_000  # a mean over so many changes in the fourth place only, whatever the photo's size
ROWS_A_TURN: Final = 16


class Instance(NamedTuple):
    """One query as one class: `score` in [0, 1] is class probability times mask score."""

    query: int
    class_id: int
    score: float


class Maps(NamedTuple):
    """labels (H, W) class ids, people (H, W) numbers in no order, confidence (H, W) 0 to 255; all uint8."""

    labels: NDArray[np.uint8]
    people: NDArray[np.uint8]
    confidence: NDArray[np.uint8]


def select(logits: NDArray[np.float32], masks: NDArray[np.float32], zoom: Zoom, threads: int = 1) -> list[Instance]:
    """The instances that count, best first.

    logits (Q, classes + 1), the last being nothing; masks (Q, h, w), logits. Chosen before any mask is
    resized: the score is at most the class probability, so that alone rules most of them out.
    """
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True), dtype=np.float32)
    probabilities = (shifted / shifted.sum(axis=1, keepdims=True))[:, :-1]
    best = np.argsort(-probabilities, axis=None, kind="stable")[:TOP]
    pairs = [divmod(int(i), probabilities.shape[1]) for i in best if probabilities.flat[i] > MIN_SCORE]
    queries = sorted({query for query, _ in pairs})
    chosen = masks[queries]
    mask_scores = dict(zip(queries, score_masks(chosen, find_boxes(chosen, zoom), zoom, threads), strict=True))
    instances = [Instance(q, c, float(probabilities[q, c]) * float(mask_scores[q])) for q, c in pairs]
    return sorted((i for i in instances if i.score > MIN_SCORE), key=lambda i: -i.score)


def resolve(
    logits: NDArray[np.float32], masks: NDArray[np.float32], frame: Frame, threshold: float, threads: int
) -> Maps:
    """The network's answer for one photo -> its maps.

    logits (Q, classes + 1); masks (Q, h, w), logits, of the padded input; `threshold`: the score that
    an instance needs to be painted.
    """
    fine = fine_size(frame.size)
    cells = masks.shape[1], masks.shape[2]
    zoom = make_zoom(cells, frame._replace(size=fine))
    rough = make_zoom(cells, frame._replace(size=fine_size(frame.size, SCORE_PIXELS)))
    human = logits.shape[1] - 2
    instances = [i for i in select(logits, masks, rough, threads) if i.score >= threshold]
    parts = [i for i in instances if i.class_id not in (0, human)]
    background = [i for i in instances if i.class_id == 0]  # contends for pixels, but is nobody's and joins nobody
    humans = _drop_twins([i for i in instances if i.class_id == human], masks)
    humans, owners = _join(parts, humans, masks)
    maps = _paint(masks, [*parts, *background], humans, owners, zoom, fine, human, threads)
    return Maps(*(repeat(array, frame.size) for array in maps))


def _drop_twins(humans: list[Instance], masks: NDArray[np.float32]) -> list[Instance]:
    """The humans, best first, less those whose mask is about that of a better one."""
    inside = _inside(humans, masks)
    shared, areas = inside @ inside.T, inside.sum(axis=1)
    twins = shared > SAME_HUMAN * (areas[:, None] + areas - shared)
    kept: list[int] = []
    for index in range(len(humans)):
        if not twins[index, kept].any():
            kept.append(index)
    return [humans[index] for index in kept]


def _join(
    parts: list[Instance], humans: list[Instance], masks: NDArray[np.float32]
) -> tuple[list[Instance], list[int]]:
    """The humans in sight, and each part's: its index, or one from their number on for people of whom only parts are.

    In sight is who owns a part or shares in one (a part's mask may span several people). Without this, one
    whose parts are not in sight would take what sticks out of its neighbour.
    """
    part_masks, human_masks = _inside(parts, masks), _inside(humans, masks)
    owners = np.full(len(parts), -1)
    if parts and humans:
        covered = part_masks @ human_masks.T
        best = covered.argmax(axis=1)
        owned = covered.max(axis=1) >= MIN_COVERED * part_masks.sum(axis=1)
        owners[owned] = best[owned]
        free = part_masks.sum(axis=0)
        for index in np.unique(best[owned]):
            free -= part_masks[owners == index].sum(axis=0) * human_masks[index]
        seen = human_masks @ free >= MIN_CLAIMED * human_masks.sum(axis=1)
        seen[best[owned]] = True
        owners[owned] = (np.cumsum(seen) - 1)[owners[owned]]
        humans = [human for human, is_seen in zip(humans, seen, strict=True) if is_seen]
    else:
        humans = []
    orphans = np.flatnonzero(owners < 0)
    if len(orphans):
        owners[orphans] = len(humans) + _group(part_masks[orphans], masks.shape[1:])
    return humans, owners.tolist()


def _group(parts: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.intp]:
    """Numbers from 0 for parts (n, cells) of one `size` in cells, one number for those that touch."""
    union = np.asarray(parts.max(axis=0) > 0).reshape(size).astype(np.uint8)
    patches = cv2.connectedComponents(cv2.dilate(union, np.ones((3, 3), np.uint8)), connectivity=8)[1].ravel()
    mostly = [int(np.bincount(patches[part > 0]).argmax()) for part in parts]
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(patch, len(numbers)) for patch in mostly])


def _inside(instances: list[Instance], masks: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, cells) 1 inside the instances' masks, 0 outside: products of such rows count shared cells, exactly.

    Each has a cell: a mask that is nowhere positive has no score.
    """
    queries = [i.query for i in instances]
    return (masks.reshape(len(masks), -1)[queries] > 0).astype(np.float32)


def _paint(
    masks: NDArray[np.float32],
    parts: list[Instance],
    humans: list[Instance],
    owners: list[int],
    zoom: Zoom,
    size: tuple[int, int],
    classes: int,
    threads: int,
) -> Maps:
    maps = Maps(*(np.zeros(size, np.uint8) for _ in Maps._fields))
    if not parts:
        return maps
    painted = [*parts, *humans]
    stack = np.ascontiguousarray(masks[[i.query for i in painted]])
    boxes = np.array(find_boxes(stack, zoom), np.int64)
    kinds = np.array([i.class_id for i in parts], np.int64)
    scores = np.array([i.score for i in painted], np.float32)
    owner = np.array(owners, np.int64)

    def work(first: int, end: int) -> None:
        _paint_rows(stack, boxes, kinds, scores, owner, classes, *flat(zoom), *maps, first, end)

    share_out(work, size[0], ROWS_A_TURN, threads)
    return maps


@numba.njit(nogil=True)
def _paint_rows(  # type: ignore[no-untyped-def]
    masks, boxes, kinds, scores, owners, classes, rows1, rows2, columns1, columns2, labels, people, sure, first, end
):
    """Fill rows first to end of labels, people and sure. The first len(kinds) masks are parts, the rest humans."""
    parts, width = len(kinds), labels.shape[1]
    humans = len(masks) - parts
    narrow, middle = np.empty(columns1.cells, np.float32), np.empty(columns2.cells, np.float32)
    row, power = np.empty(width, np.float32), np.empty(width, np.int32)
    total, count = np.empty((classes, width), np.float32), np.empty((classes, width), np.float32)
    highest, winner = np.empty((classes, width), np.float32), np.empty((classes, width), np.int32)
    label, best = np.empty(width, np.int32), np.empty(width, np.float32)
    covers = np.empty((humans, width), np.float32)  # logit of each human
    for y in range(first, end):
        total[:], count[:], highest[:], covers[:] = 0, 0, 0, -1
        for k in range(len(masks)):
            y0, y1, x0, x1 = boxes[k]
            if y < y0 or y >= y1:
                continue
            fill_row(masks[k], y, x0, x1, rows1, rows2, columns1, columns2, narrow, middle, row)
            if k >= parts:
                covers[k - parts, x0:x1] = row[: x1 - x0]
                continue
            to_probability(row, power, x1 - x0)
            sums, counts, bests, winners = total[kinds[k]], count[kinds[k]], highest[kinds[k]], winner[kinds[k]]
            for i in range(x1 - x0):
                p, x = scores[k] * row[i], numba.uint32(x0 + i)
                found = p > SURE
                sums[x] += p if found else ZERO
                counts[x] += ONE if found else ZERO
                better = found & (p > bests[x])
                bests[x] = p if better else bests[x]
                winners[x] = k if better else winners[x]
        label[:], best[:] = 0, 0
        for kind in range(classes):
            for x in range(width):
                mean = total[kind, x] / max(count[kind, x], ONE)
                label[x] = kind if mean > best[x] else label[x]
                best[x] = max(mean, best[x])
        for x in range(width):
            if label[x] == 0:
                continue
            own = owners[winner[label[x], x]]
            if own < humans and covers[own, x] <= 0:
                surest = np.float32(0)
                for h in range(humans):
                    if covers[h, x] > surest:
                        own, surest = h, covers[h, x]
            labels[y, x] = label[x]
            people[y, x] = own + 1
            sure[y, x] = np.uint8(highest[label[x], x] * 255 + 0.5)
