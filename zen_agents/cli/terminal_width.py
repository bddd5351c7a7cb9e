"""How wide the terminal is: as `shutil.get_terminal_size` says it, without loading all of its archive formats."""

from __future__ import annotations

import os
import sys

_USUAL = 80


def terminal_columns() -> int:
    """Return COLUMNS if that is set, else the columns of the terminal that stdout is, else 80."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or _USUAL  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        return _USUAL  # closed, detached, or no terminal
