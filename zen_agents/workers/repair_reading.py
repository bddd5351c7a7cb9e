"""One file of a data set as it is read to be repaired: every cell as it is, and how to write the same again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from zen_agents.dataclass import dataclass
from zen_agents.datasets.contract import ColumnType, Contract, RepairKind
from zen_agents.datasets.identifiers import literal
from zen_agents.datasets.repairs import UnrepairableError, drifted, quarantines
from zen_agents.datasets.source import SourceKind
from zen_agents.datasets.sql import Bound, Sql, joined, listed, name, sql, value
from zen_agents.workers.duck import Duck
from zen_agents.workers.file_bytes import from_plain, is_utf8, outline, to_plain

#: What no line of a text can hold four of in a row; so a line is one column.
_NEVER: Final = "\x1f\x1e\x1d\x1c"
_LONGEST_LINE: Final = 16 << 20
_LOOKED_AT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands behind FROM, and what its columns are called and hold."""

    relation: Sql
    columns: Mapping[str, ColumnType]
    #: Old name -> new name.
    renamed: Mapping[str, str]
    #: The column with all of a line, for JSON lines.
    line: str = ""
    #: Lines that are no row at all: number, text, and why.
    unread: tuple[tuple[int, str, str], ...] = ()


class Format(Protocol):
    """A kind of file."""

    @property
    def rewritten(self) -> tuple[str, ...]:
        """Return in words what of the whole file is written otherwise."""
        ...

    def read(self, duck: Duck) -> Reading:
        """Look at the columns."""
        ...

    def write(self, duck: Duck, query: Sql, to: Path) -> int:
        """Write the rows of a query as the file was written; return how many."""
        ...

    def count(self, duck: Duck, path: Path) -> int:
        """Return how many rows are in a file that was written."""
        ...


def format_of(contract: Contract, path: str, spill: Path) -> Format:
    """Return how a file is read and written."""
    kind = contract.source.kind
    if kind is SourceKind.PARQUET:
        return ParquetFormat(contract, path)
    return (LinesFormat if kind is SourceKind.JSONL else DelimitedFormat)(contract, path, spill)


class ParquetFormat:
    """Parquet: the types of columns and the way they are packed stay."""

    rewritten = ()

    def __init__(self, contract: Contract, path: str) -> None:
        self._contract, self._path = contract, path

    def read(self, duck: Duck) -> Reading:
        there = duck.rows(sql("DESCRIBE SELECT * FROM read_parquet({})", value(self._path)))
        held = {str(each[0]): duck.dialect.family(str(each[1])) for each in there}
        return _named(self._contract, sql("read_parquet({})", value(self._path)), held)

    def write(self, duck: Duck, query: Sql, to: Path) -> int:
        codecs = duck.rows(sql("SELECT DISTINCT compression FROM parquet_metadata({})", value(self._path)))
        codec = str(codecs[0][0]) if codecs else "SNAPPY"
        return duck.write(query, f"{literal(str(to))} (FORMAT parquet, COMPRESSION {literal(codec)})")

    def count(self, duck: Duck, path: Path) -> int:
        return int(duck.rows(sql("SELECT count(*) FROM read_parquet({})", value(str(path))))[0][0])


class _Text:
    """What text files share: packing, characters and line ends are kept, unless a repair says otherwise."""

    def __init__(self, contract: Contract, path: str, spill: Path) -> None:
        self._contract, self._options = contract, contract.source.options
        self._spill = spill
        kinds = {each.kind for each in contract.repairs}
        self._outline = outline(path, self._options.compression)
        is_foreign = not is_utf8(self._options.encoding)
        wants_ends, wants_utf8 = RepairKind.NORMALISE_LINE_ENDINGS in kinds, RepairKind.NORMALISE_ENCODING in kinds
        said = []
        self._path, self._packed = path, self._outline.packed
        if is_foreign or wants_ends:
            self._path, self._packed = str(spill / "plain"), "none"
            changed = to_plain(
                path, Path(self._path), packed=self._outline.packed, encoding=self._options.encoding, same_ends=wants_ends
            )
            said += ["line ends"] if changed else []
        self._encoding = "" if wants_utf8 or not is_foreign else self._options.encoding
        self._mark = self._outline.has_mark and not wants_utf8
        if wants_utf8 and (is_foreign or self._outline.has_mark):
            said.append("byte-order mark" if not is_foreign else f"{self._options.encoding} to UTF-8")
        self._wants_ends = wants_ends
        self.rewritten = tuple(said)

    def _finish(self, duck: Duck, query: Sql, to: Path, options: str, *, quote: str, crlf: bool) -> int:
        """Write, and then do what DuckDB cannot: line ends, another encoding, a byte-order mark."""
        is_plain = not (crlf or self._mark or self._encoding)
        packed = self._outline.packed
        if not is_plain and packed == "zstd":
            raise UnrepairableError("line ends and byte-order marks cannot be kept in what zstd packs; allow normalise_…")
        first = to if is_plain else self._spill / "written"
        how = packed if is_plain else "none"
        count = duck.write(query, f"{literal(str(first))} (FORMAT csv, COMPRESSION {literal(how)}, {options})")
        if not is_plain:
            from_plain(first, to, packed=packed, encoding=self._encoding, mark=self._mark, quote=quote, crlf=crlf)
            first.unlink()
        return count

    def _read_back(self, path: Path) -> str:
        """Return a written file as DuckDB can read it."""
        if not self._encoding:
            return str(path)
        plain = self._spill / "read-back"
        to_plain(str(path), plain, packed=self._outline.packed, encoding=self._encoding, same_ends=False)
        return str(plain)


