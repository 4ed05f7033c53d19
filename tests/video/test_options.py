"""What may be asked of a video, and what is refused."""

from __future__ import annotations

import pytest

from humanparse.errors import InvalidOption
from humanparse.video.options import VIDEO_OPTIONS, VideoOptions


def test_what_is_taken() -> None:
    given = {"every": "3", "fps": "12.5", "max_side": "640", "numbers": "no", "sound": "0"}
    assert set(given) == set(VIDEO_OPTIONS)
    assert VideoOptions.from_strings(given) == VideoOptions(3, 12.5, 640, False, False)
    assert VideoOptions.from_strings({}) == VideoOptions()


@pytest.mark.parametrize(
    ("name", "text"),
    [("every", "0"), ("every", "1001"), ("every", "1.5"), ("every", ""), ("fps", "0"), ("fps", "nan"), ("fps", "241"),
     ("max_side", "63"), ("max_side", "8193"), ("max_side", "wide"), ("numbers", "maybe"), ("sound", "")],
)  # fmt: skip
def test_what_is_refused(name: str, text: str) -> None:
    with pytest.raises(InvalidOption, match=f"{name} is .*; it must be ") as caught:
        VideoOptions.from_strings({name: text})
    assert caught.value.context["option"] == name
