"""The rules by which a job changes.

Every change is a pure function `Job -> Job`, or None where the rule forbids it; the stores apply
them atomically. A worker holds a job by a lease with a token of its own: whoever holds the
current token may report progress and finish, and nobody else, so that of two workers that both
think it theirs only one is heard.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from humanparse.jobs.records import CANCELLED, FAILED, QUEUED, RUNNING, SUCCEEDED, TRIES, Callback, Job

Change = Callable[[Job], "Job | None"]


def claim(now: float, lease_s: float, token: str) -> Change:
    """Take a queued job."""

    def change(job: Job) -> Job | None:
        if job.state != QUEUED:
            return None
        return replace(
            job,
            state=RUNNING,
            token=token,
            lease_until=now + lease_s,
            attempts=job.attempts + 1,
            started_at=job.started_at or now,
            done=0,
            failed=0,
        )

    return change


def take_back(now: float, problem: dict[str, Any]) -> Change:
    """A job whose worker died goes back into the line; after TRIES of them it ends, lest it kills the next one too."""

    def change(job: Job) -> Job | None:
        if not is_dropped(job, now):
            return None
        if job.cancelling:
            return _end(job, now, CANCELLED)
        return _end(job, now, FAILED, problem=problem) if job.attempts >= TRIES else _requeue(job)

    return change


def is_dropped(job: Job, now: float) -> bool:
    """Does its lease show that its worker died?"""
    return job.state == RUNNING and job.lease_until < now


def mark_sent(now: float) -> Change:
    """The broker has been told."""
    return lambda job: replace(job, sent_at=now) if job.state == QUEUED else None


def report(token: str, lease_until: float, done: int | None = None, failed: int | None = None) -> Change:
    """The holder is alive, and has got so far."""

    def change(job: Job) -> Job | None:
        if not _holds(job, token):
            return None
        done_now = job.done if done is None else done
        failed_now = job.failed if failed is None else failed
        return replace(job, lease_until=lease_until, done=done_now, failed=failed_now)

    return change


def succeed(token: str, now: float, result_bytes: int) -> Change:
    """The holder has written the result; from now on it is the result of `token`."""
    return lambda job: _end(job, now, SUCCEEDED, token, result_bytes=result_bytes) if _holds(job, token) else None


def fail(token: str, now: float, problem: dict[str, Any]) -> Change:
    """The holder could not do it."""
    return lambda job: _end(job, now, FAILED, problem=problem) if _holds(job, token) else None


def stop_cancelled(token: str, now: float) -> Change:
    """The holder heard that it is cancelled, and stopped."""
    return lambda job: _end(job, now, CANCELLED) if _holds(job, token) else None


def release(token: str, now: float) -> Change:
    """The holder must stop, through no fault of the job: back to its place, and the try does not count."""

    def change(job: Job) -> Job | None:
        if not _holds(job, token):
            return None
        return _end(job, now, CANCELLED) if job.cancelling else replace(_requeue(job), attempts=job.attempts - 1)

    return change


def cancel(now: float) -> Change:
    """A queued job ends at once; a running one is told, and ends between two photos."""

    def change(job: Job) -> Job | None:
        if job.ended:
            return None
        return _end(job, now, CANCELLED) if job.state == QUEUED else replace(job, cancelling=True)

    return change


def try_callback(now: float, waits_s: tuple[float, ...]) -> Change:
    """Take the notice that is due; whether it arrives or not, the next try is later or never."""

    def change(job: Job) -> Job | None:
        notice = job.callback
        if notice is None or notice.delivered or notice.due_at is None or notice.due_at > now:
            return None
        due_at = now + waits_s[notice.tries] if notice.tries < len(waits_s) else None
        return replace(job, callback=replace(notice, tries=notice.tries + 1, due_at=due_at))

    return change


def deliver_callback(job: Job) -> Job | None:
    """The notice has arrived."""
    return replace(job, callback=replace(job.callback or Callback(), delivered=True, due_at=None))


def _holds(job: Job, token: str) -> bool:
    return job.state == RUNNING and job.token == token


def _requeue(job: Job) -> Job:
    return replace(job, state=QUEUED, token="", lease_until=0.0, done=0, failed=0, sent_at=0.0)


def _end(job: Job, now: float, state: str, token: str = "", **more: Any) -> Job:
    notice = Callback(due_at=now) if job.order.callback_url else None
    return replace(job, state=state, token=token, lease_until=0.0, finished_at=now, callback=notice, **more)
