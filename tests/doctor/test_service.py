"""What the doctor says of parsers, formats, folders and Redis, sound and broken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from humanparse import image_formats
from humanparse.config import Settings
from humanparse.doctor import service
from humanparse.doctor.findings import BROKEN, OK, WARN, Finding
from humanparse.parsers.compact import weights
from tests.redis_server import free_port


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def test_the_embedded_parser_runs_and_is_timed(settings: Settings) -> None:
    found = by_name(service.check_parsers(replace(settings, threads=1)))
    compact, m2fp = found["parser compact"], found["parser m2fp"]
    assert compact.state in (OK, WARN)  # loading may be slow here
    assert compact.facts["default"]
    assert compact.facts["photo_ms"] > 0
    assert compact.facts["precision"] == "int8"
    assert (m2fp.state, m2fp.facts["available"]) == (OK, False)
    assert "fetch m2fp" in m2fp.says


def test_a_default_parser_that_is_not_here_is_broken(settings: Settings, tmp_path: Path) -> None:
    own = replace(settings, parser="m2fp", m2fp_dir=tmp_path)
    found = by_name(service.check_parsers(own, measure=False))
    assert found["parser m2fp"].state == BROKEN
    assert "HUMANPARSE_PARSER" in found["parser m2fp"].advice


def test_damaged_weights_are_broken(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = tmp_path / weights.FILE.name
    damaged.write_bytes(weights.FILE.read_bytes()[:-1] + b"?")
    damaged.with_suffix(".sha256").write_bytes(weights.FILE.with_suffix(".sha256").read_bytes())
    monkeypatch.setattr(weights, "FILE", damaged)
    finding = by_name(service.check_parsers(settings))["parser compact"]
    assert finding.state == BROKEN
    assert "does not run" in finding.says


def test_every_format_of_ours_works_here() -> None:
    finding = service.check_formats()
    assert (finding.state, finding.facts["failing"]) == (OK, [])
    assert finding.facts["working"] == [format.name for format in image_formats.FORMATS]


def test_a_decoder_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = replace(image_formats.KNOWN[0], name="ODD", pillow_name="ODD")
    monkeypatch.setattr(image_formats, "KNOWN", (image_formats.KNOWN[1], odd))
    finding = service.check_formats()
    assert (finding.state, finding.says) == (WARN, "PNG; not ODD")


def test_folders_are_writable_and_left_empty(settings: Settings) -> None:
    found = service.check_folders(settings)
    assert [finding.facts["setting"] for finding in found] == [
        "HUMANPARSE_RESULTS_DIR",
        "HUMANPARSE_JOBS_DIR",
        "HUMANPARSE_CACHE_DIR",
    ]
    assert all(finding.state in (OK, WARN) for finding in found)
    assert list(settings.results_dir.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_broken(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    own = replace(settings, cache_dir=tmp_path / "file" / "cache", cache_bytes=1)
    finding = service.check_folders(own)[-1]
    assert finding.state == BROKEN
    assert "HUMANPARSE_CACHE_DIR" in finding.advice


def test_too_little_room_is_told(settings: Settings) -> None:
    finding = service.check_folders(replace(settings, results_bytes=1 << 50))[0]
    assert (finding.state, "HUMANPARSE_RESULTS_DIR" in finding.advice) == (WARN, True)


@pytest.mark.parametrize(
    ("given", "state", "word"),
    [
        ({}, OK, ""),
        ({"host": "0.0.0.0"}, WARN, "HUMANPARSE_RATE_LIMIT,"),
        ({"proxies": 1}, WARN, "HUMANPARSE_RATE_LIMIT,"),
        ({"proxies": 1, "rate_limit": "60/minute", "workers": 1}, OK, ""),
        ({"proxies": 1, "rate_limit": "60/minute", "workers": 4}, WARN, "HUMANPARSE_RATE_LIMIT_URL"),
        ({"rate_limit": "60/minute", "workers": 4, "rate_limit_url": "redis://x"}, OK, ""),
    ],
)
def test_a_service_that_others_reach_without_limits_is_told(
    settings: Settings, given: dict[str, Any], state: str, word: str
) -> None:
    finding = service.check_clients(replace(settings, **given))
    assert finding.state == state
    assert word in finding.advice


def test_redis_is_asked_only_where_it_is_set_and_its_password_is_not_told(settings: Settings) -> None:
    assert service.check_redis(settings) == []
    url = f"redis://:hidden-word@127.0.0.1:{free_port()}/0"
    (finding,) = service.check_redis(replace(settings, broker_url=url))
    assert finding.state == BROKEN
    assert "HUMANPARSE_BROKER_URL" in finding.advice
    assert "hidden-word" not in str(finding)


def test_a_broker_that_may_lose_jobs_is_told(settings: Settings, redis_url: str) -> None:
    own = replace(settings, broker_url=redis_url, cache_url=redis_url)
    with redis.Redis.from_url(redis_url) as client:
        try:
            broker, cache = service.check_redis(own)
            assert (broker.state, "appendonly" in broker.advice) == (WARN, True)
            assert (cache.state, "maxmemory" in cache.advice) == (WARN, True)
            client.config_set("maxmemory-policy", "allkeys-lru")
            assert service.check_redis(own)[0].state == BROKEN
            client.config_set("maxmemory", "100mb")
            assert service.check_redis(own)[1].state == OK
            client.config_set("maxmemory-policy", "volatile-lru")  # what compose.yaml has: cache and jobs in one
            broker, cache = service.check_redis(own)
            assert (broker.state, "throw" in broker.advice, cache.state) == (WARN, False, OK)
            client.config_set("maxmemory-policy", "noeviction")
            cache = service.check_redis(own)[1]
            assert (cache.state, "volatile-lru" in cache.advice) == (WARN, True)
        finally:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", "0")
