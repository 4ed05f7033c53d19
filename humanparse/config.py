"""Every setting, read once from the environment and passed down; nobody else reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from humanparse.errors import ConfigError

PREFIX: Final = "HUMANPARSE_"
ROOT: Final = Path(__file__).resolve().parent.parent

CHOICES: Final = {
    "precision": ("auto", "int8", "f16", "bf16", "f32"),
    "m2fp_runtime": ("auto", "openvino", "torch"),
    "decode": ("process", "thread"),
    "fetch_urls": ("off", "on"),
    "log_level": ("DEBUG", "INFO", "WARNING", "ERROR"),
    "log_format": ("auto", "json", "text"),
    "monitoring": ("off", "local", "token", "all"),
}

ADDRESSES: Final = {
    # settings that are addresses -> how those begin
    "broker_url": ("redis", "rediss"),
    "cache_url": ("redis", "rediss", "unix"),
    "rate_limit_url": ("memory", "redis", "rediss", "redis+unix", "redis+sentinel", "redis+cluster"),
}
SHORTEST_TOKEN: Final = 16
_MEBI = 1024 * 1024


def _setting(default: Any, help: str, low: float | None = None, high: float | None = None, secret: bool = False) -> Any:
    """A field with a line of help and, for numbers, its allowed range; a secret one is not shown in logs."""
    return field(default=default, repr=not secret, metadata={"help": help, "low": low, "high": high})


@dataclass(frozen=True)
class Settings:
    """All settings with their defaults; `Settings.from_env()` in programs, `Settings(...)` in tests."""

    host: str = _setting("127.0.0.1", "Address that `python app.py` listens on.")
    port: int = _setting(5000, "Port that `python app.py` listens on.", 1, 65535)
    parser: str = _setting("auto", "Parser used when a request names none.")
    threads: int = _setting(0, "Threads of one parser; 0: the cores of this process, shared by the workers.", 0, 256)
    precision: str = _setting("auto", "Networks compute in: auto (the fastest good enough), int8, f16, bf16 or f32.")
    m2fp_dir: Path = _setting(ROOT / "models" / "m2fp", "Folder of M2FP's weights, fetched or your own.")
    m2fp_runtime: str = _setting("auto", "What runs M2FP: openvino, torch, or auto (openvino where that works).")
    recognizer: str = _setting("efficientnet-lite", "Recognizer used when a request names none.")
    efficientnet_lite: int = _setting(2, "Which EfficientNet-Lite: 0 (fastest), 1 or 2 (most accurate).", 0, 2)
    general_dir: Path = _setting(ROOT / "models" / "general", "Folder of general recognition's weights.")
    stylize_pixels: int = _setting(
        16_000_000, "Photos of the studio with more pixels are made smaller.", 1024, 100_000_000
    )
    workers: int = _setting(0, "gunicorn workers; 0: by cores and memory, see performance.md.", 0, 256)
    max_bytes: int = _setting(32 * _MEBI, "Largest upload, in bytes.", 1024, 1024 * _MEBI)
    max_pixels: int = _setting(50_000_000, "Largest photo, in pixels (width times height).", 1024, 400_000_000)
    max_side: int = _setting(30_000, "Longest side of a photo, in pixels.", 16, 65_535)
    decode: str = _setting("process", "Where photos and videos are decoded: process (of its own, may crash) or thread.")
    decoders: int = _setting(2, "Such processes for photos of one worker, at most.", 1, 64)
    decode_timeout_s: float = _setting(10.0, "CPU time that decoding one photo may take there.", 0.1, 600.0)
    batch_files: int = _setting(64, "Most photos in one batch request.", 1, 900)
    batch_bytes: int = _setting(256 * _MEBI, "Largest batch request, in bytes.", 1024, 4096 * _MEBI)
    batch_unpacked_bytes: int = _setting(512 * _MEBI, "All photos of a batch's zip files unpacked.", 1024, 1 << 40)
    video_bytes: int = _setting(512 * _MEBI, "Largest video of a job, in bytes.", 1024, 1 << 40)
    video_pixels: int = _setting(8_912_896, "Largest frame of a video, in pixels; 4096x2176.", 1024, 400_000_000)
    video_frames: int = _setting(20_000, "Most frames in the video of a job.", 1, 100_000_000)
    video_s: float = _setting(900.0, "Longest video of a job, in seconds.", 0.1, 864_000.0)
    video_result_bytes: int = _setting(1024 * _MEBI, "Largest result of a video job, in bytes.", 1024, 1 << 40)
    queue_length: int = _setting(16, "Requests that may wait for the parser in one worker; more get 503.", 0, 10_000)
    queue_timeout_s: float = _setting(30.0, "Longest wait for the parser before 503, in seconds.", 0.0, 3600.0)
    slowest_bytes_s: int = _setting(
        16_384, "Slowest upload or download put up with after 20 s, in bytes a second.", 1, 1 << 30
    )
    proxies: int = _setting(0, "Proxies in front whose X-Forwarded-For, -Proto and -Host are believed.", 0, 10)
    hosts: str = _setting("", "Host names that requests must be for, with commas; empty: any.")
    keys_file: Path = _setting(Path(), "File of API keys (python -m humanparse keys); empty: none are asked for.")
    cors_origins: str = _setting("", "Origins whose pages may use the API, with commas: https://example.org.")
    rate_limit: str = _setting("", "Requests of one client, like 60/minute or 10/second;1000/day; empty: any number.")
    rate_limit_url: str = _setting("memory://", "Where they are counted: memory:// or redis://...", secret=True)
    fetch_urls: str = _setting("off", "Photos by their address: off, or on (from public addresses only).")
    fetch_timeout_s: float = _setting(15.0, "Longest time that fetching one may take.", 0.1, 300.0)
    alpha: float = _setting(0.55, "Opacity of the colours over the photo, from 0 to 1.", 0.0, 1.0)
    results_dir: Path = _setting(ROOT / "results", "Folder for results that have an address.")
    result_age_s: int = _setting(3600, "How long a result keeps its address, in seconds.", 1, 31_536_000)
    results_bytes: int = _setting(512 * _MEBI, "All kept results together; the oldest go first.", _MEBI, 1 << 50)
    jobs_dir: Path = _setting(ROOT / "uploads", "Folder for jobs; with a broker, one that every machine sees.")
    jobs_queue: int = _setting(100, "Jobs that may wait; more get 503.", 1, 1_000_000)
    jobs_bytes: int = _setting(
        2048 * _MEBI, "Uploads that wait, together; and as much again of results.", _MEBI, 1 << 50
    )
    job_age_s: int = _setting(86_400, "How long an ended job and its result are kept, in seconds.", 1, 31_536_000)
    job_lease_s: float = _setting(30.0, "A worker silent for so long is taken for dead, in seconds.", 0.2, 3600.0)
    broker_url: str = _setting(
        "", "redis://... for workers on other machines; empty: jobs run in the service.", secret=True
    )
    callback_secret: str = _setting("", "Signs callbacks of jobs; empty: there are none.", secret=True)
    cache_bytes: int = _setting(256 * _MEBI, "Answers kept for photos that come again, in bytes; 0: none.", 0, 1 << 50)
    cache_age_s: int = _setting(3600, "How long an answer is kept for that, in seconds.", 1, 31_536_000)
    cache_dir: Path = _setting(ROOT / "cache", "Folder for that.")
    cache_url: str = _setting("", "redis://... to share it between machines instead.", secret=True)
    log_level: str = _setting("INFO", "One of DEBUG, INFO, WARNING, ERROR.")
    log_format: str = _setting("auto", "json, text, or auto: text in a terminal, else one JSON object a line.")
    monitoring: str = _setting(
        "local", "Who may read /metrics and /requests: off, local (this machine, no proxy between), token, or all."
    )
    monitoring_token: str = _setting("", "The token that those readers send, 16 characters or more.", secret=True)
    metrics_port: int = _setting(0, "Port on which a Celery worker serves its metrics; 0: none.", 0, 65535)
    request_log_rows: int = _setting(0, "Rows of the request log; 0: none is kept.", 0, 100_000_000)
    request_log_age_s: int = _setting(2_592_000, "How long its rows are kept, in seconds.", 1, 315_360_000)
    request_log_dir: Path = _setting(ROOT / "logs", "Folder for it.")

    def __post_init__(self) -> None:
        for item in fields(self):
            _check_range(item.name, getattr(self, item.name), item.metadata)
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise _refusal(name, getattr(self, name), f"one of {', '.join(allowed)}")
        for name, schemes in ADDRESSES.items():
            _check_address(name, getattr(self, name), schemes)
        if self.monitoring == "token" and len(self.monitoring_token) < SHORTEST_TOKEN:
            message = f"{PREFIX}MONITORING_TOKEN has too few characters; it must have {SHORTEST_TOKEN} or more."
            raise ConfigError(message, key=f"{PREFIX}MONITORING_TOKEN")

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Settings from `HUMANPARSE_*`. Raises ConfigError with the key, the value and what is allowed."""
        environ = os.environ if environ is None else environ
        known = {PREFIX + item.name.upper(): item for item in fields(cls)}
        unknown = sorted(key for key in environ if key.startswith(PREFIX) and key not in known)
        if unknown:
            near = get_close_matches(unknown[0], known, 3) or sorted(known)
            raise ConfigError(
                f"{unknown[0]} is not a setting; there {'is' if len(near) == 1 else 'are'} {', '.join(near)}"
                f"{'' if len(near) == len(known) else ', and others in docs/settings.md'}.",
                key=unknown[0],
            )
        values = {}
        for key, item in known.items():
            if key in environ:
                values[item.name] = _convert(item.name, environ[key], type(item.default))
        return cls(**values)


