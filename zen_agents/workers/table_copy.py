"""The rows of a table or query copied to a text file, where they have to be compared with rows of another place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from zen_agents.datasets.contract import ColumnType, Contract
from zen_agents.datasets.source import SourceKind
from zen_agents.datasets.sql import Sql, listed, name, sql, value
from zen_agents.datasets.table import BackendError, Table
from zen_agents.workers.data_files import DataFiles
from zen_agents.workers.lesser_account import NOBODY, account_of
from zen_agents.workers.postgres_rows import PostgresRows, postgres_driver
from zen_agents.workers.secret_file import read_secret
from zen_agents.workers.sqlite_rows import SqliteRows, load_functions

#: Nothing in a text file that has quotes around everything else.
_NOTHING: Final = r"\N"


class TableCopy:
    """A table that is reached: what only whoever started this may read was read when it was made."""

    def __init__(self, contract: Contract) -> None:
        """Raise DataFileError, SecretError, BackendError, AccountError if it cannot be."""
        self._contract, source = contract, contract.source
        self._opened: Callable[[Path], PostgresRows | SqliteRows]
        if source.kind is SourceKind.POSTGRES:
            address, driver = read_secret(source.dsn_file), postgres_driver()
            self.account = account_of(source.user) if source.user else (NOBODY, NOBODY)
            self._opened = lambda _: PostgresRows(driver, address, contract.limits)
            return
        files = DataFiles(source)
        load_functions()
        self.account, path = files.account(), str(Path(files.places[0]).readlink())
        self._opened = lambda spill: SqliteRows(path, contract.limits, spill, is_still=False)

    def written(self, to: Path) -> Mapping[str, ColumnType]:
        """Write all rows; return what its columns hold. BackendError if not all of them can be had."""
        with closing(self._opened(to.parent)) as database, to.open("w", encoding="utf-8", newline="") as out:
            table = database.table(self._contract.source)
            shown = [sql("CAST({} AS text)", name(each)) for each in table.columns]
            out.write(_line([*table.columns]))
            try:
                for row in database.stream(sql("SELECT {} FROM {}", listed(shown), table.relation)):
                    out.write(_line(row))
            except UnicodeEncodeError:
                raise BackendError(f"{self._contract.source.place} has a text that is no UTF-8") from None
        return table.columns


def table_in(path: Path, columns: Sequence[str]) -> Table:
    """Return the rows that were written, all as text."""
    options = sql(
        "all_varchar = true, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = {},"
        " allow_quoted_nulls = false, auto_detect = false, new_line = {}, columns = {}",
        value(_NOTHING), value("\\n"), value(dict.fromkeys(columns, "VARCHAR")),
    )  # fmt: skip
    relation: Sql = sql("read_csv({}, {})", value(str(path)), options)
    return Table(relation, dict.fromkeys(columns, ColumnType.TEXT))


def _line(row: Sequence[Any]) -> str:
    return ",".join(_NOTHING if each is None else '"' + str(each).replace('"', '""') + '"' for each in row) + "\n"
