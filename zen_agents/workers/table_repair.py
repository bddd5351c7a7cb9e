"""Repairs a table where it is: `python -m zen_agents.workers.table_repair`, see `jobs.table_repair` for what is said.

What it has to read it opens first, then root is given up, and only then is a database reached. Whatever ends it before it
was told to make the transaction final, the end of its input among that, leaves the rows as they were.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from typing import BinaryIO, Final

from zen_agents.datasets.contract import Contract
from zen_agents.datasets.dialects.base import UnsaidError
from zen_agents.datasets.dialects.sqlite_mending import MENDING_FUNCTIONS
from zen_agents.datasets.plain import contract_from_plain
from zen_agents.datasets.repairs import UnrepairableError, repairs_rows
from zen_agents.datasets.source import SourceKind
from zen_agents.datasets.table import BackendError
from zen_agents.jobs.table_repair import COMMIT, TableReady, TableReply, TableRequest
from zen_agents.workers.answering import answered
from zen_agents.workers.data_files import DataFileError, DataFiles
from zen_agents.workers.lesser_account import NOBODY, AccountError, account_of, give_root_up
from zen_agents.workers.postgres_rows import postgres_driver
from zen_agents.workers.postgres_table import PostgresTable
from zen_agents.workers.secret_file import SecretError, read_secret
from zen_agents.workers.sqlite_rows import load_functions
from zen_agents.workers.sqlite_table import SqliteTable
from zen_agents.workers.table_return import TableReturn
from zen_agents.workers.table_run import StaleRowsError, TableRun
from zen_agents.workers.table_session import InDoubtError

_Session = PostgresTable | SqliteTable
_Open = Callable[[], _Session]
#: A server that went away is looked for so long, to be asked what became of the transaction (seconds).
_BACK_WITHIN: Final = 15.0
_ASK_AGAIN: Final = 0.5


def answer(request: TableRequest) -> TableReply:
    """Do what is asked; MalformedDatasetError for what is no contract."""
    contract = contract_from_plain(request.contract)
    source = contract.source
    if source.kind.is_file or not source.table:
        return TableReply(unable=f"{source.place} is no table; a query has no rows of its own: name the `table` behind it")
    if not repairs_rows(contract):
        return TableReply(unable="the contract allows no repair of rows; list what may be done in `repair`")
    try:
        with Path(request.undo).open("rb") if request.undo else nullcontext() as undo:
            return _Job(request, contract, _opener(contract, Path(request.spill)), undo).reply()
    except StaleRowsError as error:
        return TableReply(unable=str(error), is_stale=True)
    except (AccountError, BackendError, DataFileError, SecretError, UnrepairableError, UnsaidError) as error:
        return TableReply(unable=f"{source.place}: {error}")
    except OSError as error:
        return TableReply(unable=f"{error.filename or request.spill}: {error.strerror}")


def _opener(contract: Contract, spill: Path) -> _Open:
    """Give root up, and return what connects."""
    source = contract.source
    if source.kind is SourceKind.POSTGRES:
        address, driver = read_secret(source.dsn_file), postgres_driver()
        give_root_up(account_of(source.user) if source.user else (NOBODY, NOBODY), spill)
        return lambda: PostgresTable(driver, address, contract.limits)
    files = DataFiles(source)
    load_functions()
    MENDING_FUNCTIONS["mend_moment"][1]("2026", "date", "%Y", "")
    (place,) = files.places
    path = str(Path(place).readlink())
    give_root_up(files.owner(), spill)

    def opened() -> SqliteTable:
        found = SqliteTable(path, contract.limits, spill, is_still=False)
        if not Path(path).samefile(place):
            found.close()
            raise BackendError(f"{path} was replaced while it was opened")
        return found

    return opened


class _Job:
    """One request, and what reaches its database."""

    def __init__(self, request: TableRequest, contract: Contract, opened: _Open, undo: BinaryIO | None) -> None:
        self._request, self._contract, self._opened, self._undo = request, contract, opened, undo

    def reply(self) -> TableReply:
        if self._request.verb == "settle":
            return TableReply(settled=self._settled(self._request.mark))
        with closing(self._opened()) as session:
            match self._request.verb:
                case "look":
                    return TableReply(repair=TableRun(self._contract, session).looked(self._request.shown))
                case "repair":
                    run = TableRun(self._contract, session)
                    repair = run.changed(self._request.about, Path(self._request.spill))
                    return self._ended(session, TableReply(repair=repair)) if repair.is_needed else TableReply(repair=repair)
                case "look_back":
                    return TableReply(put_back=self._return(session).looked())
                case _:
                    # A person wants it, who has no other way back: it has as long as a look.
                    session.begin_changing(self._contract.limits.seconds)
                    return self._ended(session, TableReply(put_back=self._return(session).put_back()))

    def _return(self, session: _Session) -> TableReturn:
        if self._undo is None:
            raise BackendError("nobody says what was there before")
        return TableReturn(self._contract, session, self._undo, Path(self._request.spill))

    def _ended(self, session: _Session, done: TableReply) -> TableReply:
        """Say that it is ready, and make it final if that is the answer; what nobody heard the end of is asked for."""
        mark = session.mark
        sys.stderr.write(TableReady(mark=mark).model_dump_json() + "\n")
        sys.stderr.flush()
        if sys.stdin.buffer.readline().strip() != COMMIT.encode():
            return TableReply(unable="it was called off")
        try:
            session.commit()
        except InDoubtError as error:
            settled = self._settled(mark)
            if settled == "not_done":
                raise BackendError(str(error)) from error
            return done.model_copy(update={"settled": settled})
        return done.model_copy(update={"settled": "done"})

    def _settled(self, mark: str) -> str:
        """Tell what became of a transaction, once its database can be asked again."""
        until = time.monotonic() + _BACK_WITHIN
        while True:
            try:
                with closing(self._opened()) as session:
                    found = session.settled(mark) if mark and isinstance(session, PostgresTable) else None
                    if found is None and self._undo is not None:
                        found = self._return(session).was_done()
            except BackendError:
                if time.monotonic() > until:
                    return "unknown"
                time.sleep(_ASK_AGAIN)
            else:
                return "unknown" if found is None else "done" if found else "not_done"


def main() -> int:
    """Answer one request; the exit status is 2 for what is none."""
    return answered(TableRequest, answer, goes_on=True)


if __name__ == "__main__":
    raise SystemExit(main())