class DelimitedFormat(_Text):
    """CSV and TSV: the separator, quotes, header and null texts stay as they are."""

    def __init__(self, contract: Contract, path: str, spill: Path) -> None:
        super().__init__(contract, path, spill)
        self._delimiter, self._quote, self._escape, self._crlf = self._options.delimiter, '"', '"', False

    def read(self, duck: Duck) -> Reading:
        self._sniff(duck)
        rejects = quarantines(self._contract) is not None
        there = duck.rows(sql("DESCRIBE SELECT * FROM {}", self._call(self._path, self._packed, rejects=rejects)))
        held = dict.fromkeys((str(each[0]) for each in there), ColumnType.TEXT)
        unread: tuple[tuple[int, str, str], ...] = ()
        if rejects:
            reading = self._call(self._path, self._packed, rejects=True, stored=True)
            unread = duck.unread(sql("SELECT count(*) FROM {}", reading))
        relation = self._call(self._path, self._packed, rejects=rejects)
        found = _named(self._contract, relation, held)
        return Reading(found.relation, found.columns, found.renamed, unread=unread)

    def write(self, duck: Duck, query: Sql, to: Path) -> int:
        nulls = self._options.nulls or ("",)
        options = ", ".join(
            (
                f"HEADER {self._options.header is not False}", f"DELIMITER {literal(self._delimiter)}",
                f"QUOTE {literal(self._quote)}", f"ESCAPE {literal(self._escape)}", f"NULLSTR {literal(nulls[0])}",
            )
        )  # fmt: skip
        crlf = self._crlf and not self._wants_ends
        return self._finish(duck, query, to, options, quote=self._quote, crlf=crlf)

    def count(self, duck: Duck, path: Path) -> int:
        packed = "none" if self._encoding else self._outline.packed
        rows = self._call(self._read_back(path), packed, rejects=False)
        return int(duck.rows(sql("SELECT count(*) FROM {}", rows))[0][0])

    def _sniff(self, duck: Duck) -> None:
        options = self._options
        given = {"delim": options.delimiter or ("\t" if self._contract.source.kind is SourceKind.TSV else "")}
        given |= {"quote": options.quote, "escape": options.escape}
        told = [sql(f"{key} = {{}}", value(text)) for key, text in given.items() if text]
        told += [sql("all_varchar = true, ignore_errors = true, compression = {}", value(self._packed))]
        found = duck.rows(
            sql("SELECT Delimiter, Quote, Escape, NewLineDelimiter FROM sniff_csv({}, {})", value(self._path), listed(told))
        )
        delimiter, quote, escape, ends = (str(each or "") for each in found[0])
        self._delimiter = given["delim"] or (delimiter if len(delimiter) == 1 else ",")
        self._quote = options.quote or (quote if quote in ('"', "'") else '"')
        self._escape = options.escape or (escape if escape in ('"', "'", "\\") else self._quote)
        self._crlf = ends in ("\\r\\n", "\r\n")

    def _call(self, path: str, packed: str, *, rejects: bool, stored: bool = False) -> Sql:
        options = self._options
        given = [
            sql("delim = {}", value(self._delimiter)), sql("quote = {}", value(self._quote)),
            sql("escape = {}", value(self._escape)), sql(f"header = {options.header is not False}"),
            sql("all_varchar = true, skip = 0, null_padding = false, compression = {}", value(packed)),
            sql("nullstr = {}", Sql((Bound(list(options.nulls)),))),
        ]  # fmt: skip
        if rejects:
            given.append(sql("store_rejects = true" if stored else "ignore_errors = true"))
        return sql("read_csv({}, {})", value(path), listed(given))


