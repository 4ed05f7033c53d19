"""Settings: read from the environment, refused with key, value and what is allowed."""

import pickle
from dataclasses import fields
from pathlib import Path

import pytest

from humanparse.config import Settings, describe_settings
from humanparse.errors import ConfigError


def test_nothing_set_gives_the_defaults() -> None:
    assert Settings.from_env({"PATH": "/bin"}) == Settings()


def test_values_are_converted_to_the_type_of_the_default() -> None:
    settings = Settings.from_env(
        {"HUMANPARSE_PORT": "8080", "HUMANPARSE_ALPHA": "0.25", "HUMANPARSE_RESULTS_DIR": "/tmp/r"}
    )
    assert (settings.port, settings.alpha, settings.results_dir) == (8080, 0.25, Path("/tmp/r"))


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("HUMANPARSE_PORT", "http", "a whole number"),
        ("HUMANPARSE_PORT", "0", "between 1 and 65535"),
        ("HUMANPARSE_ALPHA", "nan", "between 0.0 and 1.0"),
        ("HUMANPARSE_ALPHA", "1.1", "between 0.0 and 1.0"),
        ("HUMANPARSE_QUEUE_LENGTH", "1.5", "a whole number"),
        ("HUMANPARSE_LOG_LEVEL", "LOUD", "one of DEBUG, INFO, WARNING, ERROR"),
    ],
)
def test_a_bad_value_names_key_value_and_what_is_allowed(key: str, value: str, allowed: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.from_env({key: value})
    assert key in caught.value.message
    assert value in caught.value.message
    assert allowed in caught.value.message


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(ConfigError, match="HUMANPARSE_ALHPA is not a setting"):
        Settings.from_env({"HUMANPARSE_ALHPA": "0.5"})


def test_what_was_meant_is_told_or_where_all_stand() -> None:
    with pytest.raises(ConfigError, match=r"there are HUMANPARSE_PORT, .*docs/settings\.md"):
        Settings.from_env({"HUMANPARSE_PROT": "80"})
    with pytest.raises(ConfigError, match=r"HUMANPARSE_ALPHA, .*HUMANPARSE_WORKERS\.$"):
        Settings.from_env({"HUMANPARSE_" + "Q" * 40: "80"})


@pytest.mark.parametrize("key", ["HUMANPARSE_BROKER_URL", "HUMANPARSE_CACHE_URL", "HUMANPARSE_RATE_LIMIT_URL"])
def test_an_address_of_redis_is_one_and_is_not_repeated(key: str) -> None:
    for good in ("", "redis://localhost", "rediss://:secret@redis.example:6380/2"):
        Settings.from_env({key: good})
    for bad in ("secret", "localhost:6379", "http://secret/", "redis://:secret@host:port/0"):
        with pytest.raises(ConfigError, match=f"{key} must be like redis://") as caught:
            Settings.from_env({key: bad})
        assert "secret" not in caught.value.message


def test_settings_are_frozen_and_pickle() -> None:
    settings = Settings(port=81)
    assert pickle.loads(pickle.dumps(settings)) == settings
    with pytest.raises(AttributeError):
        settings.port = 82  # type: ignore[misc]


def test_secrets_are_not_shown() -> None:
    settings = Settings(callback_secret="hidden", broker_url="redis://:hidden@host/0")
    assert "hidden" not in repr(settings)


def test_every_setting_is_described_and_the_docs_have_the_row() -> None:
    rows = describe_settings()
    assert len(rows) == len(fields(Settings))
    text = (Path(__file__).parent.parent / "docs" / "settings.md").read_text()
    for key, default, help_line in rows:
        assert f"| `{key}` | `{default}` | {help_line} |" in text
