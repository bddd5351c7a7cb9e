"""`actions.log`: what was meant, done and asked for, one tab-separated line each, for people without Python.

Columns: UTC time, Unix seconds, INTENT|OUTCOME|HUMAN, id, action, target, by, outcome, detail. Control characters are
replaced, so that a line is a line. The ledger is the truth; this is its readable shadow.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from zen_agents.adapters.durable_file import append_line
from zen_agents.clock import Instant

log = logging.getLogger("zen_agents.action_log")

#: At this size the file is moved to `actions.log.1`, whose predecessor goes: bounded, whatever happens (R14).
MOST_BYTES = 10 * 1024 * 1024
_MOST_DETAIL = 500


class ActionLogFile:
    """Appends lines to one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(
        self, at: Instant, kind: str, id: str, *, action: str, target: str, by: str, outcome: str, detail: str
    ) -> None:
        """Append one line; a disk that refuses it is logged and nothing else."""
        columns = (
            f"{at.wall:%Y-%m-%dT%H:%M:%SZ}", str(int(at.wall.timestamp())), kind, id, action, target, by, outcome,
            detail[:_MOST_DETAIL],
        )  # fmt: skip
        line = "\t".join(_one_column(column) for column in columns) + "\n"
        try:
            self._append(line.encode(errors="replace"))
        except OSError as error:
            log.error("actions.log could not be written: %s", error)

    def _append(self, line: bytes) -> None:
        descriptor = append_line(self._path, line)
        try:
            full = os.fstat(descriptor).st_size > MOST_BYTES
        finally:
            os.close(descriptor)
        if full:
            self._path.rename(self._path.with_suffix(".log.1"))


def _one_column(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text) or "-"
