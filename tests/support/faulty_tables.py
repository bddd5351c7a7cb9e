"""Tables with planted faults, and what reading them row by row finds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date

from hypothesis import strategies as st

from zen_agents.datasets.contract import Column, ColumnType
from zen_agents.datasets.questions import (
    Between,
    Compared,
    HasColumns,
    Holds,
    Length,
    Matches,
    NoDuplicates,
    NoneOf,
    NotNull,
    OfType,
    OneOf,
    Question,
    Readable,
    RowCount,
    Unique,
)

COLUMNS = (
    Column("id", ColumnType.INTEGER),
    Column("amount", ColumnType.NUMBER),
    Column("status"),
    Column("ordered", ColumnType.DATE),
    Column('sh"ip; drop', ColumnType.DATE),
)
NAMES = [column.name for column in COLUMNS]
Row = tuple[str | None, ...]

IDS = st.one_of(
    st.none(), st.integers(-3, 6).map(str), st.sampled_from(["1.5", "x", "007", "+7", "1e3", "0x1F", "1_0", " 1", "9" * 19])
)
AMOUNTS = st.one_of(st.none(), st.sampled_from(["0", "-1", "99.5", "100", "100.01", "1e2", "abc", "1,5", "1_0", " 2", ".5"]))
STATES = st.one_of(st.none(), st.sampled_from(["new", "paid", "late", "x'); --", "ünï", "a\nb", 'q"q', "new "]))
DAYS = st.one_of(
    st.none(), st.sampled_from(["2026-01-01", "2026-01-31", "2026-02-30", "2026-1-3", "20260101", "2026-01-02 10:00"])
)
TABLES = st.lists(st.tuples(IDS, AMOUNTS, STATES, DAYS, DAYS), max_size=12)


def _integer(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"[+-]?[0-9]+", text) and abs(int(text)) < 2**63 else None


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[0-9]+)?", text) else None


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text and len(text) == 10 else None
    except ValueError:
        return None


def _twins(keys: Sequence[tuple[object, ...]]) -> int:
    counts = Counter(key for key in keys if None not in key)
    return sum(count for count in counts.values() if count > 1)


def _every(fails: Callable[[Row], bool]) -> Callable[[Sequence[Row]], int]:
    return lambda rows: sum(map(fails, rows))


#: Each question, and what it comes to when somebody reads row by row.
ASKED: list[tuple[Question, Callable[[Sequence[Row]], int]]] = [
    (Readable(), lambda rows: 0),
    (HasColumns(exact=True), lambda rows: 0),
    (RowCount(3, 9), lambda rows: not 3 <= len(rows) <= 9),
    (OfType("id"), _every(lambda row: row[0] is not None and _integer(row[0]) is None)),
    (OfType("amount"), _every(lambda row: row[1] is not None and _number(row[1]) is None)),
    (OfType("ordered"), _every(lambda row: row[3] is not None and _day(row[3]) is None)),
    (NotNull("id"), _every(lambda row: row[0] is None)),
    (Unique(("id",)), lambda rows: _twins([(_integer(row[0]),) for row in rows])),
    (Unique(("status", "ordered")), lambda rows: _twins([(row[2], _day(row[3])) for row in rows])),
    (NoDuplicates(), lambda rows: len(rows) - len(set(rows))),
    (Between("amount", 0, 100), _every(lambda row: (at := _number(row[1])) is not None and not 0 <= at <= 100)),
    (Between("id", 0, 5, strict=True), _every(lambda row: (at := _integer(row[0])) is not None and not 0 < at < 5)),
    (Between("ordered", "2026-01-02"), _every(lambda row: (at := _day(row[3])) is not None and at < date(2026, 1, 2))),
    (OneOf("status", ("new", "paid")), _every(lambda row: row[2] not in (None, "new", "paid"))),
    (NoneOf("status", ("x'); --", "late")), _every(lambda row: row[2] in ("x'); --", "late"))),
    (Matches("status", "[a-z]+"), _every(lambda row: row[2] is not None and not re.fullmatch("[a-z]+", row[2]))),
    (Length("status", 4, 4), _every(lambda row: row[2] is not None and len(row[2]) != 4)),
    (
        Compared(NAMES[4], ">=", "ordered"),
        _every(lambda row: (a := _day(row[4])) is not None and (b := _day(row[3])) is not None and a < b),
    ),
    (
        Holds("amount <= 100 or status = 'late'"),
        _every(lambda row: row[2] is not None and row[2] != "late" and (_number(row[1]) or 0) > 100),
    ),
]  # fmt: skip
