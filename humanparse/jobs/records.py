"""A job: what was ordered, and how it stands. How it may change: `changes.py`."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import asdict, dataclass
from typing import Any, Final

from humanparse.options import ParseOptions
from humanparse.recognition.options import RecognizeOptions
from humanparse.video.options import VideoOptions

QUEUED: Final = "queued"
RUNNING: Final = "running"
SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
ENDED: Final = (SUCCEEDED, FAILED, CANCELLED)
STATES: Final = (QUEUED, RUNNING, *ENDED)

TRIES: Final = 3  # workers that may die over one job
ID: Final = re.compile(r"[A-Za-z0-9_-]{22}")  # as `new_id` makes them

ONE: Final = "parse"
MANY: Final = "batch"
VIDEO: Final = "video"
RECOGNIZE: Final = "recognize"
KINDS: Final = {
    ONE: "one photo, answered as POST /api/parse does",
    MANY: "several, as POST /api/parse/batch does",
    VIDEO: "one video: the coloured one, and a line of JSON for each frame",
    RECOGNIZE: "one photo, as POST /api/recognize does",
}


@dataclass(frozen=True)
class Order:
    """What is to be done: names of the uploaded files in their order, options, format, who asked.

    total: photos, or a video's frames. video: None for photos.
    """

    kind: str
    names: tuple[str, ...]
    total: int
    options: ParseOptions
    format: str
    request_id: str = ""
    callback_url: str | None = None
    video: VideoOptions | None = None
    recognize: RecognizeOptions | None = None  # of the kind RECOGNIZE; `options` mean nothing there


@dataclass(frozen=True)
class Job:
    """A job as it stands. Times are seconds since the epoch; `token` is the current lease's, empty without one.

    `sent_at`: when a message broker was told that it waits.
    """

    id: str
    order: Order
    created_at: float
    upload_bytes: int
    key: str = ""
    fingerprint: str = ""
    state: str = QUEUED
    done: int = 0
    failed: int = 0
    attempts: int = 0
    sent_at: float = 0.0
    token: str = ""
    lease_until: float = 0.0
    cancelling: bool = False
    started_at: float | None = None
    finished_at: float | None = None
    result_bytes: int = 0
    problem: dict[str, Any] | None = None
    callback: Callback | None = None

    @property
    def ended(self) -> bool:
        """Has it come to its end, whichever? Then only its callback changes any more."""
        return self.state in ENDED

    def to_json(self) -> str:
        """All of it, as the stores keep it."""
        plain = asdict(self)
        plain["order"]["options"]["include"] = sorted(self.order.options.include)
        return json.dumps(plain)

    @classmethod
    def from_json(cls, text: str | bytes) -> Job:
        """The job that `to_json` wrote."""
        plain = json.loads(text)
        order = plain.pop("order")
        options, video = order.pop("options"), order.pop("video", None)
        film = VideoOptions(**video) if video else None
        made = ParseOptions(**{**options, "include": frozenset(options["include"])})
        recognize = order.pop("recognize", None)
        recognized = RecognizeOptions(**recognize) if recognize else None
        callback = plain.pop("callback")
        return cls(
            order=Order(
                **{**order, "names": tuple(order["names"]), "options": made, "video": film, "recognize": recognized}
            ),
            callback=Callback(**callback) if callback else None,
            **plain,
        )


@dataclass(frozen=True)
class Callback:
    """What became of the notice: tries so far, when the next is due (None: no more), whether it arrived."""

    tries: int = 0
    due_at: float | None = None
    delivered: bool = False


def new_id() -> str:
    """128 random bits: whoever knows a job's id may see it, and nobody can guess one.

    None begins with "-", which command lines would take for an option.
    """
    while (id := secrets.token_urlsafe(16)).startswith("-"):
        pass
    return id
