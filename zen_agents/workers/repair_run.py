"""The repair of one file: how much it is about, and the file that holds what is repaired, counted anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from zen_agents.datasets.contract import Contract
from zen_agents.datasets.repairs import UnrepairableError, quarantines
from zen_agents.datasets.rewriting import FACTS, TWINS, Rewriting, changes, taken, tally, twins
from zen_agents.datasets.source import SourceKind
from zen_agents.jobs.data_repair import REPAIRED, TAKEN, ChangedCell, ChangedRow, FileRepair, TakenRow
from zen_agents.workers.duck import Duck, Unread
from zen_agents.workers.repair_delimited import DelimitedFormat
from zen_agents.workers.repair_lines import LinesFormat
from zen_agents.workers.repair_reading import Cells, Format, ParquetFormat, Reading
from zen_agents.workers.taken_rows import TakenRows

#: So much of a cell is shown (characters).
_MOST_SHOWN: Final = 200


class RepairRun:
    """One file, read by a database of its own."""

    def __init__(self, contract: Contract, path: str, place: str, duck: Duck, spill: Path) -> None:
        self._contract, self._path, self._place = contract, path, place
        self._duck, self._spill = duck, spill

    def looked(self, shown: int) -> FileRepair:
        """Return what would be done to it. Two rows of one fingerprint count as the same."""
        lines = self._lines
        read, bad, changed, repeated = (int(each) for each in self._duck.rows(tally())[0])
        if bad and quarantines(self._contract) is None:
            said = "line is" if bad == 1 else "lines are"
            raise UnrepairableError(f"{bad:,} {said} {self._reading.why}; allow quarantine_rows to have them taken out")
        return FileRepair(
            path=self._path, rows=read + len(lines), kept=read - bad - repeated, taken=bad + len(lines), dropped=repeated,
            changed=changed, renamed=dict(self._reading.renamed), rewritten=self._format.rewritten,
            preview=self._preview(shown) if changed and shown else (), leaving=self._leaving(shown),
        )  # fmt: skip

    def written(self, shown: int, begins: Callable[[], None]) -> FileRepair:
        """Write the repaired file and the rows that are taken out, count both anew, and prove that no row is missing.

        `begins` is called once the rows are looked at and the first is to be written.

        UnrepairableError if one is, and for a file in which there is nothing to do.
        """
        asked = self.looked(shown)
        if not asked.is_needed:
            return asked
        begins()
        to = self._spill / REPAIRED
        with TakenRows(self._spill / TAKEN, self._format.card) as out:
            done = self._format.write(self._duck, self._rows, self._lines, to, out)
        again = self._format.count(self._duck, to)
        adds_up = done.kept == again and done.kept + out.count + done.dropped == done.rows
        if not (adds_up and (done.rows, out.count) == (asked.rows, asked.taken)):
            raise UnrepairableError(
                f"of {asked.rows} rows {done.rows} were found again, {done.kept} written and {again} of those read, "
                f"{out.count} taken out, {done.dropped} repetitions dropped, which does not add up; nothing was changed"
            )
        return asked.model_copy(update={"kept": done.kept, "dropped": done.dropped, "sha256": done.sha256})

    @cached_property
    def _format(self) -> Format:
        return format_of(self._contract, self._place, self._spill)

    @cached_property
    def _reading(self) -> Reading:
        return self._format.read(self._duck)

    @cached_property
    def _rows(self) -> Rewriting:
        found = self._reading
        return Rewriting(
            self._contract, found.relation, found.columns, found.texts, line=found.line, no_row=(found.no_row, found.why)
        )

    @cached_property
    def _lines(self) -> tuple[Unread, ...]:
        """Find out about every row, and return what is none."""
        self._duck.keep(FACTS, self._rows.facts())
        self._duck.keep(TWINS, twins())
        if quarantines(self._contract) is None or self._contract.source.kind is SourceKind.PARQUET:
            return ()
        lines = self._duck.unread()
        if swallowed := next((each for each in lines if "\n" in each.text or "\r" in each.text), None):
            raise UnrepairableError(
                f"line {swallowed.number} has a quote that does not end: which of the rows behind it are whole is for "
                "people to tell"
            )
        return lines

    def _preview(self, shown: int) -> tuple[ChangedRow, ...]:
        rows = self._duck.rows(changes(shown))
        return tuple(
            ChangedRow(number=int(number) + 1, cells=tuple(_changed(self._format.cells(old), self._format.cells(new))))
            for number, old, new in rows
        )

    def _leaving(self, shown: int) -> tuple[TakenRow, ...]:
        rows = self._duck.rows(taken(shown)) if shown else ()
        found = [TakenRow(number=int(number) + 1, why=str(why)) for number, why, _ in rows]
        return tuple([*found, *(TakenRow(line=each.number, why=each.why) for each in self._lines)][:shown])


def format_of(contract: Contract, path: str, spill: Path) -> Format:
    """Return how a file is read and written."""
    kind = contract.source.kind
    if kind is SourceKind.PARQUET:
        return ParquetFormat(contract, path)
    return (LinesFormat if kind is SourceKind.JSONL else DelimitedFormat)(contract, path, spill)


def _changed(before: Cells, after: Cells) -> Sequence[ChangedCell]:
    return [
        ChangedCell(column=column, before=_shown(before.get(column)), after=_shown(cell))
        for column, cell in after.items()
        if before.get(column) != cell
    ]


def _shown(cell: str | None) -> str | None:
    return None if cell is None else cell[:_MOST_SHOWN]
