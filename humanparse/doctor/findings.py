"""What the doctor finds, one thing at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

OK: Final = "ok"
WARN: Final = "warn"  # it works, but not as well as it could
BROKEN: Final = "broken"  # the service cannot do what it is set to do


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: its state, what is so in a sentence, what to do about it, the facts."""

    name: str
    state: str
    says: str
    advice: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def size(count: float) -> str:
    """Bytes for people: 1.5 GB."""
    for unit, bytes in (("GB", 1e9), ("MB", 1e6)):
        if count >= bytes:
            return f"{count / bytes:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"
