"""How often one client may ask; imported only where there is a limit."""

from __future__ import annotations

import time

from flask import Flask, Response, g, request
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded

from humanparse.config import Settings
from humanparse.errors import RateLimited
from humanparse.web.access import SAFE
from humanparse.web.errors import known


def install(app: Flask, settings: Settings) -> None:
    """Count what each client asks, by a limit that `checks.py` has seen."""
    limiter = Limiter(
        _client,
        app=app,
        application_limits=[settings.rate_limit],  # one count for all that is asked
        application_limits_exempt_when=lambda: request.method in SAFE,
        storage_uri=settings.rate_limit_url,
        in_memory_fallback_enabled=settings.rate_limit_url != "memory://",  # Redis away: each worker counts by itself
        swallow_errors=True,
    )

    @app.errorhandler(RateLimitExceeded)
    def tell(error: RateLimitExceeded) -> Response:
        limit = limiter.current_limit
        wait = max(1, round(limit.reset_at - time.time())) if limit else 1
        message = f"At most {error.limit.limit} of one client; go on in {wait} s."
        return known(RateLimited(message, retry_after_s=wait))


def _client() -> str:
    """Whose requests are counted together: those with one key, or from one address."""
    return str(g.get("key_id") or request.remote_addr or "")
