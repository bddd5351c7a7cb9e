"""Which rows fail a question about single rows, as a condition in SQL; it is not true where a value is missing."""

from __future__ import annotations

from functools import singledispatch
from typing import Final

from zen_agents.datasets.contract import ColumnType
from zen_agents.datasets.dialects.base import in_list
from zen_agents.datasets.questions import (
    Between,
    Compared,
    Holds,
    Length,
    Matches,
    NoneOf,
    NotNull,
    OfType,
    OneOf,
    Value,
)
from zen_agents.datasets.scope import Scope
from zen_agents.datasets.sql import Sql, joined, sql, value

#: How the one comparison that SQL writes otherwise is written there.
_SIGNS: Final = {"!=": "<>"}


class UntypedError(Exception):
    """The question needs to know what a column holds; the message says what to write."""


@singledispatch
def failing(question: object, scope: Scope) -> Sql:
    """Return the condition; MissingColumnError, UntypedError. TypeError for what is not asked of each row by itself."""
    raise TypeError(f"{question} is not asked of single rows of {scope.contract.name}")


@failing.register
def _of_type(question: OfType, scope: Scope) -> Sql:
    return sql("{} IS NOT NULL AND {} IS NULL", scope.raw(question.column), scope.value(question.column))


@failing.register
def _not_null(question: NotNull, scope: Scope) -> Sql:
    return sql("{} IS NULL", scope.raw(question.column))


@failing.register
def _between(question: Between, scope: Scope) -> Sql:
    column = question.column
    below, above = ("<=", ">=") if question.strict else ("<", ">")
    ends = [(sign, end) for sign, end in ((below, question.least), (above, question.most)) if end is not None]
    if scope.held(column) is ColumnType.TEXT and any(not isinstance(end, str) for _, end in ends):
        raise UntypedError(f"{column!r} is text and cannot be compared with a number; give the column a type")
    sides = [sql(f"{{}} {sign} {{}}", scope.value(column), _bound(scope, column, end)) for sign, end in ends]
    return joined(" OR ", sides) if sides else sql("1 = 0")


@failing.register
def _one_of(question: OneOf, scope: Scope) -> Sql:
    return sql("NOT ({})", _among(scope, question.column, question.values))


@failing.register
def _none_of(question: NoneOf, scope: Scope) -> Sql:
    return _among(scope, question.column, question.values)


@failing.register
def _matches(question: Matches, scope: Scope) -> Sql:
    return sql("NOT ({})", scope.dialect.matches(scope.text(question.column), question.pattern))


@failing.register
def _length(question: Length, scope: Scope) -> Sql:
    length = scope.dialect.length(scope.text(question.column))
    sides = [sql("{} < {}", length, value(question.least))] if question.least else []
    sides += [sql("{} > {}", length, value(question.most))] if question.most is not None else []
    return joined(" OR ", sides) if sides else sql("1 = 0")


@failing.register
def _compared(question: Compared, scope: Scope) -> Sql:
    column, other = question.column, question.other
    if {scope.held(column), scope.held(other)} == {ColumnType.TEXT} and not scope.is_declared(column):
        raise UntypedError(f"{column!r} and {other!r} are text and would be compared letter by letter; give them a type")
    sign = _SIGNS.get(question.comparison, question.comparison)
    return sql(f"NOT ({{}} {sign} {{}})", scope.value(column), scope.value(other))


@failing.register
def _holds(question: Holds, scope: Scope) -> Sql:
    from zen_agents.datasets.expression import condition  # noqa: PLC0415 - only where somebody wrote one

    return sql("NOT ({})", condition(question.sql).render(scope))


def _among(scope: Scope, column: str, values: tuple[Value, ...]) -> Sql:
    return in_list(scope.value(column), [_bound(scope, column, each) for each in values])


def _bound(scope: Scope, column: str, given: Value) -> Sql:
    return scope.dialect.bound(given, scope.held(column))
