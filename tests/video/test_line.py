"""What goes over the line to a video's process, and what is not believed."""

from __future__ import annotations

import json
import socket

import numpy as np
import pytest

from humanparse.video.line import HEAD, Line


def test_words_and_frames_come_as_they_were_sent() -> None:
    here, there = socket.socketpair()
    with here, there:
        image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
        Line(here).send({"ticks": 7}, image)
        words, got = Line(there).receive(image.nbytes)
        assert words["ticks"] == 7 and got is not None and np.array_equal(got, image)


@pytest.mark.parametrize("size", [None, [2], [3, 3], [-2, -3], [2, "3"], ["2", 9], {"2": 3}])
def test_a_frame_of_another_size_than_is_said_is_none(size: object) -> None:
    here, there = socket.socketpair()
    with here, there:
        words = json.dumps({"size": size}).encode()
        here.sendall(HEAD.pack(len(words), 18) + words + bytes(18))
        with pytest.raises(ConnectionError, match="a frame that is none"):
            Line(there, 1).receive(18)


def test_more_pixels_than_are_wanted_are_not_read() -> None:
    here, there = socket.socketpair()
    with here, there:
        here.sendall(HEAD.pack(2, 18) + b"{}" + bytes(18))
        with pytest.raises(ConnectionError, match="not asked for"):
            Line(there, 1).receive(17)
