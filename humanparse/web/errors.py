"""Every error as one shape: RFC 9457 problem+json for programs, a page for people."""

from __future__ import annotations

import errno
import logging
from typing import Any, Final

from flask import Flask, Response, current_app, g, has_app_context, json, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from humanparse import errors, telemetry
from humanparse.web.media_types import FORMS, JSON_TYPE, PROBLEM
from humanparse.web.words import words_for

STATUS: Final[dict[type[errors.HumanParseError], int]] = {
    errors.HumanParseError: 500,
    errors.InputError: 400,
    errors.MissingImage: 400,
    errors.UnreadableImage: 400,
    errors.UnreadableVideo: 400,
    errors.UnsupportedFormat: 415,
    errors.TypeMismatch: 415,
    errors.DecodeTimeout: 422,
    errors.SlowUpload: 408,
    errors.UrlRefused: 422,
    errors.UrlFailed: 422,
    errors.TooManyBytes: 413,
    errors.TooManyPixels: 413,
    errors.TooManyFiles: 413,
    errors.VideoTooLong: 413,
    errors.NotAcceptable: 406,
    errors.InvalidOption: 422,
    errors.KeyReused: 422,
    errors.NotFound: 404,
    errors.ResultExpired: 404,
    errors.JobExpired: 404,
    errors.AccessError: 403,
    errors.KeyNeeded: 401,
    errors.CrossSite: 403,
    errors.RateLimited: 429,
    errors.ClientGone: 499,  # nginx's number; nobody is there to read it
    errors.JobConflict: 409,
    errors.JobUnfinished: 409,
    errors.JobCancelled: 409,
    errors.Busy: 503,
    errors.QueueFull: 503,
    errors.ParserError: 500,
    errors.ParserUnavailable: 503,
    errors.RecognizerUnavailable: 503,
    errors.WeightsDamaged: 503,
    errors.FetchFailed: 500,  # only the command line fetches
    errors.HubUnreachable: 500,
    errors.NoSpace: 500,
    errors.JobAbandoned: 500,
    errors.StorageError: 503,  # a full disk passes
    errors.ConfigError: 500,
}
CODES: Final = {
    status: sorted({error.code for error in STATUS if STATUS[error] == status})
    for status in set(STATUS.values()) - {499}
}
"""Status -> the codes that a problem of this status may have, but for those that Flask's own errors add."""

TITLES: Final = {
    400: "The photo cannot be used",
    401: "A key is needed",
    403: "Not allowed",
    404: "Not here",
    405: "Not done that way",
    406: "Not a type we answer",
    408: "Too slow",
    409: "Not in this state",
    413: "Too large",
    415: "Not a type we take",
    422: "An option is not right",
    429: "Too often",
    499: "Nobody is there",
    500: "Our fault",
    503: "Not now",
}
FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
HTTP_CODES: Final = {
    # of the errors that Flask and Werkzeug have themselves
    400: "bad_input",
    401: "token_needed",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    415: "unsupported_format",
}
log = logging.getLogger(__name__)
OPAQUE: Final = "Something went wrong here; it is in our log under this request's id."


def install(app: Flask) -> None:
    """Answer every exception in `app` in the one shape."""
    app.register_error_handler(errors.HumanParseError, known)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(Exception, _unforeseen)


def problem(status: int, code: str, detail: str, **context: Any) -> dict[str, Any]:
    """The body of a problem+json answer; `context` may name the `request_id`, where it is not the current one."""
    return {
        "type": f"urn:humanparse:problem:{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": _current_id(),
        **context,
    }


def describe_error(error: Exception, request_id: str | None = None) -> dict[str, Any]:
    """The problem that an exception is; into the log goes what is our fault.

    request_id: of the request that it belongs to, where that is not the current one (a job's).
    """
    request_id = _current_id() if request_id is None else request_id
    whose = {"request_id": request_id}
    if not isinstance(error, errors.HumanParseError):
        log.error("unforeseen", exc_info=error, extra=whose)
        telemetry.problem_told("internal", 500)
        return problem(500, "internal", OPAQUE, request_id=request_id)
    status = STATUS[type(error)]
    telemetry.problem_told(error.code, status)
    if status >= 500 and not isinstance(error, errors.Busy):
        log.error("%s: %s", error.code, error.message, exc_info=error, extra=whose)
    wait = {} if error.retry_after_s is None else {"retry_after_s": error.retry_after_s}
    return problem(status, error.code, error.message, **error.context, **wait, request_id=request_id)


def _current_id() -> str:
    return str(g.get("request_id", "")) if has_app_context() else ""


def known(error: errors.HumanParseError) -> Response:
    """The whole answer to a request that ended so."""
    answer = _answer(describe_error(error))
    if error.retry_after_s is not None:
        answer.headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, errors.KeyNeeded):
        answer.headers["WWW-Authenticate"] = 'Bearer realm="humanparse"'  # RFC 6750
    if isinstance(error, (errors.SlowUpload, errors.ClientGone)):
        answer.headers["Connection"] = "close"  # part of the body may still be under way
    return answer


def _from_http(error: HTTPException) -> Response:
    """Errors that Flask and Werkzeug raise themselves: no such page, wrong method, body too large."""
    if isinstance(error, RequestEntityTooLarge):
        limit = g.get("max_bytes", current_app.extensions["humanparse"].settings.max_bytes)
        if request.mimetype in FORMS and (request.content_length or 0) <= limit:
            return known(errors.TooManyBytes(_form_limits(), limit=request.max_form_memory_size))
        return known(upload_too_large(limit))
    status = error.code or 500
    code = HTTP_CODES.get(status, "http_error")
    telemetry.problem_told(code, status)
    answer = _answer(problem(status, code, _detail(error)))
    for name, value in error.get_headers():
        if name in ("Allow", "Location", "WWW-Authenticate"):
            answer.headers[name] = value
    return answer


def upload_too_large(limit: int) -> errors.TooManyBytes:
    """The error of a request that has more bytes than `limit`, whatever is in it."""
    return errors.TooManyBytes(f"The upload is too large; at most {limit:,} bytes are allowed.", limit=limit)


def _detail(error: HTTPException) -> str:
    """What was wrong and what there is, where Werkzeug has words for everybody only."""
    if isinstance(error, NotFound) and error.description == NotFound.description:
        return "There is nothing at this address; /docs lists those of the API."
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        taken = sorted(set(error.valid_methods) - {"HEAD", "OPTIONS"})
        return f"{request.method} is not for this address, {' and '.join(taken)} {'is' if len(taken) == 1 else 'are'}."
    return error.description or error.name


def _form_limits() -> str:
    """What a form may have that is not too large as a whole, but has been refused."""
    return (
        f"The form is too large: its text fields may have {request.max_form_memory_size:,} bytes together, and there "
        f"may be {request.max_form_parts:,} fields; send photos as files, or base64 as JSON."
    )


def _unforeseen(error: Exception) -> Response:
    if isinstance(error, OSError) and error.errno in FULL:  # of a form that was too large for memory
        return known(errors.StorageError("The upload cannot be kept while it is read: the disk is full."))
    return _answer(describe_error(error))


def _answer(body: dict[str, Any]) -> Response:
    status = int(body["status"])
    if wants_page():
        return Response(render_template("error.html", problem=body, words=words_for(body)), status)
    return Response(json.dumps(body), status, content_type=PROBLEM)


def wants_page() -> bool:
    """Does the client read HTML rather than JSON? Under /api/ nobody does."""
    if request.path.startswith("/api/"):
        return False
    return request.accept_mimetypes.best_match([JSON_TYPE, "text/html"]) == "text/html"
