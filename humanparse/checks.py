"""What settings cannot check themselves, as they know no parsers and recognizers: is what they name there?"""

from __future__ import annotations

from humanparse.config import PREFIX, Settings
from humanparse.errors import ConfigError
from humanparse.parsers import AUTO, PARSERS
from humanparse.recognition import RECOGNIZERS


def read_settings() -> Settings:
    """The settings of the environment, names and all. Raises ConfigError."""
    settings = Settings.from_env()
    check_names(settings)
    return settings


def check_names(settings: Settings) -> None:
    """Raises ConfigError for an unknown parser or recognizer."""
    for name, allowed in (("parser", (AUTO, *PARSERS)), ("recognizer", tuple(RECOGNIZERS))):
        value = getattr(settings, name)
        if value not in allowed:
            key = PREFIX + name.upper()
            raise ConfigError(f"{key} is {value!r}; it must be one of {', '.join(allowed)}.", key=key)
