"""Turns each check into what one pass over all rows tells, and into queries of their own only where that cannot tell it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from functools import partial, singledispatchmethod

from zen_agents.dataclass import dataclass
from zen_agents.datasets import keys, whole
from zen_agents.datasets.contract import Check
from zen_agents.datasets.dialects.base import NUMERIC, TEMPORAL, UnsaidError
from zen_agents.datasets.drift import decile_drift, quantiles_of, share_drift, shares_of, shares_query
from zen_agents.datasets.finding import ColumnProfile, Profile
from zen_agents.datasets.measure import Answered, Ask, Measured, Pass
from zen_agents.datasets.partitions import judged, parts
from zen_agents.datasets.predicates import UntypedError, failing
from zen_agents.datasets.questions import (
    Drift,
    Fresh,
    HasColumns,
    NoDuplicates,
    NotNull,
    OfType,
    Partitions,
    Readable,
    References,
    RowCount,
    RowCountChange,
    Unique,
)
from zen_agents.datasets.scope import MissingColumnError, Scope
from zen_agents.datasets.sql import Sql, sql


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a question may need besides the rows."""

    #: Seconds since the epoch.
    now: float
    #: The last good run, None before there was one.
    before: Profile | None = None
    #: Other data sets in the same database, by name; a text says why one is not there.
    others: Mapping[str, Scope | str] = field(default_factory=dict)


class Asker:
    """Makes the asks of one query over all rows: what they need of each row goes through its scope, once."""

    def __init__(self, scope: Scope, around: Surroundings) -> None:
        self.scope, self.main, self._around = scope, Pass(scope), around

    def ask(self, check: Check) -> Ask:
        """Return how a check is asked; one that cannot be says why."""
        try:
            return self._ask(check.asks, check)
        except (MissingColumnError, UntypedError, UnsaidError) as error:
            return Ask(check, unknown=str(error))

    @singledispatchmethod
    def _ask(self, asked: object, check: Check) -> Ask:
        """Ask of each row by itself."""
        place = self.main.count_if(failing(asked, self.scope))
        return Ask(check, lambda told: Measured(told.numbers[place], told.total), failing=_fails(asked))

    @_ask.register
    def _readable(self, asked: Readable, check: Check) -> Ask:
        del asked
        damage = self.scope.table.damage
        return Ask(check, lambda _: Measured(int(bool(damage)), 1, None, damage))

    @_ask.register
    def _has_columns(self, asked: HasColumns, check: Check) -> Ask:
        judged = whole.columns(self.scope.contract, self.scope.table, exact=asked.exact)
        return Ask(check, lambda _: judged)

    # Counting what is there costs next to nothing beside asking of each row whether it is.
    @_ask.register
    def _not_null(self, asked: NotNull, check: Check) -> Ask:
        there = self.main.count(self.scope.raw(asked.column))
        return Ask(check, lambda told: Measured(told.total - told.numbers[there], told.total), failing=_fails(asked))

    @_ask.register
    def _of_type(self, asked: OfType, check: Check) -> Ask:
        there, read = self.main.count(self.scope.raw(asked.column)), self.main.count(self.scope.value(asked.column))
        return Ask(check, lambda told: Measured(told.numbers[there] - told.numbers[read], told.total), failing=_fails(asked))

    @_ask.register
    def _row_count(self, asked: RowCount, check: Check) -> Ask:
        return Ask(check, lambda told: whole.counted(told.total, asked))

    @_ask.register
    def _row_count_change(self, asked: RowCountChange, check: Check) -> Ask:
        return Ask(check, lambda told: whole.changed(told.total, asked, self._around.before))

    @_ask.register
    def _partitions(self, asked: Partitions, check: Check) -> Ask:
        table, around = self.scope.table, self._around
        if not table.files:
            return Ask(check, unknown="a database has no files that are due")
        counts = (
            None if table.file is None else self.main.aggregate(partial(sql, "histogram({})"), self.scope.file(table.file))
        )

        def rows(told: Answered) -> dict[str, int]:
            found = {} if counts is None else told.numbers[counts] or {}
            alone = told.total if counts is None else 0
            return {known: int(found.get(path, alone)) for path, known in table.files.items()}

        return Ask(
            check, lambda told: judged(asked, rows(told), around.before, around.now), parts=lambda told: parts(rows(told))
        )

    @_ask.register
    def _fresh(self, asked: Fresh, check: Check) -> Ask:
        within, now = asked.within_seconds, self._around.now
        if not asked.column and self.scope.table.modified_at is None:
            return Ask(check, unknown="a database does not tell when its rows were written; name a column")
        if not asked.column:
            return Ask(check, lambda _: whole.aged(self.scope.table.modified_at, within, now))
        held = self.scope.held(asked.column)
        if held not in TEMPORAL:
            raise UntypedError(f"{asked.column!r} holds no date or timestamp; give it that type")
        place = self.main.aggregate(
            lambda moment: self.scope.dialect.seconds(sql("max({})", moment), held), self.scope.value(asked.column)
        )
        return Ask(check, lambda told: whole.aged(told.numbers[place], within, now))

    @_ask.register
    def _drift(self, asked: Drift, check: Check) -> Ask:
        column, before = asked.column, self._around.before
        if asked.by == "shares":
            return Ask(
                check, None, shares_query(self.scope.afresh(), column),
                lambda told: share_drift(asked, shares_of(told.rows, told.total), before),
                profile=lambda told: ColumnProfile(column, shares=shares_of(told.rows, told.total)),
            )  # fmt: skip
        if self.scope.held(column) not in NUMERIC:
            raise UntypedError(f"{column!r} holds no numbers; give it such a type, or ask for shares")
        places = [self.main.aggregate(made, self.scope.value(column)) for made in self.scope.dialect.quantiles]
        return Ask(
            check, lambda told: decile_drift(asked, quantiles_of([told.numbers[at] for at in places]), before),
            profile=lambda told: ColumnProfile(column, quantiles=quantiles_of([told.numbers[at] for at in places])),
        )  # fmt: skip

    @_ask.register
    def _unique(self, asked: Unique, check: Check) -> Ask:
        return keys.unique(check, asked, self.scope, self.main)

    @_ask.register
    def _no_duplicates(self, asked: NoDuplicates, check: Check) -> Ask:
        del asked
        return keys.no_duplicates(check, self.scope, self.main)

    @_ask.register
    def _references(self, asked: References, check: Check) -> Ask:
        return keys.references(check, asked, self.scope, self._around.others.get(asked.dataset))


def _fails(asked: object) -> Callable[[Scope, Answered], Sql]:
    return lambda scope, _: failing(asked, scope)
