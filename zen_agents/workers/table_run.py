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
from zen_agents.workers.table_session import Address, TableSession

#: One repair is about no more rows: their addresses are held in memory, and a transaction of more is for a quiet hour.
_MOST_ROWS: Final = 1_000_000


class StaleRowsError(Exception):
    """Other rows are there than were planned for."""


@dataclass(frozen=True, slots=True)
class _Affected:
    """The rows that a repair is about, by where they stand."""

    changed: Sequence[Address]
    #: And for which checks.
    bad: Mapping[Address, str]
    repeated: Sequence[Address]
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
        found = self._affected(shown)
        return self._told(found, len(found.repeated), self._preview(shown) if shown and found.changed else ())

    def changed(self, about: str, spill: Path) -> TableRepair:
        """Change the rows, write down what undo needs, and prove that none is missing.

        StaleRowsError if it is about other rows than `about` says; UnrepairableError, BackendError if it cannot be done.
        """
        found = self._affected()
        if about and found.about != about:
            raise StaleRowsError(f"other rows of {self._contract.source.place} need a repair than when it was planned")
        self._session.begin_changing(self._contract.limits.lock_seconds)
        with (spill / UNDO).open("w", encoding="utf-8") as undo, (spill / TAKEN).open("w", encoding="utf-8") as taken:
            _write(undo, {"table": self._contract.source.table, "names": self._shape.names, "cells": self._rows.cells})
            out = self._take_out(found.bad, undo, taken)
            updated = self._update(found.changed, undo)
            dropped = self._drop(found.bad or found.changed, found.repeated, undo)
            for stream in (undo, taken):
                stream.flush()
                os.fsync(stream.fileno())
        told = self._told(found, dropped, ())
        left = int(self._session.rows(self._rows.count())[0][0])
        if (out, updated, left) != (told.taken, told.changed, told.kept):
            raise UnrepairableError(
                f"of {told.rows} rows {out} of {told.taken} were taken out, {updated} of {told.changed} changed and"
                f" {dropped} dropped, and {left} are there, which does not add up; nothing was changed"
            )
        return told

    # -- below: the rows ----------------------------------------------------------------------------------------------

    def _affected(self, shown: int = 0) -> _Affected:
        """Find the rows; what is done to each is part of the fingerprint, by the names they have."""
        changed: list[Address] = []
        bad: dict[Address, str] = {}
        leaving: list[TakenRow] = []
        digest = hashlib.sha256()
        where, names = len(self._shape.address), len(self._shape.key)
        for row in self._session.stream(self._rows.affected()):
            address, rest = tuple(row[:where]), row[where + names + 1 :]
            why = ", ".join(check for check, fails in zip(self._rows.reasons, rest, strict=True) if fails)
            if why:
                bad[address] = why
                leaving += [self._leaving(row[where : where + names], why)] if len(bad) <= shown else []
            else:
                changed.append(address)
            digest.update(repr((row[where : where + names] or address, bool(row[where + names]), why)).encode())
            if len(changed) + len(bad) > _MOST_ROWS:
                raise UnrepairableError(f"it is about more than {_MOST_ROWS:,} rows; repair those by hand, in a quiet hour")
        repeated = self._repeated()
        digest.update(repr(len(repeated)).encode())
        total = int(self._session.rows(self._rows.count())[0][0])
        return _Affected(changed, bad, repeated, total, digest.hexdigest(), tuple(leaving))

    def _leaving(self, named: Sequence[object], why: str) -> TakenRow:
        texts = (None if each is None else str(each) for each in named)
        return TakenRow(keys=tuple(zip(self._shape.key, texts, strict=False)), why=why)

    def _repeated(self) -> Sequence[Address]:
        # Where rows have a key no two are the same.
        if self._shape.key or not drops_duplicates(self._contract):
            return ()
        return [tuple(row) for row in self._session.stream(self._rows.repeated())]

    def _told(self, found: _Affected, dropped: int, preview: tuple[ChangedRow, ...]) -> TableRepair:
        return TableRepair(
            place=self._contract.source.place, rows=found.total, kept=found.total - len(found.bad) - dropped,
            taken=len(found.bad), dropped=dropped, changed=len(found.changed), preview=preview, leaving=found.leaving,
            triggers=self._shape.triggers, about=found.about,
        )  # fmt: skip

    def _take_out(self, bad: Mapping[Address, str], undo: TextIO, taken: TextIO) -> int:
        if bad:
            self._goes_alone()
        columns, count = self._shape.insertable, 0
        for address, values in self._session.delete(self._shape, [*bad]):
            _write(undo, {"taken": values})
            row = dict(zip(columns, values, strict=True))
            key = {column: row[column] for column in self._shape.key if column in row}
            _write(taken, {"key": key, "reason": bad[address], "values": row})
            count += 1
        return count

    def _update(self, addresses: Sequence[Address], undo: TextIO) -> int:
        count = 0
        for each in self._session.update(self._rows, addresses):
            _write(undo, {"changed": each})
            count += 1
        return count

    def _drop(self, is_changed: object, repeated: Sequence[Address], undo: TextIO) -> int:
        """Drop what repeats another row now: rows stand elsewhere once they were changed."""
        again = self._repeated() if is_changed else repeated
        if again:
            self._goes_alone()
        count = 0
        for _, values in self._session.delete(self._shape, again):
            _write(undo, {"dropped": values})
            count += 1
        if count != len(again):
            raise UnrepairableError(f"only {count} of {len(again)} repetitions could be dropped; nothing was changed")
        return count

    def _goes_alone(self) -> None:
        if self._shape.takes_along:
            others = ", ".join(self._shape.takes_along)
            raise UnrepairableError(f"rows of {others} would go along with those that are taken out; nothing was changed")

    def _preview(self, shown: int) -> tuple[ChangedRow, ...]:
        return tuple(self._shown(self._session.rows(self._rows.changes(shown))))

    def _shown(self, rows: Iterable[Sequence[Any]]) -> Iterator[ChangedRow]:
        width = len(self._shape.key)
        for row in rows:
            texts = [None if each is None else str(each) for each in row]
            pairs = zip(self._rows.cells, texts[width::2], texts[width + 1 :: 2], strict=True)
            cells = tuple(ChangedCell(column=column, before=was, after=now) for column, was, now in pairs if was != now)
            yield ChangedRow(keys=tuple(zip(self._shape.key, texts, strict=False)), cells=cells)


def _write(stream: TextIO, line: Mapping[str, Any]) -> None:
    stream.write(json.dumps(line, separators=(",", ":")) + "\n")
