"""Where a data set lies and how it is written there."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum

from zen_agents.dataclass import dataclass


class SourceKind(StrEnum):
    """What a data set is kept in."""

    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    JSONL = "jsonl"
    SQLITE = "sqlite"
    POSTGRES = "postgres"

    @property
    def is_file(self) -> bool:
        """Tell whether its rows are read out of files; the others are databases, which are asked where they are."""
        return self not in (SourceKind.SQLITE, SourceKind.POSTGRES)


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How a file is written. What is empty or None is told from the file itself."""

    #: One character each; "" is sniffed.
    delimiter: str = ""
    quote: str = ""
    escape: str = ""
    header: bool | None = None
    #: A name that Python knows; "" is UTF-8.
    encoding: str = ""
    #: `none`, `gzip` or `zstd`; "" is told by the file's first bytes.
    compression: str = ""
    #: Texts that stand for a missing value.
    nulls: tuple[str, ...] = ("",)
    #: Whether `year=2026/` in a path is a column.
    partitions: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """One place. Exactly what its kind needs is set: a `path` for files and SQLite, `table` or `query` for databases."""

    kind: SourceKind
    #: Absolute; of files it may hold wildcards.
    path: str = ""
    #: File that holds the connection string of a PostgreSQL (`host=... dbname=...` or a URL); it may hold the password.
    dsn_file: str = ""
    #: `orders` or `sales.orders`; untrusted, quoted by `identifiers.qualified` only.
    table: str = ""
    #: One SELECT instead of a table.
    query: str = ""
    #: The account that reads it; "": the owner of the file, and `nobody` for a file of root's.
    user: str = ""
    options: SourceOptions = field(default_factory=SourceOptions)

    @property
    def place(self) -> str:
        """Return where it is, in words for people."""
        return " ".join(part for part in (self.path or self.kind.value, self.table) if part)