def describe_settings() -> list[tuple[str, str, str]]:
    """(environment key, default, help) of every setting, for the docs table and its test."""
    rows = []
    for item in fields(Settings):
        assert item.default is not MISSING
        default = item.default
        if isinstance(default, Path):
            default = default.relative_to(ROOT) if default.is_absolute() else ""
        rows.append((PREFIX + item.name.upper(), str(default) or "(empty)", item.metadata["help"]))
    return rows


def allocator_is_told() -> bool:
    """Has the operator said how many arenas glibc may keep? Then that is the word."""
    return "MALLOC_ARENA_MAX" in os.environ


def shared_metrics_dir() -> Path | None:
    """Where several processes count together: prometheus_client's own variable, which gunicorn.conf.py sets."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(folder) if folder else None


def _convert(name: str, text: str, kind: type) -> Any:
    if kind is int or kind is float:
        try:
            return kind(text)
        except ValueError as exc:
            wanted = "a whole number" if kind is int else "a number"
            raise _refusal(name, text, wanted) from exc
    return Path(text) if issubclass(kind, Path) else text


def _check_range(name: str, value: Any, metadata: Mapping[str, Any]) -> None:
    low, high = metadata["low"], metadata["high"]
    if low is not None and not low <= value <= high:
        raise _refusal(name, value, f"between {low} and {high}")


def _check_address(name: str, address: str, schemes: tuple[str, ...]) -> None:
    """Raises ConfigError, without the address: it may hold a password."""
    try:
        parts = urlsplit(address)
        sound = parts.scheme in schemes and (parts.scheme not in ("redis", "rediss") or (parts.port or True))
    except ValueError:  # a port that is no number
        sound = False
    if address and not sound:
        key = PREFIX + name.upper()
        begin = ", ".join(f"{scheme}://" for scheme in schemes)
        raise ConfigError(f"{key} must be like redis://HOST:6379/0, and begin with one of {begin}.", key=key)


def _refusal(name: str, value: Any, allowed: str) -> ConfigError:
    key = PREFIX + name.upper()
    return ConfigError(f"{key} is {value!r}; it must be {allowed}.", key=key, value=str(value), allowed=allowed)
