"""The rules of a job's life, as laws over any order of events."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from humanparse.jobs import changes
from humanparse.jobs.changes import Change
from humanparse.jobs.records import CANCELLED, FAILED, QUEUED, RUNNING, STATES, SUCCEEDED, TRIES, Job
from tests.jobs.conftest import ORDER, make_job

TOKENS = ("t0", "t1", "t2")
CHANGES = st.one_of(
    st.builds(lambda token: ("claim", token), st.sampled_from(TOKENS)),
    st.builds(lambda token: ("report", token), st.sampled_from(TOKENS)),
    st.builds(lambda token: ("succeed", token), st.sampled_from(TOKENS)),
    st.builds(lambda token: ("fail", token), st.sampled_from(TOKENS)),
    st.builds(lambda token: ("release", token), st.sampled_from(TOKENS)),
    st.builds(lambda token: ("stop", token), st.sampled_from(TOKENS)),
    st.just(("cancel", "")),
    st.just(("take_back", "")),
)


def change_of(name: str, token: str, now: float) -> Change:
    return {
        "claim": changes.claim(now, 5, token),
        "report": changes.report(token, now + 5, 1, 0),
        "succeed": changes.succeed(token, now, 7),
        "fail": changes.fail(token, now, {"status": 400}),
        "release": changes.release(token, now),
        "stop": changes.stop_cancelled(token, now),
        "cancel": changes.cancel(now),
        "take_back": changes.take_back(now, {"status": 500}),
    }[name]


@given(st.lists(st.tuples(CHANGES, st.integers(0, 9)), max_size=30))
def test_a_job_ends_once_and_only_its_holder_is_heard(events: list[tuple[tuple[str, str], int]]) -> None:
    job, now = make_job(), 1000.0
    for (name, token), step in events:
        now += step
        changed = change_of(name, token, now)(job)
        if job.ended:
            assert changed is None, name
        if name in ("report", "succeed", "fail", "release", "stop") and job.token != token:
            assert changed is None, name
        if changed is not None:
            assert changed.state in STATES
            assert (changed.finished_at is not None) == changed.ended
            assert changed.attempts <= TRIES
            assert (changed.problem is not None) == (changed.state == FAILED)
            if changed.state == QUEUED:
                assert (changed.token, changed.done) == ("", 0)
            job = changed


def applied(job: Job, *rules: Change) -> Job:
    for change in rules:
        changed = change(job)
        assert changed is not None
        job = changed
    return job


def test_a_queued_job_is_cancelled_at_once_and_a_running_one_when_its_worker_hears_it() -> None:
    assert applied(make_job(), changes.cancel(5)).state == CANCELLED
    running = applied(make_job(), changes.claim(5, 10, "t"), changes.cancel(6))
    assert (running.state, running.cancelling) == (RUNNING, True)
    assert applied(running, changes.stop_cancelled("t", 7)).state == CANCELLED
    assert applied(running, changes.release("t", 7)).state == CANCELLED
    assert applied(running, changes.take_back(99, {})).state == CANCELLED


def test_a_worker_that_is_silent_loses_the_job_and_is_not_heard_any_more() -> None:
    running = applied(make_job(), changes.claim(5, 10, "old"))
    assert changes.take_back(15, {})(running) is None
    again = applied(running, changes.take_back(15.1, {}), changes.claim(16, 10, "new"))
    assert changes.succeed("old", 17, 1)(again) is None
    assert changes.report("old", 99)(again) is None
    ended = applied(again, changes.succeed("new", 17, 1))
    assert (ended.state, ended.token, ended.attempts) == (SUCCEEDED, "new", 2)


def test_a_job_over_which_workers_die_fails_in_the_end_but_one_put_back_is_tried_on() -> None:
    job = make_job()
    for _ in range(TRIES - 1):
        job = applied(job, changes.claim(5, 1, "t"), changes.take_back(9, {}))
        assert job.state == QUEUED
    job = applied(job, changes.claim(5, 1, "t"), changes.release("t", 6), changes.claim(7, 1, "t"))
    job = applied(job, changes.take_back(9, {"status": 500}))
    assert (job.state, job.problem) == (FAILED, {"status": 500})


def test_a_notice_is_due_when_the_job_ends_and_is_tried_less_and_less_often() -> None:
    order = replace(ORDER, callback_url="https://example.org/")
    job = applied(make_job(order=order), changes.claim(5, 10, "t"), changes.succeed("t", 6, 1))
    assert job.callback is not None
    assert job.callback.due_at == 6
    due = []
    for now in (6.0, 10.0, 16.0, 100.0, 1000.0):
        changed = changes.try_callback(now, (10, 60))(job)
        if changed is not None and changed.callback is not None:
            job = changed
            due.append((now, changed.callback.due_at))
    assert due == [(6, 16), (16, 76), (100, None)]
    delivered = applied(job, changes.deliver_callback)
    assert changes.try_callback(9999, (10, 60))(delivered) is None
    assert applied(make_job(), changes.cancel(5)).callback is None
