"""What one check needs to know: aggregates of the pass over all rows, or a query of its own, and what their numbers say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from zen_agents.dataclass import dataclass
from zen_agents.datasets.contract import Check
from zen_agents.datasets.finding import ColumnProfile, FailingRow, Part
from zen_agents.datasets.scope import Scope
from zen_agents.datasets.sql import Sql, listed, sql
from zen_agents.datasets.twins import twins


class Measured(NamedTuple):
    """How many of how many failed; of a question about all rows at once, whether it does (1 of 1)."""

    failed: int
    total: int
    value: float | None = None
    #: What is wrong in words, where the numbers do not say it.
    reason: str = ""


#: The rows that a query answered.
Rows = Sequence[Sequence[Any]]


class Answered(NamedTuple):
    """What the database said."""

    #: Of the pass over all rows, in the order of its aggregates; the first is the number of rows.
    numbers: Sequence[Any]
    #: Of the check's own query; () if it was not asked.
    rows: Rows = ()

    @property
    def total(self) -> int:
        """The number of rows of the data set."""
        return int(self.numbers[0])


@dataclass(frozen=True, slots=True)
class Ask:
    """One check, ready to be asked."""

    check: Check
    #: Reads what the pass over all rows told; None: only `exactly` can tell.
    measure: Callable[[Answered], Measured] | None = None
    #: A query of its own, for what the pass cannot tell, or (if there is a `measure`) only roughly: whether anything fails.
    exactly: Sql | None = None
    #: Reads what that query told.
    read: Callable[[Answered], Measured] | None = None
    #: The condition of rows that fail, in a scope; None for what is not about single rows.
    failing: Callable[[Scope, Answered], Sql] | None = None
    #: Rows that fail and are known already, so that nothing is asked for them; () if they have to be asked for.
    known: Callable[[Answered], tuple[FailingRow, ...]] | None = None
    #: What the next runs are compared with; None for what has no memory.
    profile: Callable[[Answered], ColumnProfile] | None = None
    #: The same of files.
    parts: Callable[[Answered], tuple[Part, ...]] | None = None
    #: Why it cannot be asked; "" if it can.
    unknown: str = ""


class Pass:
    """The one query over all rows: aggregates, each once.

    Where reading the rows is what costs (text files), what keys need is kept beside it as facts of each row and grouped from
    there, in the same query: the rows are read once.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope, self._aggregates = scope, [sql("count(*)")]
        self._facts: list[Sql] = []
        #: Parts of a WITH.
        self._groups: list[Sql] = []

    def count_if(self, condition: Sql) -> int:
        """Return at which place of the answer the number of rows stands for which a condition is true."""
        return self._add(self._scope.dialect.count_if, condition)

    def count(self, given: Sql) -> int:
        """Return where the number of rows stands in which something is not null."""
        if self._scope.table.keeps_facts:
            return self.count_if(sql("{} IS NOT NULL", given))
        return self._add(lambda piece: sql("count({})", piece), given)

    def aggregate(self, made: Callable[[Sql], Sql], given: Sql) -> int:
        """Return where any other aggregate stands, which `made` makes of a value of each row."""
        return self._add(made, given)

    def grouped(self, keys: Sequence[Sql], most: int, *, is_whole: bool) -> tuple[int, int]:
        """Return where it stands how many rows have a twin in all these, and where a list of the least such keys.

        Only for tables that keep facts.
        """
        names, group = [self._fact(each) for each in keys], sql(f"group{len(self._groups)}_")
        most_bits = self._scope.contract.limits.memory_bytes
        self._groups += twins(group, sql("facts_"), names, is_whole=is_whole, most_bits=most_bits)
        # The least keys, so that each look shows the same.
        least = sql("SELECT * FROM {} ORDER BY {} LIMIT {}", group, listed(names), sql(str(most)))
        some = sql("(SELECT list([{}]) FROM ({}) AS some_)", _texts(names), least)
        return self._place(sql("(SELECT coalesce(sum(n), 0) FROM {})", group)), self._place(some)

    def query(self) -> Sql:
        """Return all of it."""
        if not self._facts:
            return sql("SELECT {} FROM {}", listed(self._aggregates), self._scope.rows())
        facts = listed([sql(f"{{}} AS f{at}", fact) for at, fact in enumerate(self._facts)])
        kept = sql("(SELECT {} FROM {})", facts, self._scope.rows())
        if not self._groups:
            return sql("SELECT {} FROM {} AS facts_", listed(self._aggregates), kept)
        parts = [sql("facts_ AS MATERIALIZED {}", kept), *self._groups]
        return sql("WITH {} SELECT {} FROM facts_", listed(parts), listed(self._aggregates))

    def _add(self, made: Callable[[Sql], Sql], piece: Sql) -> int:
        return self._place(made(self._fact(piece) if self._scope.table.keeps_facts else piece))

    def _fact(self, piece: Sql) -> Sql:
        if piece not in self._facts:
            self._facts.append(piece)
        return sql(f"f{self._facts.index(piece)}")

    def _place(self, aggregate: Sql) -> int:
        if aggregate not in self._aggregates:
            self._aggregates.append(aggregate)
        return self._aggregates.index(aggregate)


def _texts(names: Sequence[Sql]) -> Sql:
    return listed([sql("CAST({} AS VARCHAR)", each) for each in names])
