"""The service on this machine: parsers, formats, folders, Redis."""

from __future__ import annotations

import shutil
import statistics
import time
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np
import psutil
from PIL import Image

from humanparse import image_formats, images
from humanparse.config import Settings
from humanparse.cpu import usable_cores
from humanparse.doctor.findings import BROKEN, OK, WARN, Finding, size
from humanparse.errors import HumanParseError
from humanparse.memory import pss_of
from humanparse.parsers import AUTO, PARSERS, choose_parser, make_parser
from humanparse.parsers.inference import choose_precision
from humanparse.workers import plan

RUNS: Final = 5
SIDE: Final = 48  # of the picture that every format is tried with
REDIS_S: Final = 3.0
SLOW_LOAD_S: Final = 3.0  # as the alert has it
CACHE_POLICY: Final = "allkeys-lru, or volatile-lru where jobs are in it"  # nothing of a job has an end of its own
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def check_parsers(settings: Settings, measure: bool = True) -> list[Finding]:
    """Each parser: is it here, does it run, how fast. Broken is only the one that requests get."""
    default = choose_parser(settings) if settings.parser == AUTO else settings.parser
    return [_check_parser(name, settings, name == default, measure) for name in PARSERS]


def _check_parser(name: str, settings: Settings, default: bool, measure: bool) -> Finding:
    title = f"parser {name}"
    parser = make_parser(name, settings)
    missing = parser.available()
    facts: dict[str, Any] = {"default": default, "available": missing is None}
    role = "the default" if default else "on request"
    if missing is not None:
        if default:
            return Finding(title, BROKEN, missing, "Fetch it, or set HUMANPARSE_PARSER to another.", facts)
        return Finding(title, OK, f"not here: {missing}", "", facts)
    whole = parser.whole_numbers and settings.precision in ("auto", "int8")
    facts["precision"] = "int8" if whole else choose_precision(settings.precision, parser.formats)
    facts["most_bytes"] = parser.memory_bytes
    facts["threads"] = settings.threads or usable_cores()
    facts["version"] = parser.info.version
    says = f"{role}, {facts['precision']}, {facts['threads']} threads"
    if not measure:
        return Finding(title, OK, says, "", facts)
    try:
        facts |= _measure(parser)
    except HumanParseError as error:
        state = BROKEN if default else WARN
        return Finding(title, state, f"{role}, but it does not run: {error.message}", "Fetch its weights anew.", facts)
    says += (
        f"; loaded in {facts['load_s']:.1f} s, {facts['photo_ms']:.0f} ms for an empty photo of 640x480 (people "
        f"cost more), {size(facts['memory_bytes'])} in this process"
    )
    if facts["load_s"] > SLOW_LOAD_S:
        return Finding(title, WARN, says, "Loading is slow: a slow disk, or a busy machine.", facts)
    return Finding(title, OK, says, "", facts)


def _measure(parser: Any) -> dict[str, Any]:
    start = time.perf_counter()
    parser.load()
    load_s = time.perf_counter() - start
    photo, times = np.full((480, 640, 3), 128, np.uint8), []
    for _ in range(RUNS):
        start = time.perf_counter()
        parser.parse(photo)
        times.append((time.perf_counter() - start) * 1000)
    memory = pss_of([psutil.Process()])
    return {"load_s": round(load_s, 3), "photo_ms": round(statistics.median(times), 1), "memory_bytes": memory}


def check_formats() -> Finding:
    """Every format that we know, tried with a small picture."""
    working, failing = [], []
    for format in image_formats.KNOWN:
        try:
            data = BytesIO()
            Image.new("RGB", (SIDE, SIDE), (200, 120, 40)).save(data, format.pillow_name)
            images.read_image(data.getvalue(), max_bytes=1 << 20, max_pixels=1 << 20)
        except (HumanParseError, OSError, KeyError):
            failing.append(format.name)
        else:
            working.append(format.name)
    facts = {"working": working, "failing": failing}
    if failing:
        advice = "Install pillow and pillow-heif as requirements.txt has them."
        return Finding("formats", WARN, f"{', '.join(working)}; not {', '.join(failing)}", advice, facts)
    return Finding("formats", OK, ", ".join(working), "", facts)


