"""The queries by which the rows of a table are repaired where they are: which of them it is about, and what they become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from zen_agents.datasets.contract import ColumnType, Contract, RepairKind
from zen_agents.datasets.dialects.base import Dialect
from zen_agents.datasets.dialects.mending import Mending
from zen_agents.datasets.repairs import Cells, UnrepairableError
from zen_agents.datasets.scope import Scope
from zen_agents.datasets.sql import Sql, joined, listed, name, sql, value
from zen_agents.datasets.table import Table
from zen_agents.datasets.table_shape import TableShape
from zen_agents.datasets.taking_out import any_of, taken_out

#: Repairs that are about files.
OF_FILES: Final = frozenset({RepairKind.NORMALISE_LINE_ENDINGS, RepairKind.NORMALISE_ENCODING, RepairKind.RENAME_HEADERS})
#: Types that are asked about as text, as checks do.
_AS_TEXT: Final = (ColumnType.ANY, ColumnType.JSON)
_MOST_SHOWN: Final = 200
#: How every name begins that stands beside those of columns.
_OURS: Final = "zen_"


class TableRewriting:
    """The repairs of a contract over the rows of a table."""

    def __init__(self, contract: Contract, shape: TableShape, dialect: Dialect, mending: Mending) -> None:
        """Raise UnrepairableError for a repair that cannot be done to it."""
        self._contract, self.shape, self._dialect = contract, shape, dialect
        if odd := [column for column in shape.columns if column.lower().startswith(_OURS)]:
            raise UnrepairableError(f"the column {odd[0]!r} is called as only ours are; its table is not repaired")
        if shape.types:
            cells = Cells(contract, shape.columns, dialect, mending, shape.typed)
        else:  # every value says itself what it is; only texts are changed
            cells = Cells(contract, dict.fromkeys(shape.columns, ColumnType.TEXT), dialect, mending)
        self._cells = cells.repaired()
        if computed := [column for column in self._cells if column in shape.computed]:
            raise UnrepairableError(f"{computed[0]!r} is computed by the database; name the columns that are to be repaired")
        if given := [column for column in self._cells if column in shape.assigned]:
            raise UnrepairableError(
                f"{given[0]!r} is numbered by the database, which lets nobody change it; name the others"
            )
        self._scope = Scope(contract, Table(self._fixed(), self._asked), dialect)
        self._taken_out = taken_out(contract, self._scope)

    @property
    def cells(self) -> Sequence[str]:
        """Return the columns that may change."""
        return tuple(self._cells)

    @property
    def reasons(self) -> Sequence[str]:
        """Return the checks for which a row is taken out, in the order in which `affected` tells them."""
        return tuple(check for check, _ in self._taken_out)

    def count(self) -> Sql:
        """Return the query for how many rows there are."""
        return sql("SELECT count(*) FROM {}", self.shape.relation)

    def affected(self) -> Sql:
        """Return the query for each row that it is about: its address, its name, whether it changes, and each reason."""
        where = {f"a{at}": sql(each) for at, each in enumerate(self._addresses)}
        names = {f"n{at}": sql(f"zen_name{at}") for at in range(len(self.shape.key))}
        # The inner SELECT hands on what conditions need; it is complete once these were made.
        flags = [sql("coalesce({}, {})", condition, _false()) for _, condition in self._taken_out]
        rows = self._scope.rows(besides={**where, **names, "zen_changed": sql("zen_changed")})
        shown = listed([*(sql(each) for each in (*where, *names, "zen_changed")), *flags])
        return sql("SELECT {} FROM {} WHERE zen_changed OR {}", shown, rows, self._bad())

    def changes(self, most: int) -> Sql:
        """Return the query for the first rows that change: their name, and each cell that may, before and after."""
        names = {f"n{at}": sql(f"zen_name{at}") for at in range(len(self.shape.key))}
        pairs = {f"b{at}": sql(f"zen_before{at}") for at in range(len(self._cells))}
        pairs |= {f"c{at}": sql("CAST({} AS text)", name(column)) for at, column in enumerate(self._cells)}
        bad = self._bad()
        rows = self._scope.rows(besides={**names, **pairs, "zen_changed": sql("zen_changed")})
        shown = [sql(each) for each in names]
        shown += [sql(f"substr({each}{at}, 1, {_MOST_SHOWN})") for at in range(len(self._cells)) for each in "bc"]
        return sql("SELECT {} FROM {} WHERE zen_changed AND NOT {} LIMIT {}", listed(shown), rows, bad, value(most))

    def repeated(self) -> Sql:
        """Return the query for the addresses of rows that, once repaired, repeat another one in every column."""
        bad = self._bad()
        alike = {f"c{at}": self._dialect.exact(name(column)) for at, column in enumerate(self.shape.columns)}
        where = {f"a{at}": sql(each) for at, each in enumerate(self._addresses)}
        rows = self._scope.rows(besides={**alike, **where})
        again = sql("row_number() OVER (PARTITION BY {} ORDER BY {})", _named(alike), _named(where))
        inner = sql("SELECT {}, {} AS again_ FROM {} WHERE NOT {}", _named(where), again, rows, bad)
        return sql("SELECT {} FROM ({}) AS numbered_ WHERE again_ > 1", _named(where), inner)

    def made(self) -> Mapping[str, Sql]:
        """Return what each column that may change becomes, for a query of `raw()`."""
        return self._cells

    def raw(self) -> Sql:
        """Return the rows as repairs read them, without anything in front of FROM."""
        told = [sql("{} AS {}", self._as_read(column), name(column)) for column in self.shape.columns]
        told += [sql("{} AS {}", each, sql(f"zen_address{at}")) for at, each in enumerate(self.shape.address)]
        told += [sql("{} AS {}", self.shape.text(each), sql(f"zen_name{at}")) for at, each in enumerate(self.shape.key)]
        return sql("SELECT {} FROM {}", listed(told), self.shape.relation)

    # -- below: the rows, repaired ------------------------------------------------------------------------------------

    def _fixed(self) -> Sql:
        made = [sql("{} AS {}", self._asked_as(column), name(column)) for column in self.shape.columns]
        made += [
            sql("CAST({} AS text) AS {}", name(column), sql(f"zen_before{at}")) for at, column in enumerate(self._cells)
        ]
        made += [sql(each) for each in self._addresses]
        made += [sql(f"zen_name{at}") for at in range(len(self.shape.key))]
        differs = [self._dialect.differs(name(column), new) for column, new in self._cells.items()]
        changed = joined(" OR ", differs) if differs else _false()
        made.append(sql("({}) AS zen_changed", changed))
        return sql("(SELECT {} FROM ({}) AS raw_) AS fixed_", listed(made), self.raw())

    def _as_read(self, column: str) -> Sql:
        is_text = self.shape.types and self.shape.columns[column] is ColumnType.TEXT
        return sql("CAST({} AS text)", name(column)) if is_text else name(column)

    def _asked_as(self, column: str) -> Sql:
        made = self._cells.get(column, name(column))
        as_text = self.shape.types and self.shape.columns[column] in _AS_TEXT
        return sql("CAST({} AS text)", made) if as_text else made

    @property
    def _asked(self) -> Mapping[str, ColumnType]:
        """Return what columns hold, as checks see them."""
        if not self.shape.types:
            return self.shape.columns
        return {
            column: ColumnType.TEXT if held in _AS_TEXT else held for column, held in self.shape.columns.items()
        }  # fmt: skip

    @property
    def _addresses(self) -> Sequence[str]:
        return [f"zen_address{at}" for at in range(len(self.shape.address))]

    def _bad(self) -> Sql:
        return any_of([condition for _, condition in self._taken_out])


def _named(aliases: Mapping[str, Sql]) -> Sql:
    return listed([sql(each) for each in aliases])


def _false() -> Sql:
    return sql("false")
