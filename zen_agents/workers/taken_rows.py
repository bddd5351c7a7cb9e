"""Rows that are taken out of a file, a line of JSON each: no spreadsheet takes a value there for a formula."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from zen_agents.workers.duck import Unread


class TakenRows:
    """A new file of them; `count` says how many are in it. Durable once its block has ended."""

    def __init__(self, to: Path, card: Callable[[bytes], Mapping[str, Any]]) -> None:
        """Write to a file; `card` makes of the text of a row what is written of it."""
        self._file, self._card, self.count = to.open("xb"), card, 0

    def row(self, number: int, reason: str, body: bytes) -> None:
        """Take a row, by its text."""
        self._write({"row": number + 1, "reason": reason, **self._card(body)})

    def line(self, unread: Unread, body: bytes) -> None:
        """Take what is no row; bytes that are no text are written by their numbers."""
        text = body.decode("utf-8", "backslashreplace")
        self._write({"line_number": unread.number, "reason": unread.why, "line": text})

    def __enter__(self) -> TakenRows:
        return self

    def __exit__(self, *_: object) -> None:
        with self._file as file:
            file.flush()
            os.fsync(file.fileno())

    def _write(self, card: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(card, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
        self.count += 1
