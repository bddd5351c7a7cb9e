"""SQLite's SQL. Its columns hold values of any type whatever they are declared as, so each value is looked at.

What SQLite cannot say is said by functions of ours, which whoever connects has to give the connection: `FUNCTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from zen_agents.datasets.contract import ColumnType
from zen_agents.datasets.dialects.base import NO_QUANTILES, Dialect, UnsaidError
from zen_agents.datasets.questions import Value
from zen_agents.datasets.sql import Sql, joined, sql, value
from zen_agents.model.pattern import compiled

_DIGITS: Final = "^[+-]?[0-9]+$"
_NUMBER: Final = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_TIME: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?$"
_UUID: Final = "^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$"
_TRUE, _FALSE = "('true', 't', 'yes', 'y', '1')", "('false', 'f', 'no', 'n', '0')"


def _whole(pattern: str, text: Any) -> bool | None:
    return None if text is None else compiled(f"^(?:{pattern})$").search(str(text)) is not None


def _integer(text: Any) -> int | None:
    if not compiled(_DIGITS).search(str(text)):
        return None
    number = int(text)
    return number if -(2**63) <= number < 2**63 else None


def _number(text: Any) -> float | None:
    return float(text) if compiled(_NUMBER).search(str(text)) else None


def _moment(text: Any, form: str) -> str | None:
    """Return a moment in UTC, written so that texts compare as moments do."""
    try:
        read = datetime.strptime(str(text), form) if form else datetime.fromisoformat(str(text))  # noqa: DTZ007 - see below
    except ValueError:
        return None
    # One without a zone is in UTC.
    return read.replace(tzinfo=read.tzinfo or UTC).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _day(text: Any, form: str) -> str | None:
    """Return a day as ISO 8601 has it."""
    if not form and (len(str(text)) != len("2026-01-31") or str(text)[4] != "-"):
        return None
    found = _moment(text, form)
    return found[:10] if found is not None else None


#: Name -> how many arguments it takes, and what it does; none of them changes anything.
FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "whole_match": (2, _whole), "read_integer": (1, _integer), "read_number": (1, _number), "read_moment": (2, _moment),
    "read_day": (2, _day),
}  # fmt: skip


class SqliteDialect(Dialect):
    """SQLite."""

    casts: ClassVar = {ColumnType.INTEGER: "INTEGER", ColumnType.NUMBER: "REAL", ColumnType.DECIMAL: "REAL"}

    def family(self, stored: str) -> ColumnType:
        declared = stored.upper()
        if any(word in declared for word in ("CHAR", "CLOB", "TEXT")):
            return ColumnType.TEXT
        return ColumnType.ANY

    def reads(self, raw: Sql, stored: ColumnType, wanted: ColumnType, form: str) -> Sql:
        if wanted in (ColumnType.ANY, stored):
            return raw
        if wanted is ColumnType.TEXT:
            return sql("CAST({} AS TEXT)", raw)
        template = _READ_AS[wanted]
        given = [value(form) if part == "form" else raw for part in template[1]]
        return sql(template[0], *given)

    def text(self, given: Sql, held: ColumnType) -> Sql:
        return given if held is ColumnType.TEXT else sql("CAST({} AS TEXT)", given)

    def matches(self, text: Sql, pattern: str) -> Sql:
        return sql("whole_match({}, {})", value(pattern), text)

    def seconds(self, moment: Sql, held: ColumnType) -> Sql:
        del held
        return sql("(julianday({}) - 2440587.5) * 86400.0", moment)

    def fingerprint(self, values: Sequence[Sql]) -> Sql:
        return joined(" || ',' || ", [sql("quote({})", each) for each in values])

    @property
    def quantiles(self) -> Sequence[Callable[[Sql], Sql]]:
        raise UnsaidError(NO_QUANTILES)

    def exact(self, given: Sql) -> Sql:
        return sql("quote({})", given)

    def differs(self, one: Sql, other: Sql) -> Sql:
        # What is written to a column of numbers becomes one: '5' there is 5.
        return sql("({} IS NOT {} COLLATE BINARY)", one, other)

    def bound(self, given: Value, held: ColumnType) -> Sql:
        if held is ColumnType.TIMESTAMP:
            return sql("read_moment({}, '')", value(str(given)))
        return super().bound(given, held)


_RAW = ("raw",)
_READ_AS: Final[Mapping[ColumnType, tuple[str, tuple[str, ...]]]] = {
    ColumnType.INTEGER: (
        "CASE typeof({}) WHEN 'integer' THEN {} WHEN 'text' THEN read_integer({})"
        " WHEN 'real' THEN CASE WHEN {} = CAST({} AS INTEGER) THEN CAST({} AS INTEGER) END END",
        6 * _RAW,
    ),
    ColumnType.NUMBER: ("CASE WHEN typeof({}) IN ('integer', 'real') THEN {} ELSE read_number({}) END", 3 * _RAW),
    ColumnType.DECIMAL: ("CASE WHEN typeof({}) IN ('integer', 'real') THEN {} ELSE read_number({}) END", 3 * _RAW),
    ColumnType.BOOLEAN: (
        f"CASE WHEN lower(CAST({{}} AS TEXT)) IN {_TRUE} THEN 1 WHEN lower(CAST({{}} AS TEXT)) IN {_FALSE} THEN 0 END",
        2 * _RAW,
    ),
    ColumnType.DATE: ("read_day({}, {})", ("raw", "form")),
    ColumnType.TIMESTAMP: ("read_moment({}, {})", ("raw", "form")),
    ColumnType.TIME: (f"CASE WHEN whole_match('{_TIME}', {{}}) THEN {{}} END", 2 * _RAW),
    ColumnType.UUID: (f"CASE WHEN whole_match('{_UUID}', {{}}) THEN lower({{}}) END", 2 * _RAW),
    ColumnType.JSON: ("CASE WHEN json_valid({}) THEN {} END", 2 * _RAW),
}
