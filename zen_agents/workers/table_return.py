"""Rows of a table put back as they were before a repair: those alone that nobody has changed since."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO, Final

from zen_agents.datasets.contract import Contract
from zen_agents.datasets.table import BackendError
from zen_agents.jobs.table_repair import PutBack
from zen_agents.workers.table_session import Changed, TableSession, Values

_AT_ONCE: Final = 2000
#: So many rows that are left alone are named, each by no more characters.
_MOST_LEFT, _MOST_NAME = 20, 200


class TableReturn:
    """What a repair wrote down, behind one transaction."""

    def __init__(self, contract: Contract, session: TableSession, undo: BinaryIO) -> None:
        """Raise BackendError if the table is not the one that was repaired."""
        self._session, self._undo = session, undo
        self._shape = session.shape(contract.source)
        undo.seek(0)
        first = json.loads(undo.readline())
        self._cells: Sequence[str] = first["cells"]
        wanted = (contract.source.table, tuple(first["names"]))
        if (first["table"], self._shape.names) != wanted or not set(self._cells) <= set(self._shape.columns):
            raise BackendError(f"{contract.source.table} has another key or other columns than when it was repaired")

    def put_back(self) -> PutBack:
        """Put back what nobody has changed; the names of a row that is in the way are told."""
        left: list[str] = []
        rows = back = 0
        # What was dropped came from rows as repaired; what was taken out may have the key that another row had first.
        for what in ("dropped", "changed", "taken"):
            for part in self._parts(what):
                told = self._done(what, part)
                rows, back = rows + len(part), back + sum(told)
                left += [self._name(what, row) for row, good in zip(part, told, strict=True) if not good]
        return PutBack(rows=rows, back=back, left=tuple(left[:_MOST_LEFT]))

    def looked(self) -> PutBack:
        """Return how many rows are as they were before the repair, and the names of others."""
        left: list[str] = []
        rows = back = 0
        for what in ("dropped", "changed", "taken"):
            for part in self._parts(what):
                told = self._session.are_there(
                    self._shape, self._cells if what == "changed" else (), self._before(what, part)
                )
                rows, back = rows + len(part), back + sum(told)
                left += [self._name(what, row) for row, good in zip(part, told, strict=True) if not good]
        return PutBack(rows=rows, back=back, left=tuple(left[:_MOST_LEFT]))

    def was_done(self) -> bool | None:
        """Tell by the rows whether the repair took place: each is as after it, or as before; None if both are there."""
        after = before = 0
        for what in ("changed", "taken", "dropped"):
            for part in self._parts(what):
                there = self._session.are_there(
                    self._shape, self._cells if what == "changed" else (), self._after(what, part)
                )
                are_after = sum(there) if what == "changed" else len(there) - sum(there)
                after, before = after + are_after, before + len(there) - are_after
        return None if after and before else bool(after)

    def _done(self, what: str, part: Sequence[Any]) -> Sequence[bool]:
        if what == "changed":
            return self._session.put_back(self._shape, self._cells, part)
        return self._session.insert(self._shape, part)

    def _before(self, what: str, part: Sequence[Any]) -> Sequence[tuple[Values, Values]]:
        """Return (name, cells) of each as before the repair; a row that was called otherwise had that name then."""
        if what != "changed":
            return self._after(what, part)
        return [(self._renamed(each), each.before) for each in part]

    def _renamed(self, row: Changed) -> Values:
        was = dict(zip(self._cells, row.before, strict=True))
        return [was.get(name, held) for name, held in zip(self._shape.names, row.name, strict=True)]

    def _after(self, what: str, part: Sequence[Any]) -> Sequence[tuple[Values, Values]]:
        if what == "changed":
            return [(each.name, each.after) for each in part]
        at = [self._shape.insertable.index(each) for each in self._shape.names if each in self._shape.insertable]
        return [([row[place] for place in at], []) for row in part]

    def _name(self, what: str, row: Any) -> str:
        values = row.name if what == "changed" else row
        names = self._shape.names if what == "changed" else self._shape.insertable
        held: Mapping[str, Any] = dict(zip(names, values, strict=False))
        keys = self._shape.key or tuple(names)[:1]
        return ", ".join(f"{key}={held.get(key)}" for key in keys)[:_MOST_NAME]

    def _parts(self, what: str) -> Iterator[Sequence[Any]]:
        self._undo.seek(0)
        self._undo.readline()
        lines = (json.loads(line) for line in self._undo)
        found = (Changed(*line[what]) if what == "changed" else line[what] for line in lines if what in line)
        while part := list(islice(found, _AT_ONCE)):
            yield part
