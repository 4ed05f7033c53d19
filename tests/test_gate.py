"""The gate: one inside, a bounded line, a truthful refusal."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, suppress
from types import SimpleNamespace

import pytest

from humanparse.errors import Busy
from humanparse.gate import Gate


def test_one_is_inside_at_a_time() -> None:
    gate, inside, most = Gate(length=8, timeout_s=10), [0], [0]

    def visit() -> None:
        with gate.enter():
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.005)
            inside[0] -= 1

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_a_full_line_refuses_at_once_and_the_next_good_visit_works() -> None:
    gate = Gate(length=0, timeout_s=10)
    with gate.enter(), pytest.raises(Busy, match="waiting already") as caught, gate.enter():
        pass
    assert caught.value.retry_after_s >= 1
    with gate.enter():
        pass


def test_a_wait_too_long_is_refused_and_its_place_is_free_again() -> None:
    gate = Gate(length=1, timeout_s=0.01)
    refusals: list[Busy] = []

    def wait() -> None:
        try:
            with gate.enter():
                pass
        except Busy as busy:
            refusals.append(busy)

    with gate.enter():
        for _ in range(3):  # one after the other: each must find the place that the last one left
            waiting = threading.Thread(target=wait)
            waiting.start()
            waiting.join()
    assert ["within 0.01 s" in refusal.message for refusal in refusals] == [True] * 3


def test_an_error_inside_frees_the_place() -> None:
    gate = Gate(length=0, timeout_s=10)
    with pytest.raises(ZeroDivisionError), gate.enter():
        _ = 1 / 0
    with gate.enter():
        pass


@pytest.mark.parametrize(("places", "waiting", "wait_s"), [(1, 0, 4), (1, 2, 12), (2, 2, 8), (4, 1, 5)])
def test_retry_after_is_what_those_present_will_take(places: int, waiting: int, wait_s: int) -> None:
    gate = Gate(length=waiting, timeout_s=10, places=places)
    gate._mean_stay_s = 4.0
    threads = [threading.Thread(target=visit, args=(gate,)) for _ in range(waiting)]
    with ExitStack() as stay:
        for _ in range(places):
            stay.enter_context(gate.enter())
        for thread in threads:
            thread.start()
        while len(gate._line) < waiting:
            time.sleep(0.001)
        with pytest.raises(Busy, match=f"try again in {wait_s} s") as caught, gate.enter():
            pass
    assert caught.value.retry_after_s == wait_s
    for thread in threads:
        thread.join()


def visit(gate: Gate) -> None:
    with gate.enter():
        pass


def test_what_a_stay_takes_is_learned_from_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second is the guess; each stay moves it by a fifth of the difference."""
    clock = [0.0]
    monkeypatch.setattr("humanparse.gate.time", SimpleNamespace(monotonic=lambda: clock[0]))
    gate = Gate(length=0, timeout_s=10)
    for _ in range(2):
        with gate.enter():
            clock[0] += 12.99
    with gate.enter(), pytest.raises(Busy) as caught, gate.enter():
        pass
    assert caught.value.retry_after_s == 5  # 0.5, then 2.998, then 4.996 seconds


def test_one_may_give_up_before_the_lines_own_time_is_over() -> None:
    gate = Gate(length=1, timeout_s=60)
    began = time.monotonic()
    with gate.enter(), pytest.raises(Busy, match="within 60 s"), gate.enter(until=began + 0.01):
        pass
    assert time.monotonic() - began < 30


def test_a_line_of_two_holds_two() -> None:
    gate = Gate(length=2, timeout_s=10)
    threads = [threading.Thread(target=visit, args=(gate,)) for _ in range(2)]
    with gate.enter():
        for thread in threads:
            thread.start()
        while len(gate._line) < 2:
            time.sleep(0.001)
        with pytest.raises(Busy, match="waiting already"), gate.enter():
            pass
    for thread in threads:
        thread.join()
    with gate.enter():
        pass


def test_a_place_given_at_the_moment_of_giving_up_goes_to_the_next() -> None:
    gate = Gate(length=1, timeout_s=10)
    hung_up, left = threading.Event(), threading.Event()

    def hold() -> None:
        with gate.enter():
            hung_up.wait()
        left.set()

    def hang_up() -> None:
        """Called in the line; by the time it raises, the place is ours."""
        hung_up.set()
        left.wait()
        raise ConnectionError

    holder = threading.Thread(target=hold)
    holder.start()
    while not gate._inside:
        time.sleep(0.001)
    with pytest.raises(ConnectionError), gate.enter(hang_up):
        pass
    holder.join()
    with gate.enter(until=time.monotonic() + 1):
        pass


def test_first_come_first_served() -> None:
    gate, order, threads = Gate(length=8, timeout_s=10), [], []

    def visit(number: int) -> None:
        with gate.enter():
            order.append(number)

    with gate.enter():
        for number in range(6):
            threads.append(threading.Thread(target=visit, args=(number,)))
            threads[-1].start()
            while len(gate._line) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == list(range(6))


def test_so_many_as_there_are_places_are_inside() -> None:
    gate = Gate(length=0, timeout_s=10, places=3)
    with gate.enter(), gate.enter(), gate.enter(), pytest.raises(Busy), gate.enter():
        pass
    with gate.enter(), gate.enter(), gate.enter():
        pass


class HungUp(Exception):
    pass


def test_whoever_hangs_up_leaves_the_line_and_the_next_is_served() -> None:
    gate, gone, served = Gate(length=1, timeout_s=10), threading.Event(), []

    def hang_up() -> None:
        if gone.is_set():
            raise HungUp

    def wait() -> None:
        try:
            with gate.enter(hang_up):
                served.append("gone")
        except HungUp:
            with gate.enter():
                served.append("next")

    with gate.enter():
        thread = threading.Thread(target=wait)
        thread.start()
        while not gate._line:
            time.sleep(0.001)
        gone.set()
        time.sleep(0.5)
    thread.join()
    assert served == ["next"]


def test_no_place_is_lost_where_turn_and_timeout_meet() -> None:
    gate = Gate(length=50, timeout_s=0.002)

    def visit() -> None:
        for _ in range(30):
            with suppress(Busy), gate.enter():
                time.sleep(0.001)

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (gate._inside, len(gate._line)) == (0, 0)


def test_the_line_moves_in_order_and_tells_how_many_are_before() -> None:
    gate = Gate(length=3, timeout_s=10)
    told: list[list[int]] = [[], [], []]
    went_in: list[int] = []

    def wait(number: int) -> None:
        with gate.enter(tell=told[number].append):
            went_in.append(number)

    waiting = [threading.Thread(target=wait, args=(number,)) for number in range(3)]
    with gate.enter():
        for number, thread in enumerate(waiting):
            thread.start()
            while not told[number]:
                time.sleep(0.001)
        time.sleep(0.5)  # they look up now and then, and are told nothing new
    for thread in waiting:
        thread.join()
    assert went_in == [0, 1, 2]
    for number, heard in enumerate(told):
        assert heard[0] == number + 1
        assert heard[-1] == 0
        assert heard == sorted(set(heard), reverse=True)  # fewer and fewer, nothing twice
