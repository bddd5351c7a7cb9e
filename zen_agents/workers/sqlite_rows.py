"""An SQLite database asked where it is: opened to be read alone, its own schema not trusted."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import quote

from zen_agents.datasets.contract import Limits
from zen_agents.datasets.dialects.sqlite import FUNCTIONS, SqliteDialect
from zen_agents.datasets.identifiers import identifier, qualified
from zen_agents.datasets.source import Source
from zen_agents.datasets.sql import Sql, sql
from zen_agents.datasets.table import BackendError, Table

_DAMAGE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
#: What is said of a disk, or who may write there, besides what SQLite says.
_OF_DISK: Final = {
    sqlite3.SQLITE_FULL: "the disk is full on which the database lies, or `spill_dir`",
    sqlite3.SQLITE_IOERR: "the disk of the database fails; the kernel's log says more",
    sqlite3.SQLITE_READONLY: (
        "the account that repairs it (its owner, nobody in the place of root) may not write the file or its directory; "
        "name one that may in `source: {user: ...}`"
    ),
    sqlite3.SQLITE_CANTOPEN: "the database, or a file beside it, cannot be opened or made",
}
_BUSY_SECONDS: Final = 2.0
#: Steps of SQLite's machine between two looks at the clock.
_STEPS: Final = 100_000
_MOST_FOUND, _MOST_SAID = 5, 300


def load_functions() -> None:
    """Load what the functions that we give SQLite load at their first use, while that can still be reached."""
    FUNCTIONS["whole_match"][1]("a+", "a")
    FUNCTIONS["read_moment"][1]("2026", "%Y")


class SqliteRows:
    """A database. `is_still`: nobody writes it, so that it is read without a lock; whoever says so makes sure of it."""

    #: How it is opened, what holds while it is, and what besides SQLite's own words may be called.
    _mode: ClassVar = "ro"
    _settings: ClassVar[Sequence[str]] = ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON")
    _functions: ClassVar = FUNCTIONS

    def __init__(self, path: str, limits: Limits, spill: Path, *, is_still: bool) -> None:
        """Open it; BackendError if that cannot be done."""
        self.dialect = SqliteDialect()
        self._until = time.monotonic() + limits.seconds
        os.environ["SQLITE_TMPDIR"] = str(spill)
        try:
            self._connection = sqlite3.connect(
                f"file:{quote(path)}?mode={self._mode}{'&immutable=1' if is_still else ''}", uri=True,
                timeout=_BUSY_SECONDS, isolation_level=None,
            )  # fmt: skip
        except sqlite3.Error as error:
            raise BackendError(_said(error)) from error
        self._connection.text_factory = lambda text: text.decode("utf-8", "replace")
        self._connection.set_progress_handler(lambda: time.monotonic() > self._until, _STEPS)
        for called, (arguments, function) in self._functions.items():
            self._connection.create_function(called, arguments, function, deterministic=True)
        for setting in (*self._settings, f"cache_size = -{limits.memory_bytes // 4096}"):
            self._execute(f"PRAGMA {setting}")
        self._execute("BEGIN")

    def table(self, source: Source) -> Table:
        """Return the rows of a table or query; BackendError if it is not there, or nothing of the file can be read."""
        relation = Sql((f"({source.query}) AS asked_",)) if source.query else Sql((qualified(source.table),))
        cursor = self._execute(sql("SELECT * FROM {} LIMIT 0", relation).text())
        declared = self._declared(source)
        columns = {str(each[0]): self.dialect.family(declared.get(str(each[0]), "")) for each in cursor.description}
        return Table(relation, columns)

    def damage(self, source: Source) -> str:
        """Return what is broken in the pages and indexes of a table, or of the whole file for a query; "" for nothing."""
        of_table = f"({identifier(source.table.split('.')[-1])})" if self._declared(source) else ""
        try:
            found = [str(text) for (text,) in self.rows(Sql((f"PRAGMA integrity_check{of_table}",)))]
        except BackendError as error:
            if not error.is_damage:
                raise
            return str(error)
        return "" if found == ["ok"] else "; ".join(" ".join(each.split()) for each in found[:_MOST_FOUND])[:_MOST_SAID]

    def copy_to(self, path: Path) -> None:
        """Write all of it, as this one state, to a new file; BackendError if that cannot be done."""
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as copy:
                self._connection.backup(copy)
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _declared(self, source: Source) -> dict[str, str]:
        """Return what a table's columns are declared as; {} for a view or a query."""
        called = source.table.split(".")[-1]
        if (
            not called
            or not self._execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", called).fetchone()
        ):
            return {}
        rows = self._execute("SELECT name, type FROM pragma_table_info(?)", called)
        return {str(column): str(type_) for column, type_ in rows}

    def rows(self, query: Sql) -> Sequence[Sequence[Any]]:
        """Return the rows of one query; BackendError if it cannot be answered."""
        try:
            return self._execute(query.text(), *query.values).fetchall()
        except sqlite3.Error as error:  # the first row is not yet all
            raise self._failure(error) from error

    def stream(self, query: Sql) -> Iterator[Sequence[Any]]:
        """Yield the rows of one query without holding all; BackendError as above."""
        try:
            yield from self._execute(query.text(), *query.values)
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _execute(self, text: str, *values: Any) -> sqlite3.Cursor:
        try:
            return self._connection.execute(text, values)
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def _failure(self, error: sqlite3.Error) -> BackendError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_INTERRUPT:
            return BackendError("it takes longer than `limits.timeout`")
        if code == sqlite3.SQLITE_BUSY:
            return BackendError("somebody writes it for longer than two seconds")
        said = f"{_OF_DISK[code]}: {_said(error)}" if code in _OF_DISK else _said(error)
        return BackendError(said, is_damage=code in _DAMAGE or "no such table" in str(error))

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()


def _said(error: sqlite3.Error) -> str:
    return "".join(each if each.isprintable() else " " for each in str(error))[:_MOST_SAID]
