"""A job that was claimed -> its result, the same in the service's own thread and in a Celery worker."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from humanparse import logs, telemetry
from humanparse.batches import Outcome, Photo, parse_photo, unpack, write_answer
from humanparse.config import Settings
from humanparse.errors import Busy, StorageError
from humanparse.jobs import changes, records
from humanparse.jobs.files import JobFiles
from humanparse.jobs.records import ONE, RECOGNIZE, VIDEO, Job
from humanparse.jobs.store import Store
from humanparse.jobs.videos import write_video
from humanparse.options import ParseOptions
from humanparse.pipeline import Answer, Pipeline
from humanparse.recognition.options import RecognizeOptions
from humanparse.recognition.pipeline import describe_recognition
from humanparse.request_log import Entry, RequestLog
from humanparse.telemetry import Account

log = logging.getLogger(__name__)

BEATS: Final = 3  # signs of life in the time of one lease
LONGEST_WAIT_S: Final = 5  # for the parser, before it is asked again

TELL_S: Final = 0.5  # between two words to the store about the frames of a video
Given = TypeVar("Given")
Options = TypeVar("Options")
Found = TypeVar("Found")

DescribeError = Callable[[Exception, str], dict[str, Any]]
"""The problem that an exception is, for the request of this id."""


class _Interrupted(Exception):
    """The job is not to be worked on any more: cancelled, lost to another worker, or the worker has to stop."""


class Worker:
    """Claims jobs and runs them, one at a time."""

    def __init__(
        self,
        settings: Settings,
        pipeline: Pipeline,
        store: Store,
        files: JobFiles,
        describe_error: DescribeError,
        request_log: RequestLog | None = None,
    ) -> None:
        self._settings, self._pipeline, self._request_log = settings, pipeline, request_log
        self._store, self._files = store, files
        self._describe_error = describe_error
        self.stopping = threading.Event()

    def claim_next(self) -> Job | None:
        """The next job of the line, now ours; None where nobody waits."""
        for job in self._store.queued():
            claimed = self.claim(job.id)
            if claimed is not None:
                return claimed
        return None

    def claim(self, id: str) -> Job | None:
        """This job, now ours; None where it is not to be had."""
        token = records.new_id()
        return self._store.update(id, changes.claim(time.time(), self._settings.job_lease_s, token))

    def run(self, job: Job) -> None:
        """Work on a job of ours until it ends, or is not ours any more. Raises StorageError."""
        with logs.about(job_id=job.id, request_id=job.order.request_id):
            account, start = telemetry.open_account(), time.perf_counter()
            with self._lease(job) as lease:
                ended = self._store.update(job.id, self._work(job, lease))
            self._tell(job, ended, account, time.perf_counter() - start)
        if ended is None or ended.state != records.SUCCEEDED:
            self._files.drop_result(job.id, job.token)
        if ended is not None and ended.ended:
            self._files.drop_uploads(job.id, keep=job.token)

    def _tell(self, job: Job, ended: Job | None, account: Account, seconds: float) -> None:
        """Into the log and the request log; what is not ours any more is another's to tell."""
        if ended is None or not ended.ended:
            return
        facts = account.facts(seconds)
        log.info("job", extra={"state": ended.state, "failed": ended.failed, **facts})
        if self._request_log is not None:
            row = Entry(
                at=time.time() - seconds,
                request_id=job.order.request_id,
                method="JOB",
                endpoint="/api/jobs",
                status=_status(ended),
                bytes_in=job.upload_bytes,
                bytes_out=ended.result_bytes,
                options=(job.order.recognize or job.order.options).chosen(),
                **facts,
            )
            self._request_log.add(row)

    def _work(self, job: Job, lease: _Lease) -> changes.Change:
        """Do it; what is then to become of the job, if it is still ours."""
        try:
            size = self._write_video(job, lease) if job.order.kind == VIDEO else self._write_photos(job, lease)
        except _Interrupted:
            if self.stopping.is_set():
                return changes.release(job.token, time.time())
            return changes.stop_cancelled(job.token, time.time())
        except Exception as error:  # as at the edge of the app: whatever it is, it is this job's
            return changes.fail(job.token, time.time(), self._describe_error(error, job.order.request_id))
        return changes.succeed(job.token, time.time(), size)

    def _write_photos(self, job: Job, lease: _Lease) -> int:
        return self._files.write_result(job.id, job.token, self._result(job, lease))

    def _write_video(self, job: Job, lease: _Lease) -> int:
        """Parse a video, telling of its frames twice a second; returns the bytes of the result."""
        told = 0.0

        def tell(done: int) -> None:
            nonlocal told
            lease.check()
            if time.monotonic() - told > TELL_S:
                told = time.monotonic()
                lease.tell(done, 0)

        paths = self._files.result_path(job.id, job.token), self._files.data_path(job.id, job.token)
        parse = self._patient(lease, self._pipeline.parse_frame)
        with self._files.open_uploads(job.id, 1) as (file,):
            done = write_video(file, job.order, *paths, parse, self._settings, tell)
        lease.check()
        lease.tell(done, 0)
        return self._files.settle_result(job.id, job.token)

    def _result(self, job: Job, lease: _Lease) -> Iterator[bytes]:
        order = job.order
        with self._files.open_uploads(job.id, len(order.names)) as files:
            parse = self._patient(lease, self._pipeline.parse)
            if order.kind == RECOGNIZE:
                recognize = self._patient(lease, self._pipeline.recognition.recognize)
                found = recognize(files[0].read(), order.recognize or RecognizeOptions())
                yield json.dumps(describe_recognition(found)).encode()
                lease.tell(done=1, failed=0)
            elif order.kind == ONE:
                row, file = parse_photo(Photo(order.names[0], files[0].read), parse, order.options, order.format)
                yield json.dumps(row).encode() if file is None else file
                lease.tell(done=1, failed=0)
            else:
                uploads = zip(order.names, files, strict=True)
                photos = unpack(uploads, self._settings)
                yield from write_answer(self._outcomes(photos, job, lease, parse), order.format)

    def _outcomes(
        self, photos: list[Photo], job: Job, lease: _Lease, parse: Callable[[bytes, ParseOptions], Answer]
    ) -> Iterator[Outcome]:
        failed = 0
        for index, photo in enumerate(photos):
            try:
                row, file = parse_photo(photo, parse, job.order.options, job.order.format)
            except _Interrupted:
                raise
            except Exception as error:  # one photo's fault is not the next one's
                failed += 1
                row, file = {"status": "error", "problem": self._describe_error(error, job.order.request_id)}, None
            yield Outcome({"index": index, "file": photo.name, **row}, file)
            lease.tell(done=index + 1, failed=failed)

    def _patient(self, lease: _Lease, work: Callable[[Given, Options], Found]) -> Callable[[Given, Options], Found]:
        """`work` that can wait: a full line is no error, only a reason to come back."""

        def patiently(photo: Given, options: Options) -> Found:
            while True:
                lease.check()
                try:
                    return work(photo, options)
                except Busy as busy:
                    self.stopping.wait(min(busy.retry_after_s, LONGEST_WAIT_S))

        return patiently

    @contextmanager
    def _lease(self, job: Job) -> Iterator[_Lease]:
        """The job's lease, renewed from a thread of its own: a photo may take longer than a lease lasts."""
        lease = _Lease(self._store, job, self._settings.job_lease_s, self.stopping)
        over = threading.Event()

        def renew() -> None:
            while not over.wait(self._settings.job_lease_s / BEATS):
                lease.tell()

        thread = threading.Thread(target=renew, name=f"lease of {job.id}", daemon=True)
        thread.start()
        try:
            yield lease
        finally:
            over.set()
            thread.join()


class _Lease:
    """Our hold on a job: says so to the store, and hears from it."""

    def __init__(self, store: Store, job: Job, lease_s: float, stopping: threading.Event) -> None:
        self._store, self._job, self._lease_s, self._stopping = store, job, lease_s, stopping
        self._interrupted = job.cancelling

    def tell(self, done: int | None = None, failed: int | None = None) -> None:
        """We are alive, and have got so far.

        Where the store cannot be reached we go on: the lease may last, and the end asks again.
        """
        until = time.time() + self._lease_s
        try:
            job = self._store.update(self._job.id, changes.report(self._job.token, until, done, failed))
        except StorageError as error:
            log.warning("job %s: %s", self._job.id, error.message)
            return
        self._interrupted = self._interrupted or job is None or job.cancelling

    def check(self) -> None:
        """Raises _Interrupted where the job is not to be worked on any more."""
        if self._interrupted or self._stopping.is_set():
            raise _Interrupted


def _status(ended: Job) -> int:
    """What asking for the result answers."""
    if ended.state == records.CANCELLED:
        return 409
    return int(ended.problem["status"]) if ended.problem else 200
