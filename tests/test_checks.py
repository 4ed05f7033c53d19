"""Names in the settings that only other rooms know."""

from __future__ import annotations

import pytest

from humanparse.checks import check_names, read_settings
from humanparse.config import Settings
from humanparse.errors import ConfigError
from humanparse.parsers import PARSERS
from humanparse.recognition import RECOGNIZERS


def test_names_that_are_there_pass() -> None:
    for name in ("auto", *PARSERS):
        check_names(Settings(parser=name))
    for name in RECOGNIZERS:
        check_names(Settings(recognizer=name))


@pytest.mark.parametrize("key", ["HUMANPARSE_PARSER", "HUMANPARSE_RECOGNIZER"])
def test_an_unknown_name_is_told_with_those_there_are(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(key, "magic")
    with pytest.raises(ConfigError, match=f"{key} is 'magic'; it must be one of"):
        read_settings()
