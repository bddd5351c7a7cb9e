"""What stands in a cell of a row, for people."""

from __future__ import annotations


def visible(text: str | None) -> str | None:
    """Return a cell as it can be told from others by eye: in quotes where it is empty, or has a blank at one of its ends."""
    return text if text is None or (text and text == text.strip()) else f"'{text}'"
