"""Checks a data set that is a table or a query of a database: every question is asked there, no row is copied."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from zen_agents.datasets.asking import Surroundings
from zen_agents.datasets.checking import Told, check, unreadable
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.finding import Report
from zen_agents.datasets.questions import Readable
from zen_agents.datasets.scope import Scope
from zen_agents.datasets.source import Source, SourceKind
from zen_agents.datasets.table import BackendError, Table
from zen_agents.workers.data_files import DataFiles
from zen_agents.workers.lesser_account import NOBODY, account_of, give_root_up
from zen_agents.workers.postgres_rows import PostgresRows, postgres_driver
from zen_agents.workers.secret_file import SecretError, read_secret
from zen_agents.workers.sqlite_rows import SqliteRows, load_functions

_Database = PostgresRows | SqliteRows
_Open = Callable[[], _Database]
#: What stands beside a database that somebody writes, or has written and not ended.
_BESIDE: Final = ("-wal", "-journal")


def look_at_database(
    contract: Contract, others: Mapping[str, Contract], around: Surroundings, spill: Path, told: Told
) -> Report:
    """Give root up, and check; DataFileError, AccountError as for files."""
    look = _Look(contract, others, around, told)
    if contract.source.kind is SourceKind.POSTGRES:
        try:
            address, driver = read_secret(contract.source.dsn_file), postgres_driver()
        except (SecretError, BackendError) as error:
            return unreadable(contract, str(error), around.now, is_damage=False)
        give_root_up(account_of(contract.source.user) if contract.source.user else (NOBODY, NOBODY), spill)
        return look.report(lambda: PostgresRows(driver, address, contract.limits))
    return _of_file(look, SqliteFile(contract, spill))


class SqliteFile:
    """The file of an SQLite database, opened before root was given up, and only that file."""

    def __init__(self, contract: Contract, spill: Path) -> None:
        """Open it and give root up; DataFileError, AccountError as for files."""
        files = DataFiles(contract.source)
        load_functions()
        self._files, self._contract, self._spill = files, contract, spill
        (self._place,) = files.places
        self._path = str(Path(self._place).readlink())
        #: Whether nothing lies beside it that says that somebody writes it.
        self.is_still = not any(Path(self._path + each).exists() for each in _BESIDE)
        give_root_up(files.account(), spill)

    def opened(self, *, is_still: bool) -> SqliteRows:
        """Return it as a database; BackendError if another file has its name by now."""
        found = SqliteRows(self._path, self._contract.limits, self._spill, is_still=is_still)
        if not Path(self._path).samefile(self._place):
            found.close()
            raise BackendError(f"{self._path} was replaced while it was opened")
        return found

    def state(self) -> tuple[int, int]:
        """Return what changes when it is written."""
        found = Path(self._place).stat()
        return found.st_size, found.st_mtime_ns


def _of_file(look: _Look, file: SqliteFile) -> Report:
    """Read it without a lock where nobody writes; if somebody did meanwhile, once more as one of those who use it."""
    before = file.state()
    if file.is_still:
        report = look.report(lambda: file.opened(is_still=True))
        if file.state() == before:
            return report
    return look.report(lambda: file.opened(is_still=False))


class _Look:
    """A contract, and what its questions need besides."""

    def __init__(self, contract: Contract, others: Mapping[str, Contract], around: Surroundings, told: Told) -> None:
        self._contract, self._others, self._around, self._told = contract, others, around, told

    def report(self, opened: _Open) -> Report:
        """Return what came of asking a database."""
        began = time.monotonic()
        try:
            with self._connected(opened) as database:
                report = self._checked(database)
        except BackendError as error:
            report = unreadable(self._contract, str(error), self._around.now, is_damage=error.is_damage)
        return replace(report, seconds=time.monotonic() - began)

    @contextmanager
    def _connected(self, opened: _Open) -> Iterator[_Database]:
        self._told("the database", 0, len(self._contract.checks) + 1, 1)
        with closing(opened()) as database:
            yield database

    def _checked(self, database: _Database) -> Report:
        damage = ""
        if isinstance(database, SqliteRows) and any(isinstance(each.asks, Readable) for each in self._contract.checks):
            damage = database.damage(self._contract.source)
        table = replace(database.table(self._contract.source), damage=damage)
        others = {name: self._scope(other, database) for name, other in self._others.items()}
        return check(self._contract, table, database, replace(self._around, others=others), self._told)

    def _scope(self, other: Contract, database: _Database) -> Scope | str:
        if _place(other.source) != _place(self._contract.source):
            return f"{other.name} is not in the same database, and keys are compared within one"
        try:
            table: Table = database.table(other.source)
        except BackendError as error:
            return str(error)
        return Scope(other, table, database.dialect)


def _place(source: Source) -> tuple[SourceKind, str, str]:
    return source.kind, source.path, source.dsn_file
