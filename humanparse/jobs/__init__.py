"""Work that is accepted now and done later: one contract, two back ends.

    records.py    a job: what was ordered, and how it stands
    changes.py    the rules by which it changes; pure functions, no clock of their own
    files.py      what was sent and what came out, as files: the only writer of uploads/
    store.py      the contract of the two that remember jobs: sqlite_store.py, redis_store.py
    worker.py     a job's photos -> its result
    videos.py     a job's video -> its result
    desk.py       what the API asks: submit, look, cancel, fetch
    runner.py     the embedded back end: threads of the service take jobs from the store
    caretaker.py  takes back the jobs of workers that died, expires, sends callbacks
    callbacks.py  signed notices to public addresses

The other back end is Celery, in `humanparse/tasks.py`. Both take a job by the same lease, and a
result is published by the same conditional write, so a job ends once whoever worked on it.
"""
