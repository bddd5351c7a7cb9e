"""Where rows of a table stand that have no key: one pass over it, however many are looked for."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from zen_agents.workers.table_session import Address

_CACHE_KIB: Final = 16 * 1024
_MADE: Final = (
    "PRAGMA journal_mode = OFF", f"PRAGMA cache_size = -{_CACHE_KIB}", "CREATE TABLE wanted (digest INTEGER PRIMARY KEY)",
    "CREATE TABLE there (digest INTEGER, at INTEGER, address TEXT, PRIMARY KEY (digest, at)) WITHOUT ROWID", "BEGIN",
)  # fmt: skip


class RowPlaces:
    """The places of rows by a digest of what they hold, in a file without a name: memory holds few of them.

    To look for each row by reading the table takes time with the square of their number.
    """

    def __init__(self, spill: Path) -> None:
        os.environ["SQLITE_TMPDIR"] = str(spill)
        self._file = sqlite3.connect("", isolation_level=None)
        for each in _MADE:
            self._file.execute(each)
        self._count = 0

    def want(self, digests: Iterable[int]) -> None:
        """Have rows of these digests looked for."""
        self._file.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", ((each,) for each in digests))

    def note(self, rows: Iterable[tuple[int, Address]]) -> None:
        """Note where rows stand, of all that there are, which are wanted."""
        execute = self._file.execute
        for digest, address in rows:
            if execute("SELECT 1 FROM wanted WHERE digest = ?", (digest,)).fetchone():
                self._count += 1
                execute("INSERT INTO there VALUES (?, ?, ?)", (digest, self._count, json.dumps(address)))

    def take(self, digest: int) -> Address | None:
        """Return where such a row stands that was not told yet; None if there is none left."""
        query = "SELECT at, address FROM there WHERE digest = ? ORDER BY at LIMIT 1"
        found = self._file.execute(query, (digest,)).fetchone()
        if found is None:
            return None
        self._file.execute("DELETE FROM there WHERE digest = ? AND at = ?", (digest, found[0]))
        return tuple(json.loads(found[1]))

    def count(self, digest: int) -> int:
        """Return how many such rows there are that were not told yet."""
        return int(self._file.execute("SELECT count(*) FROM there WHERE digest = ?", (digest,)).fetchone()[0])

    def close(self) -> None:
        """Let go of the file, which is gone then."""
        self._file.close()
