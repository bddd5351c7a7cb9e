"""PostgreSQL's SQL. A cast that fails would end the query, so a text is cast only where it is known to be fit for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Final

from zen_agents.datasets.contract import ColumnType
from zen_agents.datasets.dialects.base import NUMERIC, QUANTILES, Dialect
from zen_agents.datasets.dialects.postgres_forms import iso_of
from zen_agents.datasets.dialects.postgres_patterns import postgres_pattern
from zen_agents.datasets.sql import Sql, listed, sql, value

_FAMILIES: Final = {
    ColumnType.INTEGER: ("smallint", "integer", "bigint"),
    ColumnType.NUMBER: ("real", "double precision"),
    ColumnType.DECIMAL: ("numeric", "money"),
    ColumnType.TEXT: ("text", "character varying", "character", "name", "citext"),
    ColumnType.BOOLEAN: ("boolean",),
    ColumnType.DATE: ("date",),
    ColumnType.TIME: ("time without time zone", "time with time zone"),
    ColumnType.TIMESTAMP: ("timestamp without time zone", "timestamp with time zone"),
    ColumnType.UUID: ("uuid",),
    ColumnType.JSON: ("json", "jsonb"),
}
_NUMBER: Final = r"^[+-]?([0-9]{1,99}\.?[0-9]{0,99}|\.[0-9]{1,99})([eE][+-]?[0-9]{1,2})?$"
_DAY: Final = "(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK: Final = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
_ZONE: Final = "(Z|[+-]([01][0-9])(:?[0-5][0-9])?)?"
#: The last day of its month is no earlier.
_IS_DAY: Final = (
    "CAST(substr({}, 9, 2) AS integer)"
    " <= extract(day FROM CAST(substr({}, 1, 8) || '01' AS date) + interval '1 month - 1 day')"
)
_READ_AS: Final = {
    ColumnType.INTEGER: "CASE WHEN {} ~ '^[+-]?[0-9]{1,60}$' THEN CASE WHEN CAST({} AS numeric)"
    " BETWEEN -9223372036854775808 AND 9223372036854775807 THEN CAST({} AS bigint) END END",
    ColumnType.NUMBER: f"CASE WHEN {{}} ~ '{_NUMBER}' THEN CAST({{}} AS double precision) END",
    ColumnType.DECIMAL: f"CASE WHEN {{}} ~ '{_NUMBER}' THEN CAST({{}} AS numeric) END",
    ColumnType.BOOLEAN: "CASE WHEN lower({}) IN ('true', 't', 'yes', 'y', '1') THEN true"
    " WHEN lower({}) IN ('false', 'f', 'no', 'n', '0') THEN false END",
    ColumnType.DATE: f"CASE WHEN {{}} ~ '^{_DAY}$' THEN CASE WHEN {_IS_DAY} THEN CAST({{}} AS date) END END",
    ColumnType.TIME: f"CASE WHEN {{}} ~ '^{_CLOCK}$' THEN CAST({{}} AS time) END",
    ColumnType.TIMESTAMP: f"CASE WHEN {{}} ~ '^{_DAY}([T ]{_CLOCK}{_ZONE})?$' THEN CASE WHEN {_IS_DAY}"
    " THEN CAST({} AS timestamptz) AT TIME ZONE 'UTC' END END",
    ColumnType.UUID: "CASE WHEN {} ~* '^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$' THEN CAST({} AS uuid) END",
    ColumnType.JSON: "CASE WHEN {} IS JSON THEN {} END",
}


class PostgresDialect(Dialect):
    """PostgreSQL, from version 12; whether a text is JSON it can tell from version 16."""

    placeholder: ClassVar = "%s"
    casts: ClassVar = {
        ColumnType.INTEGER: "bigint", ColumnType.NUMBER: "double precision", ColumnType.DECIMAL: "numeric",
        ColumnType.BOOLEAN: "boolean", ColumnType.DATE: "date", ColumnType.TIME: "time", ColumnType.TIMESTAMP: "timestamp",
        ColumnType.UUID: "uuid", ColumnType.TEXT: "text",
    }  # fmt: skip

    def family(self, stored: str) -> ColumnType:
        plain = stored.partition("(")[0].strip()
        return next((family for family, names in _FAMILIES.items() if plain in names), ColumnType.ANY)

    def reads(self, raw: Sql, stored: ColumnType, wanted: ColumnType, form: str) -> Sql:
        if wanted in (ColumnType.ANY, stored) or (stored in NUMERIC and wanted in (ColumnType.NUMBER, ColumnType.DECIMAL)):
            return raw
        if wanted is ColumnType.TEXT:
            return sql("CAST({} AS text)", raw)
        if stored in NUMERIC and wanted is ColumnType.INTEGER:
            return sql("CASE WHEN {} = trunc({}) AND CAST({} AS text) <> 'NaN' THEN {} END", raw, raw, raw, raw)
        # Braces of a regular expression are no places for a piece.
        text = raw if stored is ColumnType.TEXT else sql("CAST({} AS text)", raw)
        if form:
            text = iso_of(text, form, wanted)
        return _filled(_READ_AS[wanted], text)

    def text(self, given: Sql, held: ColumnType) -> Sql:
        return given if held is ColumnType.TEXT else sql("CAST({} AS text)", given)

    def exact(self, given: Sql) -> Sql:
        # A collation may take one letter for another.
        return sql('CAST({} AS text) COLLATE "C"', given)

    def matches(self, text: Sql, pattern: str) -> Sql:
        return sql("{} ~ {}", text, value(postgres_pattern(pattern)))

    def seconds(self, moment: Sql, held: ColumnType) -> Sql:
        del held
        return sql("CAST(extract(epoch FROM {}) AS double precision)", moment)

    def fingerprint(self, values: Sequence[Sql]) -> Sql:
        return sql("hashtextextended(CAST(ROW({}) AS text), 0)", listed(values))

    @property
    def quantiles(self) -> Sequence[Callable[[Sql], Sql]]:
        return [partial(sql, f"percentile_disc({part}) WITHIN GROUP (ORDER BY {{}})") for part in QUANTILES]


def _filled(template: str, piece: Sql) -> Sql:
    return sql(template, *[piece] * template.count("{}"))
