"""How DuckDB reads the files of a data set: as text where they are text, so that what is not of its type is counted."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.dataclass import dataclass
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.encodings import by_database
from zen_agents.datasets.source import Source, SourceKind, SourceOptions
from zen_agents.datasets.sql import Bound, Sql, joined, listed, name, sql, value

#: DuckDB's names of what else it could tell from a file's name, which here is one of ours.
_COMPRESSIONS = {"": "auto", "none": "none", "gzip": "gzip", "zstd": "zstd"}


@dataclass(frozen=True, slots=True)
class OpenedFiles:
    """The files of a data set as they are read: under paths that this process alone gave them."""

    #: Path to read -> path as people know it.
    paths: dict[str, str]
    #: When the newest was written last (seconds since the epoch).
    modified_at: float
    #: Whether there is no byte in any of them.
    is_empty: bool = False

    @property
    def readable(self) -> Sequence[str]:
        """Return every path that may be opened for them: where one is written anew to be read is beside it."""
        return [each for path in self.paths for each in (path, plain_of(path))]

    def only(self, path: str) -> OpenedFiles:
        """Return one of them."""
        return OpenedFiles({path: self.paths[path]}, self.modified_at, self.is_empty)


def plain_of(path: str) -> str:
    """Return where what a file holds is written anew as the database can read it, if need be."""
    return f"{path}.plain"


def described(source: Source, files: OpenedFiles) -> Sql:
    """Return the query that names the columns and their types, from the beginning of the files."""
    return sql("DESCRIBE SELECT * FROM {}", _reading(source, files))


def relation(contract: Contract, files: OpenedFiles, columns: Sequence[str]) -> Sql:
    """Return what stands behind FROM; of JSON lines each column as text."""
    if contract.source.kind is not SourceKind.JSONL:
        return _reading(contract.source, files, columns)
    texts = listed([sql("{} ->> '$' AS {}", name(column), name(column)) for column in columns])
    read = _call(
        "read_json", files, format=value("newline_delimited"), columns=_typed(columns, "JSON"), ignore_errors=sql("false")
    )
    return sql("(SELECT {}, filename FROM {}) AS lines_", texts, read)


def _reading(source: Source, files: OpenedFiles, columns: Sequence[str] = ()) -> Sql:
    if source.kind is SourceKind.PARQUET:
        return _call("read_parquet", files, hive_partitioning=sql(str(source.options.partitions)))
    if source.kind is SourceKind.JSONL:
        return _call("read_json", files, format=value("newline_delimited"))
    return _call("read_csv", files, **_written(source), **_columns(source, files, columns))


def _columns(source: Source, files: OpenedFiles, columns: Sequence[str]) -> dict[str, Sql]:
    """Return how the columns are given: by name, so that nothing is told from the file anew, once they are known.

    Which of them are parts of the path only a look tells.
    """
    if not columns or source.options.partitions or files.is_empty:
        return {"all_varchar": sql("true")}
    return {"auto_detect": sql("false"), "columns": _typed(columns, "VARCHAR")}


def _written(source: Source) -> dict[str, Sql]:
    options: SourceOptions = source.options
    delimiter = options.delimiter or ("\t" if source.kind is SourceKind.TSV else "")
    given = {"delim": delimiter, "quote": options.quote, "escape": options.escape, "encoding": by_database(options.encoding)}
    return {
        "header": sql(str(options.header is not False)),
        "hive_partitioning": sql(str(options.partitions)),
        "hive_types_autocast": sql("false"),
        "compression": value(_COMPRESSIONS[options.compression]),
        "nullstr": Sql((Bound(list(options.nulls)),)),
        **{key: value(text) for key, text in given.items() if text},
    }


def _typed(columns: Sequence[str], held: str) -> Sql:
    return Sql((Bound(dict.fromkeys(columns, held)),))


def _call(function: str, files: OpenedFiles, **options: Sql) -> Sql:
    named = [sql(f"{key} = {{}}", given) for key, given in options.items()]
    return sql(f"{function}({{}})", joined(", ", [Sql((Bound([*files.paths]),)), *named]))
