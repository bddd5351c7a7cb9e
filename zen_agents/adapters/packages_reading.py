"""What inventories read: whole files of bounded size, or a problem that says why not."""

from __future__ import annotations

import os
from pathlib import Path

from zen_agents.adapters.linux_view_reading import read_regular_file
from zen_agents.errors import HostError
from zen_agents.model.units import size_in_words
from zen_agents.packages.package import Problem


class UnreadableError(HostError):
    """A file that says what is installed could not be read; the inventory is not complete."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def text_of(path: Path, most_bytes: int, *, errors: str = "strict") -> str:
    """Return a file's text; links are followed, since that is how uv installs.

    Raises UnreadableError if it is not there, no regular file, may not be read, is larger, or no UTF-8.
    """
    try:
        read = read_regular_file(os.path.realpath(path), limit=most_bytes + 1)
    except HostError as error:
        cause = error.__cause__
        why = f"cannot be read: {cause.strerror}" if isinstance(cause, OSError) else "is no regular file, and is not read"
        raise UnreadableError(Problem(str(path), why)) from error
    if read is None:
        raise UnreadableError(Problem(str(path), "is not there"))
    if len(read[0]) > most_bytes:
        raise UnreadableError(Problem(str(path), f"is larger than {size_in_words(most_bytes)}, and is not read"))
    try:
        return read[0].decode("utf-8", errors)
    except UnicodeDecodeError as error:
        line = read[0].count(b"\n", 0, error.start) + 1
        raise UnreadableError(Problem(str(path), "is no UTF-8 text", line)) from error
