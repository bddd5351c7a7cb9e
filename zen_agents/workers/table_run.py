"""The repair of one table: how much it is about, and rows changed in one transaction, each kept as it was and counted."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

from zen_agents.dataclass import dataclass
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.repairs import UnrepairableError, drops_duplicates
from zen_agents.datasets.table_rewriting import OF_FILES, TableRewriting
from zen_agents.jobs.data_repair import ChangedCell, ChangedRow, TableRepair, TakenRow
from zen_agents.jobs.table_repair import TAKEN, UNDO
from zen_agents.workers.spooled_rows import SpooledRows
from zen_agents.workers.table_session import TableSession

#: The fingerprint of rows is a sum of theirs, below this: in which order a database tells them says nothing.
_SUMS: Final = 1 << 256


class StaleRowsError(Exception):
    """Other rows are there than were planned for."""


@dataclass(frozen=True, slots=True)
class _Affected:
    """The rows that a repair is about."""

    changed: SpooledRows
    #: And for which checks.
    bad: SpooledRows
    repeated: SpooledRows
    total: int
    about: str
    #: The first of those that are taken out, as people know them.
    leaving: tuple[TakenRow, ...] = ()


class TableRun:
    """One table, behind one transaction."""

    def __init__(self, contract: Contract, session: TableSession) -> None:
        """Raise UnrepairableError, BackendError for a table that cannot be repaired as the contract says."""
        if odd := [each.kind for each in contract.repairs if each.kind in OF_FILES]:
            raise UnrepairableError(f"{odd[0]} is for files, and {contract.source.table} is a table")
        self._contract, self._session = contract, session
        self._shape = session.shape(contract.source)
        self._rows = TableRewriting(contract, self._shape, session.dialect, session.mending)
        if moved := sorted(self._shape.followed & set(self._rows.cells)):
            raise UnrepairableError(f"a change of {moved[0]!r} would change rows of other tables, which refer to it")

    def looked(self, shown: int) -> TableRepair:
        """Return what would be done to it."""
        found = self._affected(None, shown)
        return self._told(found, found.repeated.count, self._preview(shown) if shown and found.changed.count else ())

    def changed(self, about: str, spill: Path) -> TableRepair:
        """Change the rows, write down what undo needs, and prove that none is missing.

        StaleRowsError if it is about other rows than `about` says; UnrepairableError, BackendError if it cannot be done.
        """
        found = self._affected(spill)
        if about and found.about != about:
            raise StaleRowsError(f"other rows of {self._contract.source.place} need a repair than when it was planned")
        self._session.begin_changing(self._contract.limits.lock_seconds)
        with (spill / UNDO).open("w", encoding="utf-8") as undo, (spill / TAKEN).open("w", encoding="utf-8") as taken:
            _write(undo, {"table": self._contract.source.table, "names": self._shape.names, "cells": self._rows.cells})
            out = self._take_out(found.bad, undo, taken)
            updated = self._update(found.changed, undo)
            is_changed = found.bad.count or found.changed.count
            # Rows stand elsewhere once they were changed.
            dropped = self._drop(self._repeated(spill / "again") if is_changed else found.repeated, undo)
            for stream in (undo, taken):
                stream.flush()
                os.fsync(stream.fileno())
        told = self._told(found, dropped, ())
        left = int(self._session.rows(self._rows.count())[0][0])
        if (out, updated, left) != (told.taken, told.changed, told.kept):
            raise UnrepairableError(
                f"of {told.rows} rows {out} of {told.taken} were taken out, {updated} of {told.changed} changed and"
                f" {dropped} dropped, and {left} are there, which does not add up"
            )
        return told

    # -- below: the rows ----------------------------------------------------------------------------------------------

    def _affected(self, spill: Path | None, shown: int = 0) -> _Affected:
        """Find the rows, and note below a directory where they stand.

        What is done to each is part of the fingerprint, by the names they have.
        """
        changed, bad = SpooledRows(spill and spill / "changed"), SpooledRows(spill and spill / "bad")
        leaving: list[TakenRow] = []
        about, where, names = 0, len(self._shape.address), len(self._shape.key)
        for row in self._session.stream(self._rows.affected()):
            address, rest = self._session.plain(row[:where]), row[where + names + 1 :]
            why = ", ".join(check for check, fails in zip(self._rows.reasons, rest, strict=True) if fails)
            (bad if why else changed).add(tuple(address), why)
            if why and bad.count <= shown:
                leaving.append(self._leaving(row[where : where + names], why))
            about += _fingerprint(row[where : where + names] or address, row[where + names], why)
            self._refuse_more(changed.count + bad.count)
        repeated = self._repeated(spill and spill / "repeated")
        if bad.count or repeated.count:
            self._goes_alone()
        total = int(self._session.rows(self._rows.count())[0][0])
        return _Affected(changed, bad, repeated, total, f"{about % _SUMS:064x}+{repeated.count}", tuple(leaving))

    def _leaving(self, named: Sequence[object], why: str) -> TakenRow:
        texts = (None if each is None else str(each) for each in named)
        return TakenRow(keys=tuple(zip(self._shape.key, texts, strict=False)), why=why)

    def _refuse_more(self, count: int) -> None:
        if count > (most := self._contract.limits.most_rows):
            raise UnrepairableError(
                f"it is about more than {most:,} rows, which all are locked in one transaction; in a quiet hour raise "
                "`limits: {rows: ...}` and `lock` of the data set"
            )

    def _repeated(self, path: Path | None) -> SpooledRows:
        found = SpooledRows(path)
        # Where rows have a key no two are the same.
        if not self._shape.key and drops_duplicates(self._contract):
            for row in self._session.stream(self._rows.repeated()):
                found.add(tuple(self._session.plain(row)))
                self._refuse_more(found.count)
        return found

    def _told(self, found: _Affected, dropped: int, preview: tuple[ChangedRow, ...]) -> TableRepair:
        return TableRepair(
            place=self._contract.source.place, rows=found.total, kept=found.total - found.bad.count - dropped,
            taken=found.bad.count, dropped=dropped, changed=found.changed.count, preview=preview, leaving=found.leaving,
            triggers=self._shape.triggers, about=found.about,
        )  # fmt: skip

    def _take_out(self, bad: SpooledRows, undo: TextIO, taken: TextIO) -> int:
        columns, count = self._shape.insertable, 0
        for why, values in self._session.delete(self._shape, bad):
            _write(undo, {"taken": values})
            row = dict(zip(columns, values, strict=True))
            key = {column: row[column] for column in self._shape.key if column in row}
            _write(taken, {"key": key, "reason": why, "values": row})
            count += 1
        return count

    def _update(self, rows: SpooledRows, undo: TextIO) -> int:
        count = 0
        for each in self._session.update(self._rows, (address for address, _ in rows)):
            _write(undo, {"changed": each})
            count += 1
        return count

    def _drop(self, again: SpooledRows, undo: TextIO) -> int:
        """Drop what repeats another row now."""
        if again.count:
            self._goes_alone()
        count = 0
        for _, values in self._session.delete(self._shape, again):
            _write(undo, {"dropped": values})
            count += 1
        if count != again.count:
            raise UnrepairableError(f"only {count} of {again.count} repetitions could be dropped")
        return count

    def _goes_alone(self) -> None:
        if self._shape.takes_along:
            others = ", ".join(self._shape.takes_along)
            raise UnrepairableError(f"rows of {others} would go along with those that are taken out")

    def _preview(self, shown: int) -> tuple[ChangedRow, ...]:
        return tuple(self._shown(self._session.rows(self._rows.changes(shown))))

    def _shown(self, rows: Iterable[Sequence[Any]]) -> Iterator[ChangedRow]:
        width = len(self._shape.key)
        for row in rows:
            texts = [None if each is None else str(each) for each in row]
            pairs = zip(self._rows.cells, texts[width::2], texts[width + 1 :: 2], strict=True)
            cells = tuple(ChangedCell(column=column, before=was, after=now) for column, was, now in pairs if was != now)
            yield ChangedRow(keys=tuple(zip(self._shape.key, texts, strict=False)), cells=cells)


def _fingerprint(named: Sequence[Any], is_changed: object, why: str) -> int:
    return int.from_bytes(hashlib.sha256(repr((tuple(named), bool(is_changed), why)).encode("utf-8", "replace")).digest())


def _write(stream: TextIO, line: Mapping[str, Any]) -> None:
    stream.write(json.dumps(line, separators=(",", ":")) + "\n")
