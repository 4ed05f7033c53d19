"""Decoding where a crash, or a bomb of time or memory, costs one request and not the service.

A decoder is a process (`child.py`) that gets a file's bytes and sends back pixels. It has no secret of ours, may open
no further files and write none, and its memory is bounded; CPU time is bounded for each photo, by a timer that kills
it. It is forked from one that has imported all it needs (`nursery.py`), so it costs milliseconds and a few megabytes.
`decoder.py` is our end of one. `pool.py` starts them when they are needed, at most so many as the settings say, and
replaces them after some hundreds of photos. What that costs, and what it does not hold off: docs/security.md.
"""

from humanparse.decoding.decoder import share_nursery
from humanparse.decoding.pool import Decode, Decoders, make_decode

__all__ = ["Decode", "Decoders", "make_decode", "share_nursery"]
