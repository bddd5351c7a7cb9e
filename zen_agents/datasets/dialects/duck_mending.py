"""How DuckDB repairs a text."""

from __future__ import annotations

from zen_agents.datasets.contract import ColumnType
from zen_agents.datasets.dialects.duck import DuckDialect
from zen_agents.datasets.dialects.mending import BLANKS, Mending
from zen_agents.datasets.sql import Sql, sql, value


class DuckMending(Mending):
    """DuckDB."""

    def __init__(self) -> None:
        self._dialect = DuckDialect()

    def trimmed(self, text: Sql) -> Sql:
        # What needs no trimming is told ten times sooner than it is trimmed: printable ASCII at both ends, and within.
        may = sql("({} < '!' OR {}[-1] < '!' OR strlen({}) <> length({}))", text, text, text, text)
        return sql("CASE WHEN {} THEN trim({}, {}) ELSE {} END", may, text, value(BLANKS), text)

    def spaced(self, text: Sql) -> Sql:
        return sql("trim(regexp_replace({}, {}, ' ', 'g'))", text, value(r"[\s\p{Z}\x{FEFF}]+"))

    def composed(self, text: Sql) -> Sql:
        return sql("nfc_normalize({})", text)

    def number(self, plain: Sql, wanted: ColumnType, point: str) -> Sql:
        comma = point == ","
        bare = sql("regexp_replace({}, {}, '', 'g')", plain, value(r"[\s\p{Z}_'.]" if comma else r"[\s\p{Z}_',]"))
        bare = sql("replace({}, ',', '.')", bare) if comma else bare
        if wanted is ColumnType.INTEGER:
            bare = sql("regexp_replace({}, {}, '')", bare, value(r"\.0+$"))
        is_number = sql("{} IS NOT NULL", self._dialect.reads(bare, ColumnType.TEXT, wanted, ""))
        return sql("CASE WHEN {} THEN {} END", is_number, bare)

    def moment(self, plain: Sql, wanted: ColumnType, form: str, written: str) -> Sql:
        cast = self._dialect.casts[wanted]
        read = sql("try_strptime({}, {})", plain, value(form)) if form else sql(f"TRY_CAST({{}} AS {cast})", plain)
        if written:
            return sql("strftime({}, {})", read, value(written))
        return sql(f"CAST(CAST({{}} AS {cast}) AS VARCHAR)", read)

    def usual(self, plain: Sql, wanted: ColumnType) -> Sql:
        return sql(f"CAST(TRY_CAST({{}} AS {self._dialect.casts.get(wanted, 'VARCHAR')}) AS VARCHAR)", plain)
