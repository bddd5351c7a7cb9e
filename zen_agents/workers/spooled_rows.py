"""Rows by where they stand, in a file: however many a repair is about, memory holds few of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from zen_agents.workers.table_session import Address


class SpooledRows:
    """Addresses, each with what is to be known of it; they are read once all were added."""

    def __init__(self, path: Path | None) -> None:
        """Write to a new file; None: they are only counted."""
        self._file = path.open("x+", encoding="utf-8") if path is not None else None
        self.count = 0

    def add(self, address: Address, told: str = "") -> None:
        """Add one, as JSON can say it."""
        self.count += 1
        if self._file is not None:
            self._file.write(json.dumps([told, *address]) + "\n")

    def __iter__(self) -> Iterator[tuple[Address, str]]:
        """Yield all of them, in the order in which they came; none where they were only counted."""
        if self._file is not None:
            self._file.seek(0)
            for line in self._file:
                told, *address = json.loads(line)
                yield tuple(address), told
