"""What is seen of every request: its id, one line in the log, the metrics, a row in the request log if there is one."""

from __future__ import annotations

import logging
import re
import time
import uuid
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from flask import Flask, Response, g, request

from humanparse import logs, metrics
from humanparse.options import ParseOptions
from humanparse.recognition.options import RecognizeOptions
from humanparse.request_log import Entry, RequestLog
from humanparse.stylize_options import StylizeOptions
from humanparse.telemetry import Account, open_account

log = logging.getLogger("humanparse.requests")

SANE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:=+/-]{0,127}")  # no "=" in front: spreadsheets open the CSV
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
NOWHERE: Final = "(none)"  # the endpoint of what is not ours
QUIET: Final = ("/health", "/healthz", "/readyz", "/metrics")  # asked every few seconds: logged only at DEBUG
LONGEST_PATH: Final = 200
MOST_BYTES: Final = (1 << 63) - 1  # that a client can declare; what databases hold


@dataclass(frozen=True)
class _Asked:
    """What is known of a request after it is gone."""

    id: str
    method: str
    endpoint: str
    path: str
    started: float
    account: Account
    options: dict[str, Any]
    bytes_in: int


def install(app: Flask, request_log: RequestLog | None) -> None:
    """Watch every request of `app`."""

    def end(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.request_id
        finish = partial(_finish, _asked(), response, request_log)
        if response.is_streamed:
            response.direct_passthrough = False  # else Werkzeug passes a file on and never closes the response
            response.call_on_close(finish)
        else:
            finish()
        return response

    app.before_request(_begin)
    app.after_request(end)


def _begin() -> None:
    """The id is the client's own where it is harmless, so that several services can log the same one."""
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if SANE_ID.fullmatch(given) else uuid.uuid4().hex
    g.started = time.perf_counter()
    g.account = open_account()
    logs.begin(request_id=g.request_id)


def _asked() -> _Asked:
    options: ParseOptions | RecognizeOptions | StylizeOptions | None = g.get("options")
    return _Asked(
        id=g.request_id,
        method=request.method if request.method in METHODS else "OTHER",
        endpoint=request.url_rule.rule if request.url_rule else NOWHERE,
        path=quote(request.path)[:LONGEST_PATH],
        started=g.started,
        account=g.account,
        options=options.chosen() if options else {},
        bytes_in=min(request.content_length or 0, MOST_BYTES),
    )


def _finish(asked: _Asked, response: Response, request_log: RequestLog | None) -> None:
    seconds = time.perf_counter() - asked.started
    metrics.REQUESTS.labels(asked.endpoint, asked.method, str(response.status_code)).inc()
    metrics.REQUEST_SECONDS.labels(asked.endpoint).observe(seconds)
    outcome: dict[str, Any] = {
        "status": response.status_code,
        **asked.account.facts(seconds),
        "bytes_in": asked.bytes_in,
        "bytes_out": response.content_length if response.is_streamed else response.calculate_content_length(),
    }
    with logs.about(request_id=asked.id):
        level = logging.DEBUG if asked.path in QUIET else logging.INFO
        log.log(level, "request", extra={"method": asked.method, "path": asked.path, **outcome})
        if request_log is not None and asked.path not in QUIET:
            at = time.time() - seconds
            request_log.add(Entry(at, asked.id, asked.method, asked.endpoint, options=asked.options, **outcome))
