"""A job as text and back, and what it is known by."""

from __future__ import annotations

from dataclasses import replace

from humanparse.jobs import changes, records
from humanparse.jobs.records import Job
from humanparse.options import ParseOptions
from tests.jobs.conftest import ORDER, make_job
from tests.jobs.test_changes import applied


def test_a_job_is_the_same_after_json() -> None:
    options = ParseOptions(alpha=0.2, include=frozenset({"rle", "masks"}), format="coco")
    job = make_job(order=replace(ORDER, options=options, callback_url="https://example.org/"))
    for each in (job, applied(job, changes.claim(5, 10, "t"), changes.fail("t", 6, {"status": 400, "code": "x"}))):
        assert Job.from_json(each.to_json()) == each


def test_ids_are_long_and_never_the_same_and_no_options_of_a_command() -> None:
    ids = {records.new_id() for _ in range(1000)}
    assert (len(ids), {len(id) for id in ids}) == (1000, {22})
    assert not any(id.startswith("-") for id in ids)
