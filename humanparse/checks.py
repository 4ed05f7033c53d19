"""What settings cannot check themselves, since they know no other room and no library: is what they say sound?"""

from __future__ import annotations

from humanparse.config import PREFIX, Settings
from humanparse.errors import ConfigError
from humanparse.parsers import AUTO, PARSERS
from humanparse.recognition import RECOGNIZERS


def read_settings() -> Settings:
    """The settings of the environment, checked whole. Raises ConfigError."""
    settings = Settings.from_env()
    check_settings(settings)
    return settings


def check_settings(settings: Settings) -> None:
    """Raises ConfigError for an unknown parser or recognizer, and for a rate limit that is none."""
    for name, allowed in (("parser", (AUTO, *PARSERS)), ("recognizer", tuple(RECOGNIZERS))):
        value = getattr(settings, name)
        if value not in allowed:
            key = PREFIX + name.upper()
            raise ConfigError(f"{key} is {value!r}; it must be one of {', '.join(allowed)}.", key=key)
    if settings.rate_limit:
        _check_rate_limit(settings.rate_limit)


def _check_rate_limit(text: str) -> None:
    from limits import parse_many  # only where there is a limit

    try:
        parse_many(text)
    except ValueError as exc:
        key = f"{PREFIX}RATE_LIMIT"
        message = f"{key} is {text!r}; it must be like '60/minute' or '10/second;1000/day'."
        raise ConfigError(message, key=key, value=text) from exc
