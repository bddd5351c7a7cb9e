"""The one place where a name that others chose becomes part of SQL."""

from __future__ import annotations


def identifier(name: str) -> str:
    """Return a name so quoted that DuckDB, PostgreSQL and SQLite take all of it as one name; ValueError if none can be it.

    SQLite takes such a name for a text where no column has it: whoever asks makes sure that the column is there.
    """
    if not name or "\0" in name:
        raise ValueError("a name is empty or has a NUL in it")
    return '"' + name.replace('"', '""') + '"'


def qualified(name: str) -> str:
    """Return `schema.table` with each part quoted."""
    return ".".join(map(identifier, name.split(".")))


def literal(text: str) -> str:
    """Return a text as a literal, where no value can be bound (the options of COPY); ValueError for a NUL in it."""
    if "\0" in text:
        raise ValueError("a text has a NUL in it")
    return "'" + text.replace("'", "''") + "'"
