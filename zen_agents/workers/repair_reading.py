"""One file of a data set as it is read to be repaired, and written again; Parquet here, texts in `repair_text`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from zen_agents.dataclass import dataclass
from zen_agents.datasets import rewriting
from zen_agents.datasets.contract import ColumnType, Contract
from zen_agents.datasets.identifiers import literal
from zen_agents.datasets.repairs import UnrepairableError, drifted
from zen_agents.datasets.rewriting import NUMBER, Rewriting
from zen_agents.datasets.row_texts import Objects, RowTexts
from zen_agents.datasets.sql import Sql, listed, name, sql, value
from zen_agents.workers.duck import Duck, Unread
from zen_agents.workers.taken_rows import TakenRows

#: Of the cells of a row, by column.
Cells = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands behind FROM, and what its columns are called and hold."""

    relation: Sql
    columns: Mapping[str, ColumnType]
    texts: RowTexts
    #: Old name -> new name.
    renamed: Mapping[str, str]
    #: The column that says of a row that it is none after all, and why that is.
    no_row: str = ""
    why: str = ""
    #: The column with all of its text.
    line: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, counted by who wrote it."""

    rows: int
    kept: int
    dropped: int
    sha256: str


class Format(Protocol):
    """A kind of file."""

    @property
    def rewritten(self) -> tuple[str, ...]:
        """Return in words what of the whole file is written otherwise."""
        ...

    def read(self, duck: Duck) -> Reading:
        """Look at the columns."""
        ...

    def cells(self, text: str) -> Cells:
        """Return what is in a row, by one of its texts."""
        ...

    def card(self, body: bytes) -> Mapping[str, Any]:
        """Return what is written of a row that is taken out."""
        ...

    def write(self, duck: Duck, rows: Rewriting, unread: Sequence[Unread], to: Path, taken: TakenRows) -> Written:
        """Write what stays of the file that `FACTS` tell of, and what does not."""
        ...

    def count(self, duck: Duck, path: Path) -> int:
        """Return how many rows are in a file that was written."""
        ...


class ParquetFormat:
    """Parquet: the types of columns and the way they are packed stay."""

    rewritten = ()

    def __init__(self, contract: Contract, path: str) -> None:
        self._contract, self._path = contract, path

    def read(self, duck: Duck) -> Reading:
        """Look at the columns."""
        there = duck.rows(sql("DESCRIBE SELECT * FROM read_parquet({})", value(self._path)))
        held = {str(each[0]): duck.dialect.family(str(each[1])) for each in there}
        return named(self._contract, sql("read_parquet({})", value(self._path)), held, Objects(), number="file_row_number")

    def cells(self, text: str) -> Cells:
        """Return what is in a row, by one of its texts."""
        return {column: cell if cell is None else str(cell) for column, cell in json.loads(text).items()}

    def card(self, body: bytes) -> Mapping[str, Any]:
        """Return what is written of a row that is taken out."""
        return {"values": json.loads(body)}

    def write(self, duck: Duck, rows: Rewriting, unread: Sequence[Unread], to: Path, taken: TakenRows) -> Written:
        """Write the rows that stay by one query."""
        del unread
        codecs = duck.rows(sql("SELECT DISTINCT compression FROM parquet_metadata({})", value(self._path)))
        codec = str(codecs[0][0]) if codecs else "SNAPPY"
        kept = duck.write(rows.kept(), f"{literal(str(to))} (FORMAT parquet, COMPRESSION {literal(codec)})")
        for at, why, text in duck.rows(rewriting.taken()):
            taken.row(int(at), str(why), str(text).encode())
        read = int(duck.rows(rewriting.rows())[0][0])
        dropped = int(duck.rows(sql("SELECT count(*) FROM ({}) AS again_", rows.repeated()))[0][0])
        with to.open("rb") as stream:
            return Written(read, kept, dropped, hashlib.file_digest(stream, "sha256").hexdigest())

    def count(self, duck: Duck, path: Path) -> int:
        """Return how many rows are in a file that was written."""
        return int(duck.rows(sql("SELECT count(*) FROM read_parquet({})", value(str(path))))[0][0])


def named(
    contract: Contract, relation: Sql, held: Mapping[str, ColumnType], texts: RowTexts, *, number: str = ""
) -> Reading:
    """Return the rows with their columns called as the contract does, where it says so; `number` becomes `NUMBER`."""
    renamed = drifted(contract, [*held])
    columns = {renamed.get(column, column): kind for column, kind in held.items()}
    if len(columns) != len(held):
        raise UnrepairableError("two headers would be called the same; correct the contract")
    names = [sql("{} AS {}", name(old), name(new)) for old, new in zip(held, columns, strict=True)]
    names += [sql("{} AS {}", name(number), name(NUMBER))] if number else []
    return Reading(sql("(SELECT {} FROM {}) AS named_", listed(names), relation), columns, texts, renamed)
