"""The exponential to its last places; rows are shared out without one left or taken twice."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from humanparse.parsers.m2fp.rows import exp, share_out


def test_the_exponential_is_right_to_two_in_the_last_place() -> None:
    values = np.linspace(-87, 88, 200_001).astype(np.float32)
    found = values.copy()
    exp(found, np.empty(len(values), np.int32), len(values))
    expected = np.exp(values.astype(np.float64)).astype(np.float32)
    assert np.abs(found - expected).max() > 0  # not the C library's
    assert (np.abs(found.view(np.int32) - expected.view(np.int32)) <= 2).all()


def test_beyond_what_float32_holds_it_stays_where_it_ends() -> None:
    values = np.array([-1e9, -88, -87, 88, 89, 1e9, 7], np.float32)
    exp(values, np.empty(7, np.int32), 6)
    assert (values[:2] == values[2]).all() and (values[4:6] == values[3]).all()
    assert 0 < values[0] < 1.7e-38 and 1.6e38 < values[3] < np.inf
    assert values[6] == 7, "only so many as were asked for"


@settings(max_examples=50)
@given(st.integers(0, 70), st.integers(1, 20), st.integers(1, 4))
def test_every_row_is_done_once(rows: int, a_turn: int, threads: int) -> None:
    done, lock = np.zeros(rows, int), threading.Lock()

    def work(first: int, end: int) -> None:
        with lock:
            done[first:end] += 1
            assert 0 <= first <= end <= rows

    share_out(work, rows, a_turn, threads)
    assert (done == 1).all()


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_in_a_thread_is_not_lost(threads: int) -> None:
    def fail(first: int, end: int) -> None:
        raise ZeroDivisionError(f"{first} to {end}")

    with pytest.raises(ZeroDivisionError):
        share_out(fail, 4, 1, threads)
