"""What sources of advisories answered, kept with its age: asked again only when it is too old."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from zen_agents.dataclass import dataclass

_FILE: Final = "advisories.db"
#: What is older is of use to nobody.
_KEPT: Final = timedelta(days=90)
_BUSY_SECONDS: Final = 5.0
_TABLE: Final = """CREATE TABLE IF NOT EXISTS kept (
    source TEXT NOT NULL, key TEXT NOT NULL, at REAL NOT NULL, content BLOB NOT NULL, PRIMARY KEY (source, key)
) WITHOUT ROWID"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a source answered, and when."""

    content: bytes
    at: datetime


class AdvisoryCache:
    """A file of answers. It never raises: what cannot be read was not kept, and what cannot be written is asked again."""

    def __init__(self, directory: Path | None, now: datetime) -> None:
        """Keep answers in a directory; None keeps nothing."""
        self._now = now
        #: Why nothing is kept though it should be, "" if all is well.
        self.problem = ""
        self._database = self._opened(directory) if directory is not None else None

    def get(self, source: str, key: str) -> Kept | None:
        """Return what was kept under a key."""
        row = self._run("SELECT content, at FROM kept WHERE source = ? AND key = ?", [(source, key)])
        return Kept(bytes(row[0]), datetime.fromtimestamp(row[1], UTC)) if row else None

    def put(self, source: str, contents: Iterable[tuple[str, bytes]]) -> None:
        """Keep what was answered just now."""
        rows = [(source, key, self._now.timestamp(), content) for key, content in contents]
        self._run("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", rows, writes=True)

    def close(self) -> None:
        """Let go of the file."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def _run(
        self, statement: str, rows: Sequence[tuple[object, ...]], *, writes: bool = False
    ) -> tuple[bytes, float] | None:
        if self._database is None or not rows:
            return None
        try:
            if not writes:
                found: tuple[bytes, float] | None = self._database.execute(statement, rows[0]).fetchone()
                return found
            with self._database:
                self._database.executemany(statement, rows)
        except sqlite3.Error as error:
            self.problem = f"answers are not kept: {error}"
            self.close()
        return None

    def _opened(self, directory: Path) -> sqlite3.Connection | None:
        path = directory / _FILE
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = directory.stat()
            if found.st_uid not in (0, os.geteuid()) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                self.problem = f"answers are not kept: others may write {directory}"
                return None
            try:
                return self._table(path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                # It holds nothing that cannot be asked again.
                path.unlink()
                return self._table(path)
        except (OSError, sqlite3.Error) as error:
            self.problem = f"answers are not kept: {directory}: {getattr(error, 'strerror', None) or error}"
            return None

    def _table(self, path: Path) -> sqlite3.Connection:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        database = sqlite3.connect(path, timeout=_BUSY_SECONDS)
        try:
            with database:
                database.execute(_TABLE)
                database.execute("DELETE FROM kept WHERE at < ?", [(self._now - _KEPT).timestamp()])
        except sqlite3.Error:
            database.close()
            raise
        return database
