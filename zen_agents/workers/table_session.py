"""A database whose rows are changed: what a repair asks of it, whichever it is."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

from zen_agents.datasets.dialects.base import Dialect
from zen_agents.datasets.dialects.mending import Mending
from zen_agents.datasets.source import Source
from zen_agents.datasets.sql import Sql
from zen_agents.datasets.table_rewriting import TableRewriting
from zen_agents.datasets.table_shape import TableShape

#: What ends a change that is not done by when it has to be.
LOCKED_TOO_LONG: Final = "rows would be locked for longer than they may, which `limits: {lock: ...}` says"

#: Where a row stands while the transaction lasts, as JSON can say it.
Address = tuple[Any, ...]
#: Values as JSON can say them.
Values = list[Any]


class Changed(NamedTuple):
    """A row that was changed: its name as it is now, and the columns that may change, before and after."""

    name: Values
    before: Values
    after: Values


class TableSession(Protocol):
    """One transaction. Each raises BackendError, in words for people, if the database does not do it."""

    @property
    def dialect(self) -> Dialect: ...

    @property
    def mending(self) -> Mending: ...

    def shape(self, source: Source) -> TableShape:
        """Return what the table is; BackendError for what is no table whose rows can be repaired."""
        ...

    def rows(self, query: Sql) -> Sequence[Sequence[Any]]:
        """Return the rows of one query."""
        ...

    def stream(self, query: Sql) -> Iterator[Sequence[Any]]:
        """Yield them without holding all."""
        ...

    def begin_changing(self, seconds: float) -> None:
        """Go on to change rows, which is over after so long, or has not been."""
        ...

    def plain(self, values: Sequence[Any]) -> Values:
        """Return values of a row, or where it stands, as JSON can say them."""
        ...

    def update(self, rows: TableRewriting, addresses: Iterable[Address]) -> Iterator[Changed]:
        """Repair the cells of the rows that stand there; yield what became of each."""
        ...

    def delete(self, shape: TableShape, rows: Iterable[tuple[Address, str]]) -> Iterator[tuple[str, Values]]:
        """Take rows out; yield what was told of each, and all that is `insertable` of it."""
        ...

    def digest(self, rows: Sequence[Values]) -> Sequence[int]:
        """Return of each (all that is `insertable`) a number of 64 bits that is the same for the same rows."""
        ...

    def digests(self, shape: TableShape) -> Generator[tuple[int, Address], None, None]:
        """Yield the same of each row of the table, and where it stands."""
        ...

    def put_back(
        self, shape: TableShape, cells: Sequence[str], rows: Sequence[Changed], places: Sequence[Address | None] = ()
    ) -> Sequence[bool]:  # fmt: skip
        """Give rows their cells back that nobody has changed since; tell of each whether that was so.

        `places`: where each stands, if they have no key.
        """
        ...

    def insert(self, shape: TableShape, rows: Sequence[Values]) -> Sequence[bool]:
        """Put rows in again that are not there, nor any with their key; tell of each whether that was so."""
        ...

    def are_there(self, shape: TableShape, cells: Sequence[str], rows: Sequence[Changed]) -> Sequence[bool]:
        """Tell of each whether a row of that key holds what it held after, in the cells that were not so before."""
        ...

    def alike(self, shape: TableShape, rows: Sequence[Values]) -> Sequence[int]:
        """Return of each (all that is `insertable`, the key among it) how many rows of the table are the same."""
        ...

    @property
    def mark(self) -> str:
        """Return what names this transaction once it is over, "" if nothing does."""
        ...

    def commit(self) -> None:
        """Make it final; InDoubtError if nobody knows whether it became so."""
        ...

    def close(self) -> None:
        """Let go of it; what was not made final never was."""
        ...


class InDoubtError(Exception):
    """The connection ended while the transaction did; whether it took place is known to the server alone."""
