"""CSV and TSV as they are read to be repaired, and written again: what is not repaired stays, to the byte."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from zen_agents.datasets.contract import ColumnType, Contract
from zen_agents.datasets.records import Records, is_blank
from zen_agents.datasets.repairs import UnrepairableError, quarantines
from zen_agents.datasets.rewriting import Rewriting
from zen_agents.datasets.row_texts import DelimitedRows
from zen_agents.datasets.source import SourceOptions
from zen_agents.datasets.sql import Bound, Sql, joined, sql, value
from zen_agents.datasets.written import FaultError, told
from zen_agents.workers.duck import Duck, Unread
from zen_agents.workers.repair_reading import Cells, Reading, Written, named
from zen_agents.workers.special_rows import special_rows
from zen_agents.workers.splicing import Splice
from zen_agents.workers.taken_rows import TakenRows
from zen_agents.workers.text_file import TextFile

#: The first record of a file, by which its columns are told.
FIRST: Final = "first"


class DelimitedFormat:
    """CSV and TSV: the separator, quotes, header and null texts stay as they are."""

    def __init__(self, contract: Contract, path: str, spill: Path) -> None:
        self._contract, self._spill = contract, spill
        self._file = TextFile(contract, path, spill)
        self._nulls = contract.source.options.nulls
        self._has_header = contract.source.options.header is not False
        self._options = self._told()
        self._records = Records(self._options)
        self._columns: Sequence[str] = ()
        self._header: bytes | None = None

    @property
    def rewritten(self) -> tuple[str, ...]:
        """Return in words what of the whole file is written otherwise."""
        return self._file.rewritten

    @property
    def counts_blank(self) -> bool:
        """Tell whether an empty line is a row: in a file of one column."""
        return len(self._columns) == 1

    def read(self, duck: Duck) -> Reading:
        """Look at the columns."""
        there = self._names(duck)
        relation = self._call(self._file.path, self._file.packed, there, rejects=quarantines(self._contract) is not None)
        found = named(self._contract, relation, dict.fromkeys(there, ColumnType.TEXT), self._texts())
        self._columns = tuple(found.columns)
        if found.renamed and self._has_header:
            self._header = self._written(self._columns)
        return found

    def cells(self, text: str) -> Cells:
        """Return what is in a row, by one of its texts."""
        cells = (None if cell in self._nulls else cell for cell in self._values(text))
        return dict(zip(self._columns, cells, strict=False))

    def card(self, body: bytes) -> Mapping[str, Any]:
        """Return what is written of a row that is taken out: its values as they were."""
        return {"values": self.cells(body.decode("utf-8", "backslashreplace"))}

    def is_same(self, body: bytes, before: str) -> bool:
        """Tell whether a row in the file is the one that was read; blanks around quotes are read in more than one way."""
        text = body.decode("utf-8", "replace")
        return text == before or self._bare(text) == self._bare(before)

    def made(self, body: bytes, after: str) -> bytes:
        """Return a row as it is to stand there."""
        del body
        return after.encode()

    def key(self, body: bytes) -> bytes:
        """Return what two rows have in common only if they hold the same."""
        return json.dumps([*self.cells(body.decode("utf-8", "replace")).values()]).encode()

    def write(self, duck: Duck, rows: Rewriting, unread: Sequence[Unread], to: Path, taken: TakenRows) -> Written:
        """Copy the file, but for what is special."""
        del rows
        splice = Splice(self._records, self, special_rows(duck), unread, taken)
        return self._file.spliced(to, splice, header=self._header, has_header=self._has_header)

    def count(self, duck: Duck, path: Path) -> int:
        """Return how many rows are in a file that was written."""
        rows = self._call(self._file.read_back(path), self._file.packed_back, self._columns, rejects=False)
        return int(duck.rows(sql("SELECT count(*) FROM {}", rows))[0][0])

    def _told(self) -> SourceOptions:
        """Return what the beginning tells of how it is written, in plain UTF-8."""
        source = self._contract.source
        plain = replace(source, options=replace(source.options, encoding=""))
        try:
            return told(plain, next(self._file.pieces(), b"")).options
        except FaultError as error:
            raise UnrepairableError(str(error)) from error

    def _names(self, duck: Duck) -> Sequence[str]:
        """Return what DuckDB calls the columns, by the first record alone: no other may spoil that."""
        records = (each for batch in self._records.batches(self._file.pieces()) for each in batch if not is_blank(each))
        try:
            first = next(records, b"")
        except FaultError as error:
            raise UnrepairableError(str(error)) from error
        if not first:
            raise UnrepairableError("there is no row to repair")
        place = self._spill / FIRST
        place.write_bytes(first)
        try:
            call = sql("read_csv({}, {}, all_varchar = true)", value(str(place)), joined(", ", self._dialect()))
            return tuple(str(each[0]) for each in duck.rows(sql("DESCRIBE SELECT * FROM {}", call)))
        finally:
            place.unlink()

    def _dialect(self) -> list[Sql]:
        return [
            sql("delim = {}", value(self._options.delimiter)), sql("quote = {}", value(self._options.quote)),
            sql("escape = {}", value(self._options.escape)), sql(f"header = {self._has_header}"), sql("comment = ''"),
        ]  # fmt: skip

    def _call(self, path: str, packed: str, columns: Sequence[str], *, rejects: bool) -> Sql:
        """Return how a file is read with nothing left to be guessed."""
        given = [
            *self._dialect(), sql("auto_detect = false, columns = {}", Sql((Bound(dict.fromkeys(columns, "VARCHAR")),))),
            sql("null_padding = false, compression = {}", value(packed)),
            sql("nullstr = {}", Sql((Bound(list(self._nulls)),))),
        ]  # fmt: skip
        if rejects:
            given.append(sql("store_rejects = true"))
        return sql("read_csv({}, {})", value(path), joined(", ", given))

    def _texts(self) -> DelimitedRows:
        return DelimitedRows(
            self._options.delimiter, self._options.quote, self._options.escape, self._nulls[0] if self._nulls else ""
        )

    def _values(self, text: str) -> Sequence[str]:
        return next(self._csv([text]), ()) if text else ("",)

    def _bare(self, text: str) -> Sequence[str]:
        try:
            return [cell.strip(' "') if cell not in self._nulls else "" for cell in self._values(text)]
        except csv.Error:
            return ()

    def _csv(self, lines: Sequence[str]) -> Iterator[list[str]]:
        options = self._options
        escape = None if options.escape == options.quote else options.escape
        return csv.reader(
            lines, delimiter=options.delimiter, quotechar=options.quote, doublequote=escape is None, escapechar=escape
        )

    def _written(self, cells: Sequence[str]) -> bytes:
        quote, escape = self._options.quote, self._options.escape
        special = {self._options.delimiter, quote, "\n", "\r"}
        return self._options.delimiter.join(
            f"{quote}{cell.replace(quote, escape + quote)}{quote}" if special & set(cell) else cell for cell in cells
        ).encode()
