"""What a contract for a sample could say: questions about each column to a database, and what their answers suggest."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.datasets.contract import ColumnType
from zen_agents.datasets.dialects.base import NUMERIC, Dialect
from zen_agents.datasets.sql import Sql, listed, name, sql, value

#: Types that a text may read as, the likeliest first, and how dates may be written besides ISO 8601.
_READINGS: Final = (
    (ColumnType.INTEGER, ""), (ColumnType.NUMBER, ""), (ColumnType.DATE, ""), (ColumnType.TIMESTAMP, ""),
    (ColumnType.UUID, ""), (ColumnType.TIME, ""), (ColumnType.DATE, "%d.%m.%Y"), (ColumnType.DATE, "%m/%d/%Y"),
    (ColumnType.DATE, "%d/%m/%Y"),
)  # fmt: skip
#: What texts often are.
_SHAPES: Final = {
    "e-mail addresses": r"[^@\s]+@[^@\s]+\.[^@\s]+",
    "addresses of the web": r"https?://[^\s]+",
}
_BOOLEANS: Final = frozenset({"true", "false", "yes", "no"})
#: So many different values are a list of all there may be, if each stands there so often on average.
_MOST_LISTED, _OFTEN = 12, 10
#: In fewer rows than this anything may be chance.
_FEW: Final = 100
_LONGEST_SHAPE, _LONGEST_KEY = 40, 100
#: What so many of the values are, the column is meant to hold: in a file that is not clean yet, few columns are what they
#: should be in every row.
_MOSTLY: Final = 0.8
#: In so many rows of all a key may stand that another row has as well.
_ALMOST_ALL: Final = 0.99
#: What `counts` comes to where there are none.
NO_VALUES: Final = (0, 0, None, None, 0, None, 0, *[0] * (len(_READINGS) + len(_SHAPES)))


@dataclass(frozen=True, slots=True)
class Strays:
    """Values that are not what most values of their column are."""

    #: What most are, as an expectation asks for it: `type: number`.
    asks: Mapping[str, object]
    count: int
    #: Of so many values, in so many rows.
    there: int
    rows: int

    @property
    def tolerated(self) -> str:
        """Return the least share of rows that lets them all pass, as a contract writes it."""
        return f"{math.ceil(self.count * 10_000 / self.rows) / 100:g}%"


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One column: what it seems to hold, what seems to hold of it, and what of that is a guess."""

    column: str
    type: ColumnType
    form: str = ""
    #: As an expectation says it: `not_null: true`.
    asks: Mapping[str, object] | None = None
    unsure: tuple[str, ...] = ()
    strays: Strays | None = None
    #: The first of them.
    examples: tuple[str, ...] = ()
    #: Values that stand there more than once, in a column that else is a key; and the first of them.
    repeats: Strays | None = None
    repeated: tuple[str, ...] = ()


def counts(column: str, stored: ColumnType, dialect: Dialect) -> Sql:
    """Return the aggregates that `suggested` reads first, of one column."""
    text = dialect.text(name(column), stored)
    shape = sql("regexp_replace({}, '[0-9]', '9', 'g')", text)
    for pattern, mark in (("[A-Z]", "A"), ("[a-z]", "a")):
        shape = sql("regexp_replace({}, {}, {}, 'g')", shape, value(pattern), value(mark))
    asked = [
        sql("count({})", text), sql("count(DISTINCT {})", text), sql("min(length({}))", text), sql("max(length({}))", text),
        sql("count(DISTINCT {})", shape), sql("min({})", shape),
        sql("count(CASE WHEN regexp_matches({}, '^[+-]?0[0-9]+([.][0-9]*)?$') THEN 1 END)", text),
        *(sql("count({})", reading(column, stored, dialect, *each)) for each in _READINGS),
        *(sql("count(CASE WHEN {} THEN 1 END)", dialect.matches(text, each)) for each in _SHAPES.values()),
    ]  # fmt: skip
    return listed(asked)


def reading(column: str, stored: ColumnType, dialect: Dialect, wanted: ColumnType, form: str = "") -> Sql:
    """Return a column as it would be read."""
    return dialect.reads(name(column), stored, wanted, form)


