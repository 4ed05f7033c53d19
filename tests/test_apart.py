"""What a process that a file has taken over may say: nothing that is taken for more than words of ours."""

from __future__ import annotations

import pytest

from humanparse.apart import plain_error, read_words, revive_error
from humanparse.errors import TooManyBytes, TooManyPixels, UnreadableImage

KNOWN = (UnreadableImage, TooManyPixels)


def test_an_error_comes_back_as_it_was() -> None:
    error = revive_error(plain_error(TooManyPixels("Too large.", width=7, limit=3)), KNOWN)
    assert (type(error), error.message, error.context) == (TooManyPixels, "Too large.", {"width": 7, "limit": 3})


def test_of_a_class_that_is_not_expected_there_it_is_the_first() -> None:
    error = revive_error(plain_error(TooManyBytes("Too long.", size=7)), KNOWN)
    assert (type(error), error.message) == (UnreadableImage, "Too long.")


@pytest.mark.parametrize(
    "problem",
    [None, [], "x", {}, {"code": "x"}, {"code": [], "message": "x", "context": {}}, {"code": "x", "message": "x"},
     {"code": "x", "message": "x", "context": 1}, {"code": "x", "message": "x", "context": {"message": "y"}}],
)  # fmt: skip
def test_what_is_no_error_is_not_taken_for_one(problem: object) -> None:
    with pytest.raises(ConnectionError):
        revive_error(problem, KNOWN)


@pytest.mark.parametrize("said", [b"", b"{", b"[1]", b"7", b"\xff", b"[" * 60_000])
def test_words_are_an_object(said: bytes) -> None:
    assert read_words(b'{"a": [1]}') == {"a": [1]}
    with pytest.raises(ConnectionError):
        read_words(said)
