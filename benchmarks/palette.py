"""How far apart the palette's colours are, for normal and colour-blind eyes; how they were found: `palette_search.py`.

    python -m benchmarks.palette             the smallest distances and the tightest pairs, by vision
    python -m benchmarks.palette safe        the same of another palette
    python -m benchmarks.palette --search    search again (two minutes, 0.7 GB), print colours and table
    python -m benchmarks.palette safe --search --rounds 1500    search for the one for colour-blind eyes

Distances are CIEDE2000 between flat colours. How eyes see them: `colour_vision.py`. Needs scikit-image.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from benchmarks.colour_vision import VISIONS, distances
from benchmarks.palette_search import WANTED, Search, touching
from humanparse.labels import NAMES, NUM_CLASSES, PALETTES


def tightest(
    palette: NDArray[np.uint8], vision: str, only: NDArray[np.bool_] | None = None
) -> list[tuple[float, str, str]]:
    """(CIEDE2000, name, name) of every pair, or of those in `only` (20, 20), the closest first."""
    apart = distances(palette, vision)
    pairs = [pair for pair in combinations(range(NUM_CLASSES), 2) if only is None or only[pair]]
    return sorted((float(apart[i, j]), NAMES[i], NAMES[j]) for i, j in pairs)


def table(palette: NDArray[np.uint8]) -> Iterator[str]:
    """Lines of Markdown: for each vision, the smallest distances and the pairs that have them."""
    yield "| vision | any two classes | classes that touch |"
    yield "|---|---|---|"
    for vision in VISIONS:
        cells = (_cell(tightest(palette, vision, only)[:3]) for only in (None, touching()))
        yield f"| {vision} | {' | '.join(cells)} |"


def _cell(pairs: list[tuple[float, str, str]]) -> str:
    listed = ", ".join(f"{one}/{other} {apart:.1f}" for apart, one, other in pairs)
    return f"**{pairs[0][0]:.1f}** ({listed})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("palette", nargs="?", choices=PALETTES, default="humanparse", help="which (%(default)s)")
    parser.add_argument("--search", action="store_true", help="search for a palette instead of checking ours")
    parser.add_argument("--seed", type=int, default=24, help="of the search (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5000, help="disturbances per start (default %(default)s)")
    options = parser.parse_args()
    palette = PALETTES[options.palette]
    if options.search:
        if options.palette not in WANTED:
            parser.error(f"only {' and '.join(WANTED)} were searched for")
        palette = Search(options.seed, WANTED[options.palette]).run(options.rounds)
        for name, colour in zip(NAMES, palette.tolist(), strict=True):
            print(f"{name:14}{tuple(colour)}")
    print("\n".join(table(palette)))


if __name__ == "__main__":
    main()
