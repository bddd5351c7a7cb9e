"""Tables of a real PostgreSQL and of SQLite that are repaired in tests, and who else works on them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from tests.support.postgres_here import Server
from zen_agents.datasets.contract import Check, Column, ColumnType, Contract, Limits, Repair, RepairKind, name_of, named
from zen_agents.datasets.questions import Question
from zen_agents.datasets.source import Source, SourceKind

K = RepairKind
TYPED = (Column("id", ColumnType.INTEGER), Column("amount", ColumnType.NUMBER), Column("day", ColumnType.DATE))


class Shop(Protocol):
    """A database with tables."""

    def source(self, table: str) -> Source: ...

    def run(self, *statements: str) -> None:
        """Change it as somebody else."""
        ...

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        """Ask it as somebody else."""
        ...


@dataclass(frozen=True, slots=True)
class SqliteShop:
    """A file."""

    path: Path

    def source(self, table: str) -> Source:
        return Source(SourceKind.SQLITE, str(self.path), table=table)

    def run(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection:
            for each in statements:
                connection.execute(each)
            connection.commit()

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(query).fetchall()


@dataclass(frozen=True, slots=True)
class PostgresShop:
    """A server, as a role that is no superuser; `address` is the file that says how to connect."""

    server: Server
    address: Path

    def source(self, table: str) -> Source:
        return Source(SourceKind.POSTGRES, dsn_file=str(self.address), table=table)

    @property
    def conninfo(self) -> str:
        """How its superuser connects."""
        return f"host=127.0.0.1 port={self.server.port} user=postgres dbname=postgres"

    def run(self, *statements: str) -> None:
        import psycopg  # noqa: PLC0415 - only where it is installed

        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            for each in statements:
                connection.execute(each.encode())

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        import psycopg  # noqa: PLC0415 - as above

        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()


def table_contract(
    source: Source, *repairs: Repair, asks: Sequence[Question] = (), columns: Sequence[Column] = TYPED, **more: Any
) -> Contract:  # fmt: skip
    """Return what is expected of a table, and what may be done to it."""
    checks = named(Check(each, name_of(each)) for each in asks)
    made = Contract("orders", source, tuple(columns), checks, repairs, repair_at_most=1.0, limits=Limits(128 << 20, 1))
    return replace(made, **more)
