"""What operators read: /metrics for Prometheus; /requests, the request log as page, JSON and CSV.

Not for everybody: `Settings.monitoring` says for whom.
"""

from __future__ import annotations

import hmac
import ipaddress
import time
from datetime import datetime, timezone
from typing import Final

from flask import Blueprint, Response, abort, jsonify, render_template, request
from prometheus_client import CONTENT_TYPE_LATEST
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from humanparse.config import Settings, shared_metrics_dir
from humanparse.errors import InvalidOption
from humanparse.metrics.snapshot import Snapshot
from humanparse.request_log import OFF, RequestLog, write_csv
from humanparse.web import service
from humanparse.web.errors import wants_page

blueprint = Blueprint("monitoring", __name__)

PAGE_ROWS: Final = 50
SUMMARY_S: Final = 24 * 3600
PROXY_HEADERS: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via")
LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")


@blueprint.before_request
def check_reader() -> None:
    """Refuse whoever may not read here."""
    settings = service().settings
    if settings.monitoring == "off":
        abort(404, "Monitoring is off; HUMANPARSE_MONITORING turns it on.")
    if settings.monitoring == "local" and not _is_local():
        abort(403, "Only for readers on this machine itself; HUMANPARSE_MONITORING says who else may read.")
    if settings.monitoring == "token" and not _has_token(settings):
        asks = WWWAuthenticate("basic", {"realm": "monitoring"})
        raise Unauthorized(
            "Send the monitoring token: as Bearer, or as the password of any user.", www_authenticate=asks
        )


@blueprint.get("/metrics")
def metrics() -> Response:
    """Everything that is counted, in Prometheus's text format."""
    snapshot = Snapshot(service().settings, service().jobs.desk.counts, shared_metrics_dir())
    return Response(snapshot.text(), content_type=CONTENT_TYPE_LATEST)


@blueprint.get("/requests")
def requests() -> Response:
    """The request log: summary of a day by endpoint, and rows, the newest first; `before=`, `failed=1`."""
    log = _request_log()
    failed_only = request.args.get("failed") == "1"
    entries = log.latest(PAGE_ROWS + 1, _before(), failed_only)
    more = entries[PAGE_ROWS - 1].number if len(entries) > PAGE_ROWS else None
    entries = entries[:PAGE_ROWS]
    summary = log.summary(time.time() - SUMMARY_S)
    if not wants_page():
        return jsonify(summary=summary, requests=entries, before=more)
    page = render_template(
        "requests.html",
        summary=summary,
        entries=entries,
        more=more,
        failed=failed_only,
        before=request.args.get("before"),
    )
    return Response(page, headers={"Cache-Control": "no-store"})


@blueprint.get("/requests.csv")
def requests_csv() -> Response:
    """The whole request log as one file."""
    answer = Response(write_csv(_request_log().each()), content_type="text/csv; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename="requests.csv")
    return answer


@blueprint.app_template_filter()
def moment(at: float) -> str:
    """Seconds since the epoch as UTC: 2026-11-21 10:44:13."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def _is_local() -> bool:
    """From this machine, and by a name of it (a page elsewhere could have a name that leads here), with no proxy told.

    A proxy on this machine that adds none of its usual headers cannot be told from a local reader.
    """
    if any(name in request.headers for name in PROXY_HEADERS):
        return False
    host = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback and host in LOCAL_NAMES
    except ValueError:  # a Unix socket has no address, and a proxy before it
        return False


def _has_token(settings: Settings) -> bool:
    given = request.authorization
    token = ""
    if given is not None and given.type in ("bearer", "basic"):
        token = (given.token if given.type == "bearer" else given.password) or ""
    return hmac.compare_digest(token.encode(), settings.monitoring_token.encode())


def _request_log() -> RequestLog:
    log = service().request_log
    if log is None:
        abort(404, OFF)
    return log


def _before() -> int | None:
    text = request.args.get("before", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InvalidOption(f"before is {text[:40]!r}; it must be the number of a row.", option="before")
    return int(text)
