"""Asks an application's SQLite database: `shop.py FILE STATEMENT...`; prints the first value of what each answers."""

from __future__ import annotations

import contextlib
import sqlite3
import sys

with contextlib.closing(sqlite3.connect(sys.argv[1], timeout=10.0)) as connection:
    for statement in sys.argv[2:]:
        for row in connection.execute(statement):
            print(row[0])  # noqa: T201 - its answer
    connection.commit()
