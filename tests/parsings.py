"""Random Parsings for property tests: from single pixels to patches, nobody to many people."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from humanparse.records import ParserInfo, Parsing

INFO = ParserInfo("test", "1")


@st.composite
def parsings(draw: st.DrawFn) -> Parsing:
    """A Parsing of 1x1 to 60x60 pixels in patches of up to 4x4."""
    size = draw(st.integers(1, 15)), draw(st.integers(1, 15))
    patch = np.ones((draw(st.integers(1, 4)), draw(st.integers(1, 4))), np.uint8)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    people = np.kron(rng.integers(0, draw(st.integers(1, 5)), size).astype(np.uint8), patch)
    labels = np.where(people > 0, np.kron(rng.integers(1, 20, size), patch), 0).astype(np.uint8)
    confidence = rng.integers(0, 256, people.shape).astype(np.uint8)
    return Parsing.from_maps(labels, people, confidence, INFO)
