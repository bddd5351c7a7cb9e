"""An application's records, each with its own checksum: `records.py make|check FILE ROWS`.

The ending says how: .json (lines), .csv, .db, or .parquet, which is only made, by DuckDB. `check` prints the rows that are
as they were written, and fails if another one is there or the file cannot be read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path


def make(path: Path, rows: int) -> None:
    """Write them."""
    records = [(number, text := f"order {number:06} " + "x" * 80, _sum(text)) for number in range(rows)]
    if path.suffix == ".json":
        lines = (json.dumps({"id": number, "text": text, "sum": total}) for number, text, total in records)
        path.write_text("".join(line + "\n" for line in lines), encoding="ascii")
        return
    if path.suffix == ".csv":
        rows_of_text = (f"{number},{text},{total}\n" for number, text, total in records)
        path.write_text("id,text,sum\n" + "".join(rows_of_text), encoding="ascii")
        return
    if path.suffix == ".parquet":
        _make_parquet(path, records)
        return
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, text TEXT, sum TEXT)")
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", records)
        connection.commit()


def _make_parquet(path: Path, records: Sequence[tuple[int, str, str]]) -> None:
    import duckdb  # noqa: PLC0415 - the others are made without any library

    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE orders (id INTEGER, text TEXT, sum TEXT)")
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", records)
        connection.execute("COPY orders TO $path (FORMAT parquet)", {"path": str(path)})


def check(path: Path) -> int:
    """Return how many are right; SystemExit if one is not."""
    right = 0
    for _, text, total in _records(path):
        if _sum(text) != total:
            raise SystemExit(f"{path} holds a record that nobody wrote so")
        right += 1
    return right


def _records(path: Path) -> Iterator[tuple[int, str, str]]:
    try:
        if path.suffix == ".json":
            for line in path.read_bytes().splitlines():
                found = json.loads(line)
                yield found["id"], found["text"], found["sum"]
            return
        if path.suffix == ".csv":
            for number, text, total in (line.split(",") for line in path.read_text("ascii").splitlines()[1:]):
                yield int(number), text, total
            return
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise SystemExit(f"{path} is damaged")
            yield from connection.execute("SELECT id, text, sum FROM orders")
    except (ValueError, KeyError, sqlite3.DatabaseError) as error:
        raise SystemExit(f"{path} cannot be read: {error}") from None


def _sum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


if sys.argv[1] == "make":
    make(Path(sys.argv[2]), int(sys.argv[3]))
else:
    print(check(Path(sys.argv[2])))  # noqa: T201 - its answer
