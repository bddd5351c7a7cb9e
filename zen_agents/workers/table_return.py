"""Rows of a table put back as they were before a repair: those alone that nobody has changed since."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final
from zlib import crc32

from zen_agents.datasets.contract import Contract
from zen_agents.datasets.table import BackendError
from zen_agents.jobs.table_repair import PutBack
from zen_agents.workers.row_places import RowPlaces
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

    def __init__(self, contract: Contract, session: TableSession, undo: BinaryIO, spill: Path) -> None:
        """Raise BackendError if the table is not the one that was repaired."""
        self._session, self._undo, self._spill = session, undo, spill
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
            with self._places(what, self._whole) if what == "changed" else nullcontext() as places:
                for part in self._parts(what):
                    told.add(self._done(what, part, places), self._names(what, part))
        return told.reply()

    def looked(self) -> PutBack:
        """Return how many rows are as they were before the repair, and the names of others."""
        told = _Told()
        with self._places("changed", self._whole_before) as places:
            for part in self._parts("changed"):
                told.add(self._are_there(self._turned(part), places), self._names("changed", part))
        for row, taken, alike in self._counted("taken"):
            told.add([at < alike for at in range(taken)], self._names("taken", [row] * taken))
        for row, dropped, alike in self._counted("dropped"):
            told.add([at < alike - 1 for at in range(dropped)], self._names("dropped", [row] * dropped))
        return told.reply()

    def was_done(self) -> bool | None:
        """Tell by the rows whether the repair took place: each is as after it, or as before; None if both are there."""
        after = before = 0
        with self._places("changed", self._whole_before) as places:
            for part in self._parts("changed"):
                # Without a key what a row became others may be as well; as it was none is once that took place.
                there = sum(self._are_there(self._turned(part) if places else part, places))
                there = len(part) - there if places else there
                after, before = after + there, before + len(part) - there
        # Repetitions of what others became say nothing.
        repeated = () if after or before else (("dropped", 1),)
        for what, stays in (("taken", 0), *repeated):
            for _, _, alike in self._counted(what):
                after, before = after + (alike <= stays), before + (alike > stays)
        return None if after and before else bool(after)

    def _counted(self, what: str) -> Iterator[tuple[Values, int, int]]:
        """Yield each row that was taken away, how often, and how many rows are the same now."""
        # Not all at once: however many they are, memory holds some of them, and those that are alike together.
        times = 1 + sum(1 for _ in self._lines(what)) // _MOST_COUNTED
        with self._places(what, list) as places:
            if places is not None and what == "dropped":
                # Rows that became the same were changed back.
                for part in self._parts("changed"):
                    places.note((each, ()) for each in self._session.digest([*map(self._whole, part)]))
            for at in range(times):
                texts = (json.dumps(row) for part in self._parts(what) for row in part)
                counts = Counter(text for text in texts if crc32(text.encode()) % times == at)
                rows = [json.loads(each) for each in counts]
                yield from zip(rows, counts.values(), self._alike(rows, places), strict=True)

    @contextmanager
    def _places(self, what: str, whole: Callable[[Any], Values]) -> Iterator[RowPlaces | None]:
        """Yield where rows stand of which this is the whole; None if they are found by their key, or not looked for."""
        is_found = self._shape.key if what == "changed" else self._shape.finds_whole_rows
        if is_found or next(self._lines(what), None) is None:
            yield None
            return
        try:
            with closing(RowPlaces(self._spill)) as places:
                for part in self._parts(what):
                    places.want(self._session.digest([whole(row) for row in part]))
                # Closed before whoever catches an error asks the session for anything else: it answers one at a time.
                with closing(self._session.digests(self._shape)) as found:
                    places.note(found)
                yield places
        except sqlite3.Error as error:  # of ours alone: those of the table's database were told already
            raise BackendError(f"where rows stand cannot be noted below {self._spill}: {error}") from error

    def _done(self, what: str, part: Sequence[Any], places: RowPlaces | None) -> Sequence[bool]:
        if what != "changed":
            return self._session.insert(self._shape, part)
        if places is None:
            return self._session.put_back(self._shape, self._cells, part)
        stand = [places.take(each) for each in self._session.digest([*map(self._whole, part)])]
        return self._session.put_back(self._shape, self._cells, part, stand)

    def _are_there(self, part: Sequence[Changed], places: RowPlaces | None) -> Sequence[bool]:
        if places is None:
            return self._session.are_there(self._shape, self._cells, part)
        digests = self._session.digest([*map(self._whole, part)])
        return [places.take(each) is not None for each in digests]

    def _alike(self, rows: Sequence[Values], places: RowPlaces | None) -> Sequence[int]:
        if places is None:
            return self._session.alike(self._shape, rows)
        return [places.count(each) for each in self._session.digest(rows)]

    def _whole(self, row: Changed) -> Values:
        """Return all that a row without a key was given: its name is all that it holds."""
        held = dict(zip(self._shape.names, row.name, strict=True))
        return [held[column] for column in self._shape.insertable]

    def _turned(self, part: Sequence[Changed]) -> Sequence[Changed]:
        """Return rows as those that they were before the repair, which is what has changed them since."""
        return [Changed(self._named_before(each), each.after, each.before) for each in part]

    def _whole_before(self, row: Changed) -> Values:
        return self._whole(Changed(self._named_before(row), row.after, row.before))

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
