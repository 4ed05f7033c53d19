"""Signed notices that a job has ended, to public addresses only.

The form is that of Standard Webhooks (standardwebhooks.com), for which receivers find libraries:
`webhook-id`, `webhook-timestamp`, and `webhook-signature: v1,BASE64`, an HMAC-SHA256 over
"ID.TIMESTAMP.BODY". Redirects are not followed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from datetime import datetime, timezone
from typing import Final
from urllib.parse import urlsplit

from humanparse.errors import InvalidOption
from humanparse.jobs.records import Job
from humanparse.outbound import ERRORS, Allowed, is_public, is_web_address, names_private_address, request

TIMEOUT_S: Final = 10.0
WAITS_S: Final = (10.0, 60.0, 300.0, 1800.0, 7200.0)  # before each further try; then no more
SECRET_PREFIX: Final = "whsec_"


def check_url(url: str) -> str:
    """The URL, if a callback may go there as far as can be said without a look-up. Raises InvalidOption."""
    if not is_web_address(url):
        raise InvalidOption("callback_url is not an http or https address.", option="callback_url")
    if names_private_address(url, is_public):
        raise InvalidOption("callback_url is not a public address.", option="callback_url")
    return url


def sign(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`."""
    message = b".".join([id.encode(), str(timestamp).encode(), body])
    digest = hmac.new(_secret_bytes(secret), message, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def body_of(job: Job) -> bytes:
    """What a notice says: which job, what became of it; the result is fetched."""
    ended_at = datetime.fromtimestamp(job.finished_at or 0, timezone.utc)
    data = {"id": job.id, "state": job.state, "done": job.done, "failed": job.failed, "total": job.order.total}
    return json.dumps({"type": f"job.{job.state}", "timestamp": ended_at.isoformat(), "data": data}).encode()


def send(url: str, id: str, body: bytes, secret: str, allowed: Allowed = is_public) -> bool:
    """Post a notice once; has the receiver taken it (2xx)?"""
    timestamp = int(time.time())
    headers = {
        "Host": urlsplit(url).netloc,
        "Content-Type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, id, timestamp, body),
    }
    try:
        with request("POST", url, headers, TIMEOUT_S, allowed, body) as answer:
            return bool(200 <= answer.status < 300)  # its body is nothing to us, and is not read
    except ERRORS:
        return False


def _secret_bytes(secret: str) -> bytes:
    """A secret as Standard Webhooks write it, whsec_ and base64; any other text is taken as it is."""
    if secret.startswith(SECRET_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
