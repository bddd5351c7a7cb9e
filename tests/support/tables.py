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
from zen_agents.datasets.questions import NotNull, OfType, Question
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


ROWS = [
    ("1", " Ada ", "1.234,50", "31.12.2025"), ("2", "Bolt", "5", "2026-01-02"), ("3", None, "7", "2026-01-03"),
    ("x", "Cogs", "8", "2026-01-04"), ("5", "Dyne", "-3", "2026-02-30"),
]  # fmt: skip
REPAIRS = (
    Repair(K.TRIM), Repair(K.COERCE, ("amount",), form=","), Repair(K.COERCE, ("day",), form="%d.%m.%Y"),
    Repair(K.FILL, ("name",), value="?"), Repair(K.CLAMP, ("amount",), least=0), Repair(K.QUARANTINE_ROWS),
)  # fmt: skip
ASKS = (OfType("id"), OfType("day"), NotNull("name"))


def sqlite_shop(tmp_path: Path) -> SqliteShop:
    """Fill a database in a file that everybody may write."""
    folder = tmp_path / "srv"
    folder.mkdir()
    folder.chmod(0o777)
    made = SqliteShop(folder / "shop.db")
    fill(made)
    made.path.chmod(0o666)
    return made


def postgres_shop(server: Server, tmp_path: Path) -> PostgresShop:
    """Fill a database of a server, whose tables may be repaired by a role that is no superuser."""
    address = tmp_path / "address"
    address.write_text(f"host=127.0.0.1 port={server.port} user=keeper dbname=postgres\n")
    address.chmod(0o600)
    made = PostgresShop(server, address)
    made.run(
        "drop schema if exists public cascade", "create schema public", "grant usage on schema public to public",
        "drop role if exists keeper", "create role keeper login",
    )  # fmt: skip
    fill(made)
    made.run("grant select, insert, update, delete on orders, logs to keeper")
    return made


def fill(shop: Shop) -> None:
    """Make a table of orders with a key, and one of logs without."""
    values = ", ".join("(" + ", ".join("null" if each is None else f"'{each}'" for each in row) + ")" for row in ROWS)
    shop.run(
        "create table orders (id varchar(9) primary key, name text, amount text, day text, stock integer default 1)",
        f"insert into orders (id, name, amount, day) values {values}",
        "create table logs (at text, what text)",
        "insert into logs values ('1', 'a'), ('1', 'a'), (' 1', 'a'), ('2', 'b'), ('2', null), ('2', null)",
    )


def of_orders(shop: Shop, tmp_path: Path, **more: Any) -> Contract:
    """Return the contract of the orders."""
    taken = tmp_path / "taken"
    taken.mkdir(exist_ok=True)
    return table_contract(shop.source("orders"), *REPAIRS, asks=ASKS, quarantine=str(taken), **more)


def held(shop: Shop) -> Sequence[tuple[Any, ...]]:
    """Return the orders."""
    return shop.rows("select id, name, amount, day from orders order by id")