def check_folders(settings: Settings) -> list[Finding]:
    """Every folder that the settings use: writable, with room for what it may come to hold."""
    wanted = {"results_dir": settings.results_bytes, "jobs_dir": 2 * settings.jobs_bytes}
    if settings.cache_bytes and not settings.cache_url:
        wanted["cache_dir"] = settings.cache_bytes
    if settings.request_log_rows:
        wanted["request_log_dir"] = 500 * settings.request_log_rows  # bytes of a row, about
    return [_check_folder(name, getattr(settings, name), room) for name, room in wanted.items()]


def _check_folder(name: str, folder: Path, room: int) -> Finding:
    title, key = f"folder {folder.name}", f"HUMANPARSE_{name.upper()}"
    facts: dict[str, Any] = {"setting": key, "path": str(folder), "wanted_bytes": room}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder) as file:
            file.write(b"x")
        free = shutil.disk_usage(folder).free
    except OSError as error:
        says = f"{folder} cannot be written: {error.strerror}"
        return Finding(title, BROKEN, says, f"Give this user the right to, or set {key}.", facts)
    facts["free_bytes"] = free
    says = f"writable, {size(free)} free, may grow to {size(room)}"
    if free < room:
        return Finding(title, WARN, says, f"Not enough room: make some, or move it with {key}.", facts)
    return Finding(title, OK, says, "", facts)


def check_clients(settings: Settings) -> Finding:
    """May one client take the parser from all others?"""
    outside = settings.host not in LOOPBACK or settings.proxies > 0 or bool(settings.hosts or settings.keys_file.name)
    facts = {"outside": outside, "rate_limit": settings.rate_limit, "keys": bool(settings.keys_file.name)}
    if settings.rate_limit:
        if settings.rate_limit_url == "memory://" and plan(settings).workers > 1:
            advice = "Each worker counts by itself; set HUMANPARSE_RATE_LIMIT_URL to a Redis."
            return Finding("clients", WARN, f"{settings.rate_limit} each", advice, facts)
        return Finding("clients", OK, f"{settings.rate_limit} each", "", facts)
    if outside:
        advice = "Before others reach it, set HUMANPARSE_RATE_LIMIT, like 60/minute (docs/deployment.md)."
        return Finding("clients", WARN, "each may send any number of requests", advice, facts)
    return Finding("clients", OK, "no limits; for this machine only, as it is set", "", facts)


def check_redis(settings: Settings) -> list[Finding]:
    """Each Redis that is set: it answers, and keeps what must be kept."""
    found = []
    if settings.broker_url:
        found.append(_check_redis("broker", settings.broker_url, evicts=False))
    if settings.cache_url:
        found.append(_check_redis("cache", settings.cache_url, evicts=True))
    if settings.rate_limit and settings.rate_limit_url.startswith("redis"):
        found.append(_check_redis("rate_limit", settings.rate_limit_url, evicts=True))
    return found


def _check_redis(purpose: str, url: str, evicts: bool) -> Finding:
    import redis  # only those who have one need it

    title = f"redis for the {purpose.replace('_', ' ')}"
    try:
        where = f"{urlsplit(url).hostname}:{urlsplit(url).port or 6379}"  # never the password
        with redis.Redis.from_url(url, socket_timeout=REDIS_S, socket_connect_timeout=REDIS_S) as client:
            info: Any = client.info()
    except (redis.RedisError, ValueError, OSError) as error:
        says = f"does not answer: {type(error).__name__}"
        return Finding(title, BROKEN, says, f"Start it, or correct HUMANPARSE_{purpose.upper()}_URL.")
    policy, durable = info.get("maxmemory_policy", ""), bool(info.get("aof_enabled"))
    facts = {"version": info.get("redis_version"), "maxmemory_policy": policy, "appendonly": durable}
    says = f"{where} answers, version {facts['version']}"
    if not evicts and policy.startswith("allkeys"):
        advice = f"It may throw jobs away ({policy}); set maxmemory-policy volatile-lru, or noeviction."
        return Finding(title, BROKEN, says, advice, facts)
    if not evicts and not durable:
        return Finding(title, WARN, says, "Jobs are lost when it stops; set appendonly yes.", facts)
    if evicts and not info.get("maxmemory"):
        return Finding(title, WARN, says, f"It grows without end; set maxmemory, and {CACHE_POLICY}.", facts)
    if purpose == "cache" and policy == "noeviction":
        says += f", and takes nothing more at {size(info['maxmemory'])}, jobs neither"
        return Finding(title, WARN, says, f"Set maxmemory-policy {CACHE_POLICY}.", facts)
    return Finding(title, OK, says, "", facts)
