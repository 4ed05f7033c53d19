"""The 1000 classes of ImageNet-1k (ILSVRC 2012): English and Chinese names by class id, from imagenet.tsv.

English: the first word of each class's WordNet synset, by which the data set's authors list them
(Russakovsky et al., 2015), in the order that all published weights have; where two synsets share
it, the usual addition tells them apart (crane bird, maillot tank suit). Chinese: our own translation,
made for this table, of the thing that the class's photos show (brass is a plaque, pick a plectrum).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from humanparse.recognition.contract import Label

FILE: Final = Path(__file__).with_name("imagenet.tsv")


@cache
def read_labels() -> tuple[Label, ...]:
    """All 1000, by class id."""
    rows = [line.split("\t") for line in FILE.read_text("utf-8").splitlines()[1:]]
    return tuple(Label(name, name_zh) for _, name, name_zh in rows)
