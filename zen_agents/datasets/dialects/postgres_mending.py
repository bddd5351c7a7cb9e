"""How PostgreSQL repairs a text."""

from __future__ import annotations

from zen_agents.datasets.contract import ColumnType
from zen_agents.datasets.dialects.mending import BLANKS, Mending
from zen_agents.datasets.dialects.postgres import PostgresDialect
from zen_agents.datasets.dialects.postgres_forms import written_by
from zen_agents.datasets.sql import Sql, sql, value


class PostgresMending(Mending):
    """PostgreSQL, from version 13."""

    def __init__(self) -> None:
        self._dialect = PostgresDialect()

    def trimmed(self, text: Sql) -> Sql:
        return sql("btrim({}, {})", text, value(BLANKS))

    def spaced(self, text: Sql) -> Sql:
        return sql("btrim(regexp_replace({}, {}, ' ', 'g'))", text, value(f"[{BLANKS}]+"))

    def composed(self, text: Sql) -> Sql:
        return sql("normalize({}, NFC)", text)

    def number(self, plain: Sql, wanted: ColumnType, point: str) -> Sql:
        bare = sql("translate({}, {}, '')", plain, value(f"{BLANKS}_'{'.' if point == ',' else ','}"))
        bare = sql("replace({}, ',', '.')", bare) if point == "," else bare
        if wanted is ColumnType.INTEGER:
            bare = sql("regexp_replace({}, {}, '')", bare, value(r"\.0+$"))
        return sql("CASE WHEN {} IS NOT NULL THEN {} END", self._read(bare, wanted), bare)

    def moment(self, plain: Sql, wanted: ColumnType, form: str, written: str) -> Sql:
        read = self._read(plain, wanted, form)
        return written_by(read, written) if written else sql("CAST({} AS text)", read)

    def usual(self, plain: Sql, wanted: ColumnType) -> Sql:
        return sql("CAST({} AS text)", self._read(plain, wanted))

    def _read(self, plain: Sql, wanted: ColumnType, form: str = "") -> Sql:
        return self._dialect.reads(plain, ColumnType.TEXT, wanted, form)
