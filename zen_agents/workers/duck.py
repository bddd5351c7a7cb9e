"""DuckDB as it is used here: it reads what it was given, writes to its spill directory, and nobody can change that."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

# The core of the library `duckdb`: the rest, which builds queries, takes twice as long to load and is not used (ADR 63).
import _duckdb as duckdb

from zen_agents.dataclass import dataclass
from zen_agents.datasets.contract import Limits
from zen_agents.datasets.dialects.duck import DuckDialect
from zen_agents.datasets.sql import Sql, sql, value
from zen_agents.datasets.table import BackendError

#: What is wrong with the data, not with the way to it.
_DAMAGE = (duckdb.InvalidInputException, duckdb.IOException, duckdb.ConversionException, duckdb.SerializationException)
_MOST_SAID = 300
#: Behind this comes a row as it stands in the file; what else is of use begins with one of those.
_ROW = "Original Line:"
_WHY = (
    "Maximum line size", "Expected Number of Columns", "Invalid unicode", "Value with unterminated quote", "The CSV Parser",
    "It was not possible", "Duplicate name", "Malformed JSON",
)  # fmt: skip
_QUOTED = re.compile(r"(['\"]).*?\1")
#: Lines that are no rows beyond this mean that nobody knows what the file is.
MOST_UNREAD = 100_000


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that is no row."""

    number: int
    #: Where it begins (bytes, unpacked).
    offset: int
    text: str
    why: str


#: How it says that a line fits into none of its buffers.
_TOO_LONG: Final = "does not support a full read on this file"


class Duck:
    """A database in memory, closed to everything but the files that were named (R29)."""

    def __init__(self, limits: Limits, spill: Path, readable: Sequence[str]) -> None:
        self.dialect = DuckDialect()
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": f"{limits.memory_bytes}B", "threads": limits.threads, "temp_directory": str(spill),
                "max_temp_directory_size": f"{limits.spill_bytes}B", "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false", "allow_community_extensions": "false",
                "allow_persistent_secrets": "false", "python_enable_replacements": "false",
            },
        )  # fmt: skip
        for statement, given in (
            ("SET enable_progress_bar = true", None),
            ("SET enable_progress_bar_print = false", None),
            ("SET TimeZone = 'UTC'", None),
            ("SET allowed_paths = ?", [list(readable)]),
            ("SET enable_external_access = false", None),
            ("SET lock_configuration = true", None),
        ):
            self._connection.execute(statement, given)

    def rows(self, query: Sql) -> Sequence[Sequence[Any]]:
        """Return the rows of one query; BackendError if it cannot be answered."""
        try:
            return self._connection.execute(query.text(), query.values).fetchall()
        except duckdb.OutOfMemoryException as error:
            raise BackendError(
                f"it needs more memory than `limits.memory` and `limits.spill` give it: {_said(error)}"
            ) from error
        except duckdb.Error as error:
            if type(error) is duckdb.Error:  # what breaks where the parts of a Parquet file are described has no class
                raise BackendError(f"it is damaged: {_said(error).rstrip(' :')}", is_damage=True) from error
            if _TOO_LONG in str(error):
                raise BackendError(
                    "a line is longer than can be read at once: its end is missing, or it is another kind of file",
                    is_damage=True,
                ) from error
            raise BackendError(_said(error), is_damage=isinstance(error, _DAMAGE)) from error

    def keep(self, table: str, query: Sql) -> None:
        """Keep the rows of a query, in their order, as a table of this program's own name."""
        self.rows(sql(f"CREATE TABLE {table} AS {{}}", query))

    def write(self, query: Sql, to: str) -> int:
        """Write the rows of a query to a file that may be opened, `to` being the end of a COPY; return how many."""
        return int(self.rows(sql(f"COPY ({{}}) TO {to}", query))[0][0])

    def unread(self) -> tuple[Unread, ...]:
        """Return which lines are no rows, as the one query so far that stores them has found."""
        found = self.rows(
            sql(
                "SELECT line, min(line_byte_position), any_value(csv_line), string_agg(DISTINCT error_type, ', ')"
                " FROM reject_errors GROUP BY line ORDER BY 2 LIMIT {}",
                value(MOST_UNREAD + 1),
            )
        )
        if len(found) > MOST_UNREAD:
            raise BackendError(
                f"more than {MOST_UNREAD:,} lines are no rows; this may be another kind of file", is_damage=True
            )
        return tuple(_unread(*each) for each in found)

    def share_done(self) -> float:
        """Return how much of the query is done that another thread has begun, from 0 to 1."""
        return max(0.0, min(1.0, self._connection.query_progress() / 100))

    def interrupt(self) -> None:
        """End the query that another thread has begun."""
        self._connection.interrupt()

    def close(self) -> None:
        """Let go of all of it."""
        self._connection.close()


def _unread(line: int, position: int, text: str | None, why: str) -> Unread:
    """Return a line that was rejected; its position may be that of ends of lines before it."""
    said = text or ""
    bare = said.lstrip("\r\n")
    return Unread(int(line), int(position) - 1 + len(said) - len(bare), bare.rstrip("\r\n"), str(why).lower())


def _said(error: duckdb.Error) -> str:
    """Return what is wrong, and nothing of what stands in the rows: reasons are kept and sent, rows are not."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    why = next((line for line in lines[1:] if line.startswith(_WHY)), "")
    words = "; ".join(filter(None, (lines[0].partition(_ROW)[0].strip(), why)))
    told = _QUOTED.sub(r"\1...\1", words) if isinstance(error, duckdb.ConversionException) else words
    return "".join(each if each.isprintable() else " " for each in told)[:_MOST_SAID]
