"""What is said of one code that settings can report."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """One code's page, as `zen-agents explain CODE` prints it."""

    what: str
    why: str
    fix: str
    #: A piece of configuration (or the environment) that has this fault.
    example: str
