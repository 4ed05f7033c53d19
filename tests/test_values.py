"""Values of options: what is taken, and that a refusal says what would be."""

from __future__ import annotations

import pytest

from humanparse.errors import InvalidOption
from humanparse.values import check_names, read_choice, read_flag, read_number


def test_what_is_taken() -> None:
    assert read_choice("colour", "red", ("red", "blue")) == "red"
    assert [read_flag("cache", value) for value in (True, "YES", 1, False, "off", "0")] == [True] * 3 + [False] * 3
    assert read_number("size", "2.5", 0, 3) == 2.5
    assert read_number("size", 3, 1, 3, whole=True) == 3


def test_a_name_that_is_no_option() -> None:
    check_names(["size"], ("size", "colour"))
    with pytest.raises(InvalidOption, match="no option 'Size'; there are size, colour") as caught:
        check_names(["size", "Size"], ("size", "colour"))
    assert caught.value.context == {"allowed": ["size", "colour"]}


@pytest.mark.parametrize("value", ["green", None, ["red"], 1])
def test_a_choice_that_is_none(value: object) -> None:
    with pytest.raises(InvalidOption, match=r"colour is .* one of red, blue") as caught:
        read_choice("colour", value, ("red", "blue"))
    assert caught.value.context == {"option": "colour", "allowed": ["red", "blue"]}


@pytest.mark.parametrize("value", ["nan", "inf", "-1", 4, "1e999", 10**400, True, None, [], "2.5", "three", "٣"])
def test_a_number_out_of_range_or_none(value: object) -> None:
    with pytest.raises(InvalidOption, match=r"size is .* a whole number from 0 to 3"):
        read_number("size", value, 0, 3, whole=True)


@pytest.mark.parametrize("value", ["maybe", None, 2, ""])
def test_a_flag_that_is_none(value: object) -> None:
    with pytest.raises(InvalidOption, match="true or false"):
        read_flag("cache", value)