class Column:
    """What the answers say of one column."""

    def __init__(self, column: str, stored: ColumnType, answer: Sequence[Any], rows: int) -> None:
        self.name, self._stored, self._rows = column, stored, rows
        self.there, self.different, self._least, self._most, self._shapes, self._shape, self._zeros = answer[:7]
        self._read = dict(zip(_READINGS, answer[7 : 7 + len(_READINGS)], strict=True))
        self._looks = dict(zip(_SHAPES.values(), answer[7 + len(_READINGS) :], strict=True))

    @property
    def held(self) -> tuple[ColumnType, str]:
        """Return its type, which is what most of its values read as, and how dates in it are written."""
        if self._stored not in (ColumnType.TEXT, ColumnType.ANY):
            return self._stored, ""
        if not self.there:
            return ColumnType.ANY, ""
        # 007 is no number to anybody.
        able = [each for each in _READINGS if not (self._zeros and each[0] in NUMERIC)]
        likeliest = max(able, key=self._read.__getitem__)
        return likeliest if self._read[likeliest] >= _MOSTLY * self.there else (ColumnType.TEXT, "")

    @property
    def strays(self) -> Strays | None:
        """Return the values that are not what most are, if there are any."""
        if not self.there or self._stored not in (ColumnType.TEXT, ColumnType.ANY):
            return None
        asks: Mapping[str, object] = {"type": self.held[0]}
        alike = self._read.get(self.held, 0)
        if not alike:
            looks = max(self._looks, key=self._looks.__getitem__)
            asks, alike = {"matches": looks}, self._looks[looks]
        if self._is_listed or not _MOSTLY * self.there <= alike < self.there:
            return None
        return Strays(asks, self.there - alike, self.there, self._rows)

    def is_stray(self, dialect: Dialect, asks: Mapping[str, object]) -> Sql:
        """Return the condition that holds for the values that are not what most are."""
        if "matches" in asks:
            return sql("NOT {}", dialect.matches(dialect.text(name(self.name), self._stored), str(asks["matches"])))
        return sql("{} IS NULL", reading(self.name, self._stored, dialect, *self.held))

    @property
    def _is_listed(self) -> bool:
        return self.wants_values and bool(self.there >= _OFTEN * self.different)

    @property
    def wants_values(self) -> bool:
        """Tell whether all its values are worth asking for: there are few."""
        return bool(self.there) and self.held[0] is ColumnType.TEXT and self.different <= _MOST_LISTED

    @property
    def wants_ends(self) -> bool:
        """Tell whether its least and greatest value are worth asking for."""
        return bool(self.there) and self.held[0] in NUMERIC

    def suggestion(self, values: Sequence[str], ends: tuple[Any, Any] | None, examples: Sequence[str] = ()) -> Suggestion:
        """Return what is suggested, once its values, its ends and examples of strays are known, where they were wanted."""
        kind, form = self.held
        if values and {each.lower() for each in values} <= _BOOLEANS:
            kind = ColumnType.BOOLEAN
        asks: dict[str, object] = {}
        unsure: list[str] = []
        if self.there == self._rows and self._rows:
            asks["not_null"] = True
        self._key(kind, asks, unsure)
        if ends is not None and (bounds := _bounds(kind, *ends)):
            asks["between"] = bounds
            unsure.append("between is what was seen")
        if kind is ColumnType.TEXT:
            self._text(values, asks, unsure)
        if form in ("%m/%d/%Y", "%d/%m/%Y") and self._is_either():
            unsure.append("day and month may be the other way round")
        if not self.there:
            unsure.append("no value was seen")
        return Suggestion(self.name, kind, form, asks, tuple(unsure), self.strays, tuple(examples))

    @property
    def is_almost_a_key(self) -> bool:
        """Tell whether nearly every row has a value that no other has: in a file that is not clean yet, keys are so."""
        least = max(_FEW, _ALMOST_ALL * self._rows)
        return self._may_be_a_key(self.held[0]) and self.there >= least and least <= self.different < self.there

    def repeats(self, count: int) -> Strays:
        """Return so many values that stand there more than once."""
        return Strays({"unique": True}, count, self.there, self._rows)

    def _may_be_a_key(self, kind: ColumnType) -> bool:
        return kind in (ColumnType.INTEGER, ColumnType.TEXT, ColumnType.UUID) and (self._most or 0) <= _LONGEST_KEY

    def _key(self, kind: ColumnType, asks: dict[str, object], unsure: list[str]) -> None:
        if self._may_be_a_key(kind) and self.there > 1 and self.different == self.there == self._rows:
            asks["unique"] = True
            if self._rows < _FEW:
                unsure.append("unique may be chance")

    def _text(self, values: Sequence[str], asks: dict[str, object], unsure: list[str]) -> None:
        looks = [pattern for pattern, count in self._looks.items() if count == self.there]
        if values and self._is_listed:
            asks["one_of"] = [*values]
            if self.there < _FEW:
                unsure.append("one_of is what was seen")
        elif looks and self.there:
            asks["matches"] = looks[0]
        elif self.strays is not None:
            return  # what most look like is asked for
        elif self._shapes == 1 and self.there > 1 and 0 < len(self._shape) <= _LONGEST_SHAPE and "9" in self._shape:
            asks["matches"] = _pattern(self._shape)
            unsure.append("matches is the shape that all had")
        elif self.there > 1 and self._least == self._most:
            asks["length"] = [self._least, self._most]
            unsure.append("length is what all had")

    def _is_either(self) -> bool:
        return bool(self._read[ColumnType.DATE, "%m/%d/%Y"] == self._read[ColumnType.DATE, "%d/%m/%Y"])


def _bounds(kind: ColumnType, least: Any, most: Any) -> list[int | float] | None:
    try:
        ends: list[int | float] = [int(least), int(most)] if kind is ColumnType.INTEGER else [float(least), float(most)]
    except (TypeError, ValueError, OverflowError):
        return None
    return ends if all(abs(each) < 10**15 for each in ends) else None


def _pattern(shape: str) -> str:
    """Return the expression that all texts of a shape match: `AA99` is two letters and two digits."""
    classes = {"9": "[0-9]", "A": "[A-Z]", "a": "[a-z]"}
    parts = []
    for mark, run in groupby(shape):
        length = len([*run])
        parts.append(classes.get(mark, re.escape(mark)) + (f"{{{length}}}" if length > 1 else ""))
    return "".join(parts)
