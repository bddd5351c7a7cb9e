"""The repair of one file: how much it is about, and the file that holds what is repaired, counted anew."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from zen_agents.datasets.contract import Contract
from zen_agents.datasets.identifiers import literal
from zen_agents.datasets.repairs import UnrepairableError
from zen_agents.datasets.rewriting import Rewriting
from zen_agents.datasets.sql import sql
from zen_agents.jobs.data_repair import REPAIRED, TAKEN, ChangedCell, ChangedRow, FileRepair
from zen_agents.workers.duck import Duck
from zen_agents.workers.repair_reading import RAW_LINES, Format, Reading, format_of


class RepairRun:
    """One file, read by a database of its own."""

    def __init__(self, contract: Contract, path: str, place: str, duck: Duck, spill: Path) -> None:
        self._contract, self._path, self._place = contract, path, place
        self._duck, self._spill = duck, spill

    def looked(self, shown: int) -> FileRepair:
        """Return what would be done to it. Rows that may repeat another one count as such."""
        reading, rows = self._reading, self._rows
        read, bad, changed, repeated = (int(each) for each in self._duck.rows(rows.tally())[0])
        if repeated:
            repeated = int(self._duck.rows(rows.repeated())[0][0])
        lost = len(reading.unread)
        return FileRepair(
            path=self._path, rows=read + lost, kept=read - bad - repeated, taken=bad + lost, dropped=repeated,
            changed=changed, renamed=dict(reading.renamed), rewritten=self._format.rewritten,
            preview=self._preview(shown) if changed and shown else (),
        )  # fmt: skip

    def written(self, shown: int) -> FileRepair:
        """Write the repaired file and the rows that are taken out, count both anew, and prove that no row is missing.

        UnrepairableError if one is, and for a file in which there is nothing to do.
        """
        asked = self.looked(shown)
        if not asked.is_needed:
            return asked
        to = self._spill / REPAIRED
        wrote = self._format.write(self._duck, self._rows.kept(without_repeated=bool(asked.dropped)), to)
        _make_durable(to)
        kept = self._format.count(self._duck, to)
        taken = self._take_out() if asked.taken else 0
        if not (wrote == kept == asked.kept and taken == asked.taken and kept + taken + asked.dropped == asked.rows):
            raise UnrepairableError(
                f"of {asked.rows} rows {wrote} were written, {kept} can be read again, {taken} were taken out and "
                f"{asked.dropped} are repetitions, which does not add up; nothing was changed"
            )
        with to.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return asked.model_copy(update={"sha256": digest})

    @cached_property
    def _format(self) -> Format:
        return format_of(self._contract, self._place, self._spill)

    @cached_property
    def _reading(self) -> Reading:
        return self._format.read(self._duck)

    @cached_property
    def _rows(self) -> Rewriting:
        found = self._reading
        return Rewriting(self._contract, found.relation, found.columns, number=sql("row_number() OVER ()"), line=found.line)

    def _preview(self, shown: int) -> tuple[ChangedRow, ...]:
        columns = self._rows.changing
        return tuple(
            ChangedRow(number=int(row[0]), cells=tuple(_changed(columns, row[1:])))
            for row in self._duck.rows(self._rows.changes(shown))
        )

    def _take_out(self) -> int:
        """Write what is no row and what is a bad one, a line of JSON each; return how many lines there are."""
        bad, to = self._spill / "bad", self._spill / TAKEN
        self._duck.write(self._rows.taken(), f"{literal(str(bad))} (FORMAT csv, COMPRESSION none, {RAW_LINES})")
        with to.open("wb") as out:
            for line, text, why in self._reading.unread:
                out.write(json.dumps({"line_number": line, "reason": why, "line": text}).encode() + b"\n")
            with bad.open("rb") as rows:
                while piece := rows.read(1 << 20):
                    out.write(piece)
        bad.unlink()
        _make_durable(to)
        with to.open("rb") as written:
            return sum(1 for _ in written)


def _changed(columns: Sequence[str], cells: Sequence[str | None]) -> Sequence[ChangedCell]:
    pairs = zip(columns, cells[::2], cells[1::2], strict=True)
    return [ChangedCell(column=column, before=before, after=after) for column, before, after in pairs if before != after]


def _make_durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # a file system that knows no such thing; the engine makes what it copies durable
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