class LinesFormat(_Text):
    """JSON lines: a line in which nothing is repaired stays the very text that it is."""

    def read(self, duck: Duck) -> Reading:
        rejects = quarantines(self._contract) is not None
        lines = self._lines(self._path, self._packed, rejects=rejects)
        unread: tuple[tuple[int, str, str], ...] = ()
        is_row = sql("json_valid(line) AND json_type(TRY_CAST(line AS JSON)) = 'OBJECT'")
        numbered = sql("(SELECT line, row_number() OVER () AS n FROM {}) AS lines_", lines)
        bad = sql("SELECT n, line FROM {} WHERE line IS NOT NULL AND NOT coalesce({}, false)", numbered, is_row)
        if rejects:
            stored = self._lines(self._path, self._packed, rejects=True, stored=True)
            unread = duck.unread(sql("SELECT count(*) FROM {}", stored))
            unread += tuple((int(n), str(line), "no JSON object") for n, line in duck.rows(bad))
        else:
            first = duck.rows(sql("{} LIMIT 1", bad))
            if first:
                raise UnrepairableError(f"line {first[0][0]} is no JSON object; allow quarantine_rows to have it taken out")
        good = sql("(SELECT line FROM {} WHERE line IS NOT NULL AND {}) AS good_", lines, is_row)
        keys = duck.rows(
            sql(
                "SELECT DISTINCT unnest(json_keys(line)) FROM (SELECT line FROM {} LIMIT {}) AS some_",
                good,
                value(_LOOKED_AT),
            )
        )
        wanted = dict.fromkeys([*(each.name for each in self._contract.columns), *sorted(str(each[0]) for each in keys)])
        texts = [sql("json_extract_string(line, {}) AS {}", value(_pointer(each)), name(each)) for each in wanted if each]
        column = "line"
        while column in wanted:
            column += "_"
        relation = sql("(SELECT {}, line AS {} FROM {}) AS rows_of_", joined(", ", texts), name(column), good)
        if not texts:
            raise UnrepairableError("there is no row to repair")
        return Reading(relation, dict.fromkeys(wanted, ColumnType.TEXT), {}, column, unread)

    def write(self, duck: Duck, query: Sql, to: Path) -> int:
        return self._finish(duck, query, to, RAW_LINES, quote="", crlf=False)

    def count(self, duck: Duck, path: Path) -> int:
        packed = "none" if self._encoding else self._outline.packed
        lines = self._lines(self._read_back(path), packed, rejects=False)
        return int(duck.rows(sql("SELECT count(*) FROM {} WHERE line IS NOT NULL", lines))[0][0])

    def _lines(self, path: str, packed: str, *, rejects: bool, stored: bool = False) -> Sql:
        options = sql(
            "columns = {}, auto_detect = false, header = false, delim = {}, quote = '', escape = '', strict_mode = false,"
            f" max_line_size = {_LONGEST_LINE}, compression = {{}}",
            Sql((Bound({"line": "VARCHAR"}),)), value(_NEVER), value(packed),
        )  # fmt: skip
        how = "store_rejects = true" if stored else f"ignore_errors = {rejects}"
        return sql(f"read_csv({{}}, {{}}, {how})", value(path), options)


#: Options of COPY by which a column of texts is written as it is, one a line.
RAW_LINES: Final = f"HEADER false, QUOTE '', ESCAPE '', DELIMITER {literal(_NEVER[0])}"


def _named(contract: Contract, relation: Sql, held: Mapping[str, ColumnType]) -> Reading:
    renamed = drifted(contract, [*held])
    columns = {renamed.get(column, column): kind for column, kind in held.items()}
    if len(columns) != len(held):
        raise UnrepairableError("two headers would be called the same; correct the contract")
    if not renamed:
        return Reading(relation, columns, renamed)
    names = listed([sql("{} AS {}", name(old), name(renamed.get(old, old))) for old in held])
    return Reading(sql("(SELECT {} FROM {}) AS named_", names, relation), columns, renamed)


def _pointer(column: str) -> str:
    return "/" + column.replace("~", "~0").replace("/", "~1")
