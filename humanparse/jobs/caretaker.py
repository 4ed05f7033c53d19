"""What has to be done for jobs beside the work itself, by whoever of the sharers has time.

Every step may be taken by several processes at once: each change is conditional, and what is done
twice (telling the broker, removing a file) does no harm.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from humanparse.config import Settings
from humanparse.errors import JobAbandoned
from humanparse.jobs import callbacks, changes
from humanparse.jobs.files import JobFiles
from humanparse.jobs.records import TRIES
from humanparse.jobs.store import Store
from humanparse.jobs.worker import DescribeError

log = logging.getLogger(__name__)

EXPIRE_EVERY_S: Final = 30.0
ORPHANS_EVERY_S: Final = 900.0  # each kept job is asked for then, and there may be thousands
RECENT: Final = 100  # ended jobs that are looked at for what their workers left; the first look is at the start

Send = Callable[[str, str, bytes], bool]
"""(url, id, body) of a notice -> has it been taken?"""


class Caretaker:
    """Takes back jobs of dead workers, tells the broker what it was not told, expires, sends callbacks."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        files: JobFiles,
        announce: Callable[[str], None],
        describe_error: DescribeError,
        send: Send | None = None,
        besides: Sequence[Callable[[], object]] = (),
    ) -> None:
        """besides: what else has to be done now and then, where jobs expire."""
        self._settings, self._store, self._files, self._announce = settings, store, files, announce
        self._describe_error = describe_error
        self._send = send or (lambda url, id, body: callbacks.send(url, id, body, settings.callback_secret))
        self._besides = besides
        self._expired_at = self._orphans_at = 0.0

    def look(self) -> None:
        """One round. Raises StorageError."""
        self._take_back()
        self._announce_again()
        if time.time() - self._expired_at >= EXPIRE_EVERY_S:
            self._expired_at = time.time()
            for step in self._besides:
                step()
            self.expire()

    def expire(self) -> None:
        """Remove ended jobs that are too old or together too large, the oldest first, and folders of no job.

        And photos of jobs that ended: a worker may be killed between its last word and its clearing up.
        """
        for job in self._store.latest(RECENT):
            self._files.drop_uploads(job.id, keep=job.token)
        too_many = self._store.load().result_bytes - self._settings.jobs_bytes
        born = time.time() - self._settings.job_age_s
        while going := [job for job in self._store.oldest() if (job.finished_at or 0) < born or too_many > 0]:
            for job in going:
                if (job.finished_at or 0) >= born and too_many <= 0:
                    break
                too_many -= job.result_bytes
                self._store.remove(job.id)
                self._files.remove(job.id)
        if time.time() - self._orphans_at >= ORPHANS_EVERY_S:
            self._orphans_at = time.time()
            for id in self._files.orphans():
                if self._store.get(id) is None:
                    self._files.remove(id)

    def call_back(self) -> None:
        """Send the notices that are due; receivers may be slow: in a thread of its own. Raises StorageError."""
        now = time.time()
        for job in self._store.due_callbacks(now):
            taken = self._store.update(job.id, changes.try_callback(now, callbacks.WAITS_S))
            if taken is None or job.order.callback_url is None:
                continue
            if self._send(job.order.callback_url, job.id, callbacks.body_of(taken)):
                self._store.update(job.id, changes.deliver_callback)

    def _take_back(self) -> None:
        now = time.time()
        for job in self._store.dropped(now):
            error = JobAbandoned(f"{TRIES} workers died over this job.")
            problem = self._describe_error(error, job.order.request_id) if job.attempts >= TRIES else {}
            changed = self._store.update(job.id, changes.take_back(now, problem))
            if changed is None:
                continue
            log.warning("job %s: its worker died; it is %s", job.id, changed.state)
            if changed.ended:
                self._files.drop_uploads(job.id)
            else:
                self._files.drop_result(job.id, job.token)
                self._announce(job.id)

    def _announce_again(self) -> None:
        """Tell the broker of the first of the line, if it was not told, or so long ago that the message may be lost.

        In a long line of slow jobs messages are told twice for nothing; a worker drops them at a glance.
        """
        old = time.time() - self._settings.job_lease_s
        for job in self._store.queued():
            if max(job.created_at, job.sent_at) < old:
                self._announce(job.id)
