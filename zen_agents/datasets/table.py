"""The rows that a question is asked of: what stands behind FROM, what the source itself says of their columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, Protocol

from zen_agents.dataclass import dataclass
from zen_agents.datasets.contract import ColumnType
from zen_agents.datasets.dialects.base import Dialect
from zen_agents.datasets.sql import Sql


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a data set in one database (DuckDB, for files)."""

    #: A table, or a function that reads files; may have an alias behind it.
    relation: Sql
    #: Every column as it is called there, and what it holds by its own type; text files hold text.
    columns: Mapping[str, ColumnType]
    #: Whether reading few columns costs less than reading all, so that keys are grouped by a query of their own.
    is_columnar: bool = False
    #: Whether reading the rows at all is what costs (text), so that keys are grouped from facts that one pass keeps.
    keeps_facts: bool = False
    #: Number of a row from 1 in the order of the source, for a query of the relation; None: rows have no order.
    number: Sql | None = None
    #: The file that a row is in; None where there is but one.
    file: Sql | None = None
    #: The same of one of several files, by what `file` says.
    of_file: Callable[[str], Table] | None = None
    #: Every file, by what `file` says of it, as people know it; {} for databases.
    files: Mapping[str, str] = field(default_factory=dict)
    #: When the newest file was written last (seconds since the epoch), None for databases.
    modified_at: float | None = None
    #: What is broken although the rows can be read; "" if nothing was found.
    damage: str = ""


class Backend(Protocol):
    """A database that was reached."""

    @property
    def dialect(self) -> Dialect:
        """Return how it is spoken to."""
        ...

    def rows(self, query: Sql) -> Sequence[Sequence[Any]]:
        """Return the rows of one query; BackendError, in words for people, if it cannot be answered."""
        ...


class BackendError(Exception):
    """The database did not answer; the message says why, in one line."""

    def __init__(self, message: str, *, is_damage: bool = False) -> None:
        super().__init__(message)
        #: Whether what is wrong is the data itself, and not that nobody could look.
        self.is_damage = is_damage
