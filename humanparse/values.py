"""Plain values out of what a query, a form or JSON says; each refusal names the option and what is allowed."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from humanparse.errors import InvalidOption

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

TRUE: Final = ("1", "true", "yes", "on")
FALSE: Final = ("0", "false", "no", "off")


def check_names(given: Iterable[str], allowed: Sequence[str]) -> None:
    """Raises InvalidOption for a name that is no option."""
    unknown = sorted(set(given) - set(allowed))
    if unknown:
        message = f"There is no option {unknown[0]!r}; there are {', '.join(allowed)}."
        raise InvalidOption(message, allowed=list(allowed))


def read_choice(name: str, value: object, allowed: Sequence[str]) -> str:
    """One of `allowed`. Raises InvalidOption."""
    if not isinstance(value, str) or value not in allowed:
        message = f"{name} is {value!r}; it must be one of {', '.join(allowed)}."
        raise InvalidOption(message, option=name, allowed=list(allowed))
    return value


def read_flag(name: str, value: object) -> bool:
    """True or false, in the usual words. Raises InvalidOption."""
    text = str(value).lower()
    if text not in TRUE + FALSE:
        raise InvalidOption(f"{name} is {value!r}; it must be true or false.", option=name, allowed=[True, False])
    return text in TRUE


def read_number(name: str, value: object, low: float, high: float, whole: bool = False) -> float:
    """A number from `low` to `high`, a whole one where that is asked for. Raises InvalidOption."""
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    try:
        number = float(value) if plain or (isinstance(value, str) and value.isascii()) else math.nan  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        number = math.nan
    if not low <= number <= high or (whole and number != int(number)):
        kind = "a whole number" if whole else "a number"
        message = f"{name} is {value!r}; it must be {kind} from {low:g} to {high:g}."
        raise InvalidOption(message, option=name, allowed=[low, high])
    return number


def not_default(options: DataclassInstance, besides: Collection[str] = ()) -> dict[str, Any]:
    """The fields whose value is not their default, by name, but for those in `besides`; sets as sorted lists."""
    told = [item for item in fields(options) if item.name not in besides]
    given = {item.name: (getattr(options, item.name), item.default) for item in told}
    return {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, (value, default) in given.items()
        if value != default
    }
