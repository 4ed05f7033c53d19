"""The error tree: every class pickles, is mapped to a status, and has a code of its own."""

import pickle

import pytest

from humanparse import errors
from humanparse.web.errors import STATUS


def all_errors() -> list[type[errors.HumanParseError]]:
    found, open_ends = [], [errors.HumanParseError]
    while open_ends:
        cls = open_ends.pop()
        found.append(cls)
        open_ends += cls.__subclasses__()
    return [cls for cls in found if cls.__module__ == errors.__name__]


@pytest.mark.parametrize("cls", all_errors())
def test_every_error_pickles_with_its_context(cls: type[errors.HumanParseError]) -> None:
    error = cls("what was wrong", limit=5)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.message, copy.context) == (cls, "what was wrong", {"limit": 5})


def test_busy_keeps_its_time_through_pickle() -> None:
    assert pickle.loads(pickle.dumps(errors.Busy("later", retry_after_s=7))).retry_after_s == 7
    assert (errors.Busy("later").retry_after_s, errors.InputError("never").retry_after_s) == (1, None)


def test_every_error_has_a_status_and_no_status_is_left_over() -> None:
    assert set(STATUS) == set(all_errors())


def test_codes_are_unique() -> None:
    codes = [cls.code for cls in all_errors()]
    assert len(set(codes)) == len(codes)


def test_the_docstring_draws_the_whole_tree() -> None:
    assert errors.__doc__ is not None
    for cls in all_errors():
        assert cls.__name__ in errors.__doc__
