"""What only other rooms and libraries can say of the settings."""

from __future__ import annotations

import pytest

from humanparse.checks import check_settings, read_settings
from humanparse.config import Settings
from humanparse.errors import ConfigError
from humanparse.parsers import PARSERS
from humanparse.recognition import RECOGNIZERS


def test_names_that_are_there_pass() -> None:
    for name in ("auto", *PARSERS):
        check_settings(Settings(parser=name))
    for name in RECOGNIZERS:
        check_settings(Settings(recognizer=name))


@pytest.mark.parametrize("key", ["HUMANPARSE_PARSER", "HUMANPARSE_RECOGNIZER"])
def test_an_unknown_name_is_told_with_those_there_are(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(key, "magic")
    with pytest.raises(ConfigError, match=f"{key} is 'magic'; it must be one of"):
        read_settings()


@pytest.mark.parametrize("limit", ["often", "60", "60/fortnight"])
def test_a_rate_limit_that_is_none_is_told(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUMANPARSE_RATE_LIMIT", limit)
    with pytest.raises(ConfigError, match=f"HUMANPARSE_RATE_LIMIT is '{limit}'; it must be like '60/minute'"):
        read_settings()


@pytest.mark.parametrize("limit", ["60/minute", "10/second;1000/day"])
def test_rate_limits_as_the_settings_show_them_pass(limit: str) -> None:
    check_settings(Settings(rate_limit=limit))
