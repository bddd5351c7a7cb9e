"""`source:` where a data set lies."""

from __future__ import annotations

import re
from difflib import get_close_matches
from encodings import aliases
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from zen_agents.datasets.encodings import known
from zen_agents.datasets.source import Source, SourceKind, SourceOptions
from zen_agents.model.plain_path import check_absolute_path
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import AbsolutePath, Account, Line
from zen_agents.model.section import Section

_WILD = re.compile(r"[*?\[]")


def check_data_path(value: str) -> str:
    """Return an absolute path whose wildcards leave a directory in front of them: nothing outside that is read."""
    path = check_absolute_path(value)
    if not path.partition("/")[2].partition("/")[0] or _WILD.search(path.split("/")[1]):
        raise refuse("path", f"needs a plain directory in front of its wildcards, got `{value}`")
    return path


def check_encoding(value: str) -> str:
    """Return the name of an encoding that a file can be written in."""
    if value and not known(value):
        near = next(iter(get_close_matches(value.lower(), sorted({*aliases.aliases, *aliases.aliases.values()}), n=1)), "")
        label = f"did you mean `{near}`?" if near else ""
        raise refuse("name", f"is `{value}`, which is no encoding that is known here", label=label, suggest=near)
    return value


#: An absolute path, with wildcards anywhere below a plain directory; `**` is any directories.
DataPath = Annotated[str, AfterValidator(check_data_path)]
_Character = Annotated[str, Field(min_length=1, max_length=1)]


class DataSource(Section):
    """One place: a file or several of a kind, or a database."""

    csv: DataPath | None = Field(None, description="files of comma-separated values (or another `delimiter`)")
    tsv: DataPath | None = Field(None, description="the same with tabs")
    parquet: DataPath | None = Field(None, description="Parquet files")
    jsonl: DataPath | None = Field(None, description="files with a JSON object on each line")
    sqlite: AbsolutePath | None = Field(None, description="file of an SQLite database; with `table` or `query`")
    postgres: AbsolutePath | None = Field(
        None, description="file that holds how to connect to a PostgreSQL (`host=... dbname=...` or a URL)"
    )
    table: Line = Field("", description="table of a database, with its schema if need be")
    query: str = Field("", description="one SELECT instead of a table", max_length=10_000)
    user: Account | None = Field(
        None, description="account that reads it, where the engine is root; empty: nobody, or the file's owner"
    )
    delimiter: _Character | None = Field(None, description="what stands between values; empty: told from the file")
    quote: _Character | None = Field(None, description="what stands around values; empty: told from the file")
    escape: _Character | None = Field(None, description="what stands before a quote within one; empty: told from the file")
    header: bool = Field(True, description="false: the first line is a row, and columns are column0, column1 and so on")
    encoding: Annotated[Line, AfterValidator(check_encoding)] = Field(
        "", description="how characters are written, like cp1252; empty: UTF-8, or as a byte-order mark says"
    )
    compression: Literal["auto", "none", "gzip", "zstd"] = Field("auto", description="how files are packed")
    nulls: tuple[str, ...] = Field(("",), max_length=20, description="texts that stand for a missing value")
    partitions: bool = Field(False, description="true: `year=2026` in a path is a column")

    @model_validator(mode="after")
    def _one_place(self) -> DataSource:
        places = [kind for kind in SourceKind if getattr(self, kind.value) is not None]
        if len(places) != 1:
            raise refuse("one_of", f"needs one of {', '.join(SourceKind)}, got {' and '.join(places) or 'none'}")
        is_database, asked = not places[0].is_file, bool(self.table) + bool(self.query)
        if is_database and asked != 1:
            raise refuse("one_of", "needs a `table` or a `query`, and not both")
        if not is_database and asked:
            raise refuse(
                "conflict", f"stands beside `{places[0]}`, which has no tables", at="table" if self.table else "query"
            )
        return self

    def place(self) -> Source:
        """Return it as what is read."""
        kind = next(kind for kind in SourceKind if getattr(self, kind.value) is not None)
        written: str = getattr(self, kind.value)
        options = SourceOptions(
            self.delimiter or "", self.quote or "", self.escape or "", self.header, self.encoding,
            "" if self.compression == "auto" else self.compression, self.nulls, self.partitions,
        )  # fmt: skip
        is_postgres = kind is SourceKind.POSTGRES
        return Source(
            kind, "" if is_postgres else written, written if is_postgres else "", self.table, self.query,
            self.user or "", options,
        )  # fmt: skip
