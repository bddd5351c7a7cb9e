"""JSON lines as they are read to be repaired, and written again: what is not repaired stays, to the byte."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from zen_agents.datasets.contract import ColumnType, Contract
from zen_agents.datasets.json_members import with_members
from zen_agents.datasets.records import Records
from zen_agents.datasets.repairs import UnrepairableError, quarantines
from zen_agents.datasets.rewriting import Rewriting
from zen_agents.datasets.row_texts import JsonLines
from zen_agents.datasets.sql import Bound, Sql, joined, name, sql, value
from zen_agents.workers.duck import Duck, Unread
from zen_agents.workers.repair_reading import Cells, Reading, Written
from zen_agents.workers.special_rows import special_rows
from zen_agents.workers.splicing import Splice
from zen_agents.workers.taken_rows import TakenRows
from zen_agents.workers.text_file import TextFile

#: What no line of a text can hold four of in a row; so a line is one column.
_NEVER: Final = "\x1f\x1e\x1d\x1c"
_LONGEST_LINE: Final = 16 << 20
_LOOKED_AT: Final = 10_000


class LinesFormat:
    """JSON lines: a line in which nothing is repaired stays the very text that it is."""

    counts_blank = False

    def __init__(self, contract: Contract, path: str, spill: Path) -> None:
        self._contract = contract
        self._file = TextFile(contract, path, spill)

    @property
    def rewritten(self) -> tuple[str, ...]:
        """Return in words what of the whole file is written otherwise."""
        return self._file.rewritten

    def read(self, duck: Duck) -> Reading:
        """Look at the keys of its first lines."""
        lines = self._lines(self._file.path, self._file.packed, rejects=quarantines(self._contract) is not None)
        wanted = dict.fromkeys([*(each.name for each in self._contract.columns), *self._keys(duck)])
        columns = [each for each in wanted if each]
        if not columns:
            raise UnrepairableError("there is no row to repair")
        line, bad = _unused("line", columns), _unused("no_row", columns)
        is_row = sql("coalesce(json_valid(line) AND json_type(TRY_CAST(line AS JSON)) = 'OBJECT', false)")
        rows = sql("(SELECT line, NOT {} AS bad_ FROM {} WHERE line IS NOT NULL) AS lines_", is_row, lines)
        texts = [
            sql("CASE WHEN NOT bad_ THEN json_extract_string(line, {}) END AS {}", value(_pointer(each)), name(each))
            for each in columns
        ]
        relation = sql(
            "(SELECT {}, line AS {}, bad_ AS {} FROM {}) AS rows_of_", joined(", ", texts), name(line), name(bad), rows
        )
        held = dict.fromkeys(columns, ColumnType.TEXT)
        return Reading(relation, held, JsonLines(self._contract, line), {}, bad, "no JSON object", line)

    def cells(self, text: str) -> Cells:
        """Return what is in a row, by one of its texts."""
        found = json.loads(text)
        return {key: each if isinstance(each, str | None) else json.dumps(each) for key, each in found.items()}

    def card(self, body: bytes) -> Mapping[str, Any]:
        """Return what is written of a row that is taken out: the line."""
        return {"line": body.decode("utf-8", "backslashreplace")}

    def is_same(self, body: bytes, before: str) -> bool:
        """Tell whether a row in the file is the one that was read."""
        return body == before.encode()

    def made(self, body: bytes, after: str) -> bytes:
        """Return a row as it is to stand there: what changes in it is put in its place; raises UnrepairableError."""
        return with_members(body.decode(), after).encode()

    def key(self, body: bytes) -> bytes:
        """Return what two rows have in common only if they hold the same."""
        return body

    def write(self, duck: Duck, rows: Rewriting, unread: Sequence[Unread], to: Path, taken: TakenRows) -> Written:
        """Copy the file, but for what is special."""
        del rows
        splice = Splice(Records(None, most_bytes=_LONGEST_LINE), self, special_rows(duck), unread, taken)
        return self._file.spliced(to, splice, header=None, has_header=False)

    def count(self, duck: Duck, path: Path) -> int:
        """Return how many rows are in a file that was written."""
        lines = self._lines(self._file.read_back(path), self._file.packed_back, rejects=False)
        return int(duck.rows(sql("SELECT count(*) FROM {} WHERE line IS NOT NULL", lines))[0][0])

    def _keys(self, duck: Duck) -> Sequence[str]:
        some = sql(
            "SELECT line FROM {} WHERE json_valid(line) AND json_type(TRY_CAST(line AS JSON)) = 'OBJECT' LIMIT {}",
            self._lines(self._file.path, self._file.packed, rejects=False, ignores=True), value(_LOOKED_AT),
        )  # fmt: skip
        keys = duck.rows(sql("SELECT DISTINCT unnest(json_keys(line)) FROM ({}) AS some_", some))
        return sorted(str(each[0]) for each in keys)

    def _lines(self, path: str, packed: str, *, rejects: bool, ignores: bool = False) -> Sql:
        options = sql(
            "columns = {}, auto_detect = false, header = false, delim = {}, quote = '', escape = '', strict_mode = false,"
            f" max_line_size = {_LONGEST_LINE}, compression = {{}}",
            Sql((Bound({"line": "VARCHAR"}),)), value(_NEVER), value(packed),
        )  # fmt: skip
        how = "store_rejects = true" if rejects else f"ignore_errors = {ignores}"
        return sql(f"read_csv({{}}, {{}}, {how})", value(path), options)


def _pointer(column: str) -> str:
    return "/" + column.replace("~", "~0").replace("/", "~1")


def _unused(wanted: str, taken: Sequence[str]) -> str:
    while wanted.casefold() in {each.casefold() for each in taken}:
        wanted += "_"
    return wanted
