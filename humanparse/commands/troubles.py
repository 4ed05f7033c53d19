"""What went wrong, in words for who typed the command."""

from __future__ import annotations


def describe_trouble(error: Exception) -> str:
    """The error's own words; of a file also which one."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} cannot be read or written: {error.strerror}."
    return str(error)
