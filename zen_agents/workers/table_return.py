"""Rows of a table put back as they were before a repair: those alone that nobody has changed since."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO, Final
from zlib import crc32

from zen_agents.datasets.contract import Contract
from zen_agents.datasets.table import BackendError
from zen_agents.jobs.table_repair import PutBack
from zen_agents.workers.table_session import Changed, TableSession, Values

_AT_ONCE: Final = 2000
#: So many rows, about, are counted at once.
_MOST_COUNTED: Final = 200_000
#: So many rows that are left alone are named, each by no more characters.
_MOST_LEFT, _MOST_NAME = 20, 200


class _Told:
    """How many rows are back, and the names of the first that are not."""

    def __init__(self) -> None:
        self._rows = self._back = 0
        self._left: list[str] = []

    def add(self, are_back: Sequence[bool], name: Callable[[int], str]) -> None:
        self._rows, self._back = self._rows + len(are_back), self._back + sum(are_back)
        left = (at for at, is_back in enumerate(are_back) if not is_back)
        self._left += [name(at) for at in islice(left, _MOST_LEFT - len(self._left))]

    def reply(self) -> PutBack:
        return PutBack(rows=self._rows, back=self._back, left=tuple(self._left))


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
        told = _Told()
        # What was dropped came from rows as repaired; what was taken out may have the key that another row had first.
        for what in ("dropped", "changed", "taken"):
            for part in self._parts(what):
                told.add(self._done(what, part), self._names(what, part))
        return told.reply()

    def looked(self) -> PutBack:
        """Return how many rows are as they were before the repair, and the names of others."""
        told = _Told()
        for part in self._parts("changed"):
            was = [Changed(self._named_before(each), each.after, each.before) for each in part]
            told.add(self._session.are_there(self._shape, self._cells, was), self._names("changed", part))
        for row, taken, alike in self._counted("taken"):
            told.add([at < alike for at in range(taken)], self._names("taken", [row] * taken))
        for row, dropped, alike in self._counted("dropped"):
            told.add([at < alike - 1 for at in range(dropped)], self._names("dropped", [row] * dropped))
        return told.reply()

    def was_done(self) -> bool | None:
        """Tell by the rows whether the repair took place: each is as after it, or as before; None if both are there."""
        after = before = 0
        for part in self._parts("changed"):
            there = sum(self._session.are_there(self._shape, self._cells, part))
            after, before = after + there, before + len(part) - there
        for what, stays in (("taken", 0), ("dropped", 1)):
            for _, _, alike in self._counted(what):
                after, before = after + (alike <= stays), before + (alike > stays)
        return None if after and before else bool(after)

    def _counted(self, what: str) -> Iterator[tuple[Values, int, int]]:
        """Yield each row that was taken away, how often, and how many rows are the same now."""
        # Not all at once: however many they are, memory holds some of them, and those that are alike together.
        times = 1 + sum(1 for _ in self._lines(what)) // _MOST_COUNTED
        for at in range(times):
            texts = (json.dumps(row) for part in self._parts(what) for row in part)
            counts = Counter(text for text in texts if crc32(text.encode()) % times == at)
            rows = [json.loads(each) for each in counts]
            yield from zip(rows, counts.values(), self._session.alike(self._shape, rows), strict=True)

    def _done(self, what: str, part: Sequence[Any]) -> Sequence[bool]:
        if what == "changed":
            return self._session.put_back(self._shape, self._cells, part)
        return self._session.insert(self._shape, part)

    def _named_before(self, row: Changed) -> Values:
        """Return what a row was called before the repair, which may have changed its key."""
        was = dict(zip(self._cells, row.before, strict=True))
        return [was.get(name, held) for name, held in zip(self._shape.names, row.name, strict=True)]

    def _names(self, what: str, rows: Sequence[Any]) -> Callable[[int], str]:
        return lambda at: self._name(what, rows[at])

    def _name(self, what: str, row: Any) -> str:
        values = row.name if what == "changed" else row
        names = self._shape.names if what == "changed" else self._shape.insertable
        held: Mapping[str, Any] = dict(zip(names, values, strict=False))
        keys = self._shape.key or tuple(names)[:1]
        return ", ".join(f"{key}={held.get(key)}" for key in keys)[:_MOST_NAME]

    def _parts(self, what: str) -> Iterator[Sequence[Any]]:
        rows = (json.loads(line)[what] for line in self._lines(what))
        found = (Changed(*row) if what == "changed" else row for row in rows)
        while part := list(islice(found, _AT_ONCE)):
            yield part

    def _lines(self, what: str) -> Iterator[str]:
        """Yield what was written down of one kind; to read JSON that is not asked for takes longer than all the rest."""
        self._undo.seek(0)
        begins = f'{{"{what}":'.encode()
        return (line.decode() for line in self._undo if line.startswith(begins))
