"""Everything that can go wrong, as one tree.

    HumanParseError
    ├── InputError              the client sent something we cannot use
    │   ├── MissingImage        no photo in the request
    │   ├── UnreadableImage     not an image, cut short, or damaged
    │   ├── UnreadableVideo     not a video, cut short, or damaged
    │   ├── UnsupportedFormat   an image, or a body, of a type we do not take
    │   │   └── TypeMismatch    the file is of another type than the request says
    │   ├── DecodeTimeout       the file takes longer to decode than the limit
    │   ├── SlowUpload          the request did not arrive in its time
    │   ├── UrlRefused          an address that is not fetched: not public, or fetching is off
    │   ├── UrlFailed           nothing usable came from the address
    │   ├── TooManyBytes        the file is larger than the limit
    │   ├── TooManyPixels       the photo, or a frame, is larger than the limit
    │   ├── TooManyFiles        more photos in one request than the limit
    │   ├── VideoTooLong        a video of more seconds or frames than the limit
    │   ├── NotAcceptable       `Accept` asks for types that we do not answer
    │   ├── InvalidOption       an option is unknown or out of range
    │   └── KeyReused           an Idempotency-Key came before, with another request
    ├── NotFound                no such page, result or method here
    │   ├── ResultExpired       a result that was here, or never was
    │   └── JobExpired          a job that was here, or never was
    ├── AccessError             the request may not be made so
    │   ├── KeyNeeded           no API key, or one that is not known
    │   ├── CrossSite           another site's page made a browser send it
    │   └── RateLimited         too many requests of one client
    ├── ClientGone              the client hung up; nobody reads this
    ├── JobConflict             the job is not in a state for this
    │   ├── JobUnfinished       it has no result yet
    │   └── JobCancelled        it was cancelled, and has none
    ├── Busy                    too many requests in line; come back later
    │   └── QueueFull           too many jobs in line
    ├── ParserError             the parser, not the request, is at fault
    │   ├── ParserUnavailable   its weights or its runtime are not on this machine
    │   ├── RecognizerUnavailable  the same of a recognizer
    │   ├── WeightsDamaged      its weights are not what they should be
    │   ├── JobAbandoned        the workers that took the job died, all of them
    │   └── FetchFailed         its weights cannot be fetched
    │       ├── HubUnreachable  no network, or the hub does not answer
    │       └── NoSpace         the disk has no room for them
    ├── StorageError            results cannot be written or read
    └── ConfigError             a setting has a value that we refuse

Each class has a stable `code`, which clients may compare; statuses live in `web/errors.py`.
Messages are for people: what was wrong, and what is allowed. All of them pickle.
"""

from __future__ import annotations

from typing import Any, ClassVar


class HumanParseError(Exception):
    """Base of the tree. `context` holds plain values about the case (limits, names, ranges).

    retry_after_s: seconds after which it is worth while to ask again; None where waiting does not help.
    """

    code: ClassVar[str] = "error"
    retry_after_s: int | None = None

    def __init__(self, message: str, retry_after_s: int | None = None, **context: Any) -> None:
        super().__init__(message)
        self.context = context
        if retry_after_s is not None:
            self.retry_after_s = retry_after_s

    @property
    def message(self) -> str:
        return str(self.args[0])


class InputError(HumanParseError):
    code = "bad_input"


class MissingImage(InputError):
    code = "missing_image"


class UnreadableImage(InputError):
    code = "unreadable_image"


class UnreadableVideo(InputError):
    code = "unreadable_video"


class UnsupportedFormat(InputError):
    code = "unsupported_format"


class TypeMismatch(UnsupportedFormat):
    code = "type_mismatch"


class DecodeTimeout(InputError):
    code = "decode_timeout"


class SlowUpload(InputError):
    code = "slow_upload"


class UrlRefused(InputError):
    code = "url_refused"


class UrlFailed(InputError):
    code = "url_failed"


class TooManyBytes(InputError):
    code = "too_many_bytes"


class TooManyPixels(InputError):
    code = "too_many_pixels"


class TooManyFiles(InputError):
    code = "too_many_files"


class VideoTooLong(InputError):
    code = "video_too_long"


class NotAcceptable(InputError):
    code = "not_acceptable"


class InvalidOption(InputError):
    code = "invalid_option"


class KeyReused(InputError):
    code = "idempotency_key_reused"


class NotFound(HumanParseError):
    code = "not_found"


class ResultExpired(NotFound):
    code = "result_expired"


class JobExpired(NotFound):
    code = "job_expired"


class AccessError(HumanParseError):
    code = "no_access"


class KeyNeeded(AccessError):
    code = "key_needed"


class CrossSite(AccessError):
    code = "cross_site"


class RateLimited(AccessError):
    code = "rate_limited"
    retry_after_s: int = 1


class ClientGone(HumanParseError):
    code = "client_gone"


class JobConflict(HumanParseError):
    code = "job_conflict"


class JobUnfinished(JobConflict):
    code = "job_unfinished"


class JobCancelled(JobConflict):
    code = "job_cancelled"


class Busy(HumanParseError):
    """`retry_after_s`: then a place is likely to be free."""

    code = "busy"
    retry_after_s: int = 1


class QueueFull(Busy):
    code = "queue_full"


class ParserError(HumanParseError):
    code = "parser_failed"


class ParserUnavailable(ParserError):
    code = "parser_unavailable"


class RecognizerUnavailable(ParserError):
    code = "recognizer_unavailable"


class WeightsDamaged(ParserError):
    code = "weights_damaged"


class FetchFailed(ParserError):
    code = "fetch_failed"


class HubUnreachable(FetchFailed):
    code = "hub_unreachable"


class NoSpace(FetchFailed):
    code = "no_space"


class JobAbandoned(ParserError):
    code = "job_abandoned"


class StorageError(HumanParseError):
    """`retry_after_s`: by then room has been made, if what is too old or too much can make any."""

    code = "storage_failed"
    retry_after_s: int = 30


class ConfigError(HumanParseError):
    code = "bad_config"
