"""A table into which somebody imported rows that are not as the application writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.postgres import PROGRAMS, asked, asking, start_postgres
from chaos.workload import program, struck

_FOLDER: Final = "/srv/shop"
_FILE: Final = f"{_FOLDER}/shop.db"
_RIGHT: Final = "name = 'order ' || id AND amount = id || '.50'"


@dataclass(frozen=True, slots=True)
class BadImport(Fault):
    """An import writes blanks around names and commas into numbers of some orders, and adds rows that are no orders.

    Gone means: every order is as the application wrote it, and no other row is there.
    """

    name = "bad_import"
    programs = PROGRAMS

    database: Literal["postgres", "sqlite"] = "postgres"
    port: int = 5499
    rows: int = 500
    #: Of so many orders one is spoiled; so many rows are added.
    every: int = 50
    added: int = 5
    quarantine: str = "/srv/quarantine"

    def prepare(self, host: DisposableHost) -> None:
        host.run(["mkdir", "-p", _FOLDER, self.quarantine], check=True)
        if self.database == "postgres":
            start_postgres(host, self.port)
            host.write_file(f"{_FOLDER}/address", f"host=127.0.0.1 port={self.port} user=keeper dbname=postgres\n")
            host.run(["chmod", "0600", f"{_FOLDER}/address"], check=True)
        orders = ", ".join(f"({number}, 'order {number}', '{number}.50')" for number in range(1, self.rows + 1))
        self._does(host, "CREATE TABLE orders (id integer PRIMARY KEY, name text, amount text)")
        self._does(host, f"INSERT INTO orders VALUES {orders}")  # noqa: S608 - numbers
        if self.database == "postgres":
            self._does(host, "CREATE ROLE keeper LOGIN")
            self._does(host, "GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO keeper")
        else:
            host.run(["chown", "-R", "nobody", _FOLDER], check=True)

    def inject(self, host: DisposableHost) -> float:
        added = ", ".join(f"({self.rows + number}, 'total', 'n/a')" for number in range(1, self.added + 1))
        spoil = f"UPDATE orders SET name = '  ' || name, amount = replace(amount, '.', ',') WHERE id % {self.every} = 0"  # noqa: S608 - numbers
        # In one transaction, so that no repair sees half of it.
        return struck(host, ("run", *self._asking(spoil, f"INSERT INTO orders VALUES {added}")))  # noqa: S608 - numbers

    def is_gone(self, host: DisposableHost) -> bool:
        return self._count(host, _RIGHT) == self.rows == self._count(host, "true")

    def traces(self) -> Sequence[str]:
        return (f"file {_FILE}", f"file {_FILE}-journal", f"file {_FOLDER}")

    def harm(self, host: DisposableHost) -> Sequence[str]:
        kept = len(host.run(["sh", "-c", f"cat {self.quarantine}/* 2>/dev/null"]).stdout.splitlines())
        lost = self.rows + self.added - self._count(host, "true") - kept
        return [f"{lost} rows are neither there nor in the quarantine"] if lost > 0 else []

    def _count(self, host: DisposableHost, condition: str) -> int:
        query = f"SELECT count(*) FROM orders WHERE {condition}"  # noqa: S608 - conditions of ours
        if self.database == "postgres":
            return int(asked(host, self.port, "postgres", query) or -1)
        return int(host.run(self._asking(query)).stdout or -1)

    def _does(self, host: DisposableHost, statement: str) -> None:
        host.run(self._asking(statement), check=True)

    def _asking(self, *statements: str) -> list[str]:
        if self.database == "postgres":
            return asking(self.port, "postgres", "; ".join(statements))
        return [*program("shop.py"), _FILE, *statements]
