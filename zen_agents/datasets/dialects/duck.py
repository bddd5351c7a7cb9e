"""DuckDB's SQL, which reads files.

DuckDB casts texts generously: `1.5` to the integer 2, `2026-01-31 10:00` to a date, `1_000` to a number. What reads as a
type here is what others agree on: digits with a sign, ISO 8601, and a point.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar

from zen_agents.datasets.contract import ColumnType
from zen_agents.datasets.dialects.base import NUMERIC, QUANTILES, Dialect
from zen_agents.datasets.sql import Sql, listed, sql, value

_FAMILIES = {
    ColumnType.INTEGER: re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?"),
    ColumnType.NUMBER: re.compile(r"FLOAT|DOUBLE"),
    ColumnType.DECIMAL: re.compile(r"DECIMAL.*"),
    ColumnType.TEXT: re.compile(r"VARCHAR|ENUM.*"),
    ColumnType.BOOLEAN: re.compile(r"BOOLEAN"),
    ColumnType.DATE: re.compile(r"DATE"),
    ColumnType.TIME: re.compile(r"TIME"),
    ColumnType.TIMESTAMP: re.compile(r"TIMESTAMP.*"),
    ColumnType.UUID: re.compile(r"UUID"),
    ColumnType.JSON: re.compile(r"JSON"),
}
#: Of a text that is none of these, the usual cast is the only way to tell.
_READ_AS = {
    # What is written as a number usually is; only the rest is looked at twice.
    ColumnType.INTEGER: "CASE WHEN CAST(TRY_CAST({} AS BIGINT) AS VARCHAR) = {} OR regexp_full_match({}, '[+-]?[0-9]+')"
    " THEN TRY_CAST({} AS BIGINT) END",
    ColumnType.NUMBER: "CASE WHEN NOT (contains({}, '_') OR contains({}, ' ')) THEN TRY_CAST({} AS DOUBLE) END",
    ColumnType.DECIMAL: "CASE WHEN NOT (contains({}, '_') OR contains({}, ' ')) THEN TRY_CAST({} AS DECIMAL(38, 9)) END",
    ColumnType.BOOLEAN: "TRY_CAST({} AS BOOLEAN)",
    # `2026-01-31`, and `2026/01/31`.
    ColumnType.DATE: "CASE WHEN strlen({}) = 10 THEN TRY_CAST({} AS DATE) END",
    ColumnType.TIME: "TRY_CAST({} AS TIME)",
    # Of one with a zone the plain cast would forget the zone.
    ColumnType.TIMESTAMP: "CASE WHEN strlen({}) = 10 OR (strlen({}) = 19 AND substr({}, 17, 1) = ':') THEN"
    " TRY_CAST({} AS TIMESTAMP) WHEN strlen({}) > 15 THEN timezone('UTC', TRY_CAST({} AS TIMESTAMPTZ)) END",
    ColumnType.UUID: "TRY_CAST({} AS UUID)",
    ColumnType.JSON: "CASE WHEN json_valid({}) THEN {} END",
}


class DuckDialect(Dialect):
    """DuckDB."""

    casts: ClassVar = {
        ColumnType.INTEGER: "BIGINT", ColumnType.NUMBER: "DOUBLE", ColumnType.DECIMAL: "DECIMAL(38, 9)",
        ColumnType.BOOLEAN: "BOOLEAN", ColumnType.DATE: "DATE", ColumnType.TIME: "TIME", ColumnType.TIMESTAMP: "TIMESTAMP",
        ColumnType.UUID: "UUID",
    }  # fmt: skip

    def family(self, stored: str) -> ColumnType:
        found = (family for family, pattern in _FAMILIES.items() if pattern.fullmatch(stored))
        return next(found, ColumnType.ANY)

    def reads(self, raw: Sql, stored: ColumnType, wanted: ColumnType, form: str) -> Sql:
        if wanted in (ColumnType.ANY, ColumnType.TEXT, stored) or (stored in NUMERIC and wanted in _WIDER):
            return raw
        if stored is ColumnType.TEXT:
            return self._read_text(raw, wanted, form)
        if stored in NUMERIC and wanted is ColumnType.INTEGER:
            return sql("CASE WHEN {} = trunc({}) AND isfinite(CAST({} AS DOUBLE)) THEN {} END", raw, raw, raw, raw)
        if stored is ColumnType.TIMESTAMP and wanted is ColumnType.DATE:
            return sql("CASE WHEN {} = CAST({} AS DATE) THEN CAST({} AS DATE) END", raw, raw, raw)
        return sql(f"TRY_CAST({{}} AS {self.casts.get(wanted, 'VARCHAR')})", raw)

    def text(self, given: Sql, held: ColumnType) -> Sql:
        return given if held is ColumnType.TEXT else sql("CAST({} AS VARCHAR)", given)

    def exact(self, given: Sql) -> Sql:
        return given

    def matches(self, text: Sql, pattern: str) -> Sql:
        return sql("regexp_full_match({}, {})", text, value(pattern))

    def count_if(self, condition: Sql) -> Sql:
        # A quarter of what counting a CASE takes; of no rows at all it is null.
        return sql("coalesce(count_if({}), 0)", condition)

    def seconds(self, moment: Sql, held: ColumnType) -> Sql:
        del held
        return sql("epoch({})", moment)

    def fingerprint(self, values: Sequence[Sql]) -> Sql:
        return sql("hash({})", listed(values))

    @property
    def quantiles(self) -> Sequence[Callable[[Sql], Sql]]:
        return [partial(sql, f"CAST(approx_quantile({{}}, {part}) AS DOUBLE)") for part in QUANTILES]

    def _read_text(self, raw: Sql, wanted: ColumnType, form: str) -> Sql:
        if form:
            moment = sql("try_strptime({}, {})", raw, value(form))
            return sql(f"CAST({{}} AS {self.casts[wanted]})", moment)
        template = _READ_AS[wanted]
        return sql(template, *[raw] * template.count("{}"))


_WIDER = (ColumnType.NUMBER, ColumnType.DECIMAL)
