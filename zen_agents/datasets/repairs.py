"""What the repairs of a contract make of each cell, as an expression over the text that is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from zen_agents.dataclass import dataclass
from zen_agents.datasets.contract import Column, ColumnType, Contract, Repair, RepairKind
from zen_agents.datasets.dialects.base import Dialect
from zen_agents.datasets.dialects.mending import Mending
from zen_agents.datasets.questions import Value
from zen_agents.datasets.scope import meant
from zen_agents.datasets.sql import Sql, name, sql, value

_WHOLE = frozenset({RepairKind.NORMALISE_LINE_ENDINGS, RepairKind.NORMALISE_ENCODING})
_CELLS = frozenset(
    {
        RepairKind.TRIM, RepairKind.NORMALISE_WHITESPACE, RepairKind.NORMALISE_CASE, RepairKind.NORMALISE_UNICODE,
        RepairKind.COERCE, RepairKind.FILL, RepairKind.CLAMP,
    }
)  # fmt: skip
#: What can be done to values of any type, where they are changed at all.
_OF_ANY_TYPE = frozenset({RepairKind.FILL, RepairKind.CLAMP})


class UnrepairableError(Exception):
    """A repair cannot be done as it is written; the message says why."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The repairs of a contract over the columns that its rows have.

    Texts alone are changed; where `stored` says how, a value of another type is filled in and clamped as well.
    """

    contract: Contract
    #: Every column by the name that it is to have, and what it holds.
    columns: Mapping[str, ColumnType]
    dialect: Dialect
    mending: Mending
    #: Makes a value one of the type that a column of no text is stored as; None: such a column is never changed.
    stored: Callable[[str, Sql], Sql] | None = None

    def repaired(self) -> Mapping[str, Sql]:
        """Return what becomes of each column that may change; UnrepairableError for one that is not there."""
        made: dict[str, Sql] = {}
        for repair in self.contract.repairs:
            if repair.kind not in _CELLS:
                continue
            for column in self._of(repair):
                before = made.get(column, name(column))
                made[column] = self._step(repair, before, self.contract.column(column))
        return made

    def steps(self) -> Iterator[Mapping[str, Sql]]:
        """Yield the same repair by repair, each over what the one before made: no expression stands in itself."""
        for repair in self.contract.repairs:
            if repair.kind in _CELLS:
                yield {column: self._step(repair, name(column), self.contract.column(column)) for column in self._of(repair)}

    def _of(self, repair: Repair) -> Sequence[str]:
        for column in repair.columns:
            if column not in self.columns:
                raise UnrepairableError(f"{repair.kind}: there is no column {column!r}{meant(column, self.columns)}")
            if self.columns[column] is not ColumnType.TEXT and (self.stored is None or repair.kind not in _OF_ANY_TYPE):
                raise UnrepairableError(
                    f"{repair.kind}: {column!r} holds no text, and the type of a column is never changed"
                )
        texts = [column for column, held in self.columns.items() if held is ColumnType.TEXT]
        if repair.kind is RepairKind.COERCE and not repair.columns:
            typed = {each.name for each in self.contract.columns if each.type not in (ColumnType.ANY, ColumnType.TEXT)}
            return [column for column in texts if column in typed]
        return repair.columns or texts

    def _step(self, repair: Repair, before: Sql, column: Column) -> Sql:
        if repair.kind is RepairKind.CLAMP:
            return self._clamped(repair, before, column)
        if repair.kind is RepairKind.COERCE:
            return self._coerced(repair, before, column)
        if repair.kind is RepairKind.FILL:
            return sql("coalesce({}, {})", before, self._written(repair.value, column.name))
        return self._plainly(repair, before)

    def _plainly(self, repair: Repair, before: Sql) -> Sql:
        """Return a repair that needs to know nothing of the column."""
        match repair.kind:
            case RepairKind.TRIM:
                return self.mending.trimmed(before)
            case RepairKind.NORMALISE_WHITESPACE:
                return self.mending.spaced(before)
            case RepairKind.NORMALISE_UNICODE:
                return self.mending.composed(before)
        return self.mending.cased(before, repair.form)

    def _written(self, given: Value | None, column: str) -> Sql:
        """Return what a contract says as it is to stand in a column."""
        if self.stored is None or self.columns[column] is ColumnType.TEXT:
            return value(_text(given))
        return self.stored(column, value(given))

    def _clamped(self, repair: Repair, before: Sql, column: Column) -> Sql:
        if self.columns[column.name] is not ColumnType.TEXT:
            return self._bounded(repair, before, before, self.columns[column.name], column.name)
        if column.type in (ColumnType.ANY, ColumnType.TEXT):
            raise UnrepairableError(f"clamp: {column.name!r} is text and has no order; give the column a type")
        read = self.dialect.reads(before, ColumnType.TEXT, column.type, column.form)
        return self._bounded(repair, before, read, column.type, column.name)

    def _bounded(self, repair: Repair, before: Sql, read: Sql, held: ColumnType, column: str) -> Sql:
        cases = [
            sql(f"WHEN {{}} {sign} {{}} THEN {{}}", read, self.dialect.bound(end, held), self._written(end, column))
            for sign, end in (("<", repair.least), (">", repair.most))
            if end is not None
        ]
        return sql("CASE " + "{} " * len(cases) + "ELSE {} END", *cases, before)

    def _coerced(self, repair: Repair, before: Sql, column: Column) -> Sql:
        """Return the text as the column's type is written; what is of it already, and what cannot be, stays as it is."""
        if column.type in (ColumnType.ANY, ColumnType.TEXT):
            raise UnrepairableError(f"coerce: nothing says what {column.name!r} is to be; give the column a type")
        is_right = sql("{} IS NOT NULL", self.dialect.reads(before, ColumnType.TEXT, column.type, column.form))
        made = self._read(repair.form, before, column)
        return sql("CASE WHEN {} THEN {} ELSE coalesce({}, {}) END", is_right, before, made, before)

    def _read(self, form: str, before: Sql, column: Column) -> Sql:
        plain = self.mending.trimmed(before)
        match column.type:
            case ColumnType.BOOLEAN:
                return self.mending.boolean(plain)
            case ColumnType.INTEGER | ColumnType.NUMBER | ColumnType.DECIMAL:
                return self.mending.number(plain, column.type, "," if form == "," else ".")
            case ColumnType.DATE | ColumnType.TIME | ColumnType.TIMESTAMP:
                return self.mending.moment(plain, column.type, form, column.form)
        return self.mending.usual(plain, column.type)


def drifted(contract: Contract, there: Sequence[str]) -> Mapping[str, str]:
    """Return which columns are to be called otherwise: name that is there -> name of the contract."""
    if not any(repair.kind is RepairKind.RENAME_HEADERS for repair in contract.repairs):
        return {}
    found: dict[str, str] = {}
    plain = {_bare(column): column for column in there}
    for column in contract.columns:
        if column.name in there:
            continue
        known = (plain.get(_bare(each)) for each in (column.name, *column.aliases))
        if (old := next((each for each in known if each is not None and each not in found), None)) is not None:
            found[old] = column.name
    return found


def repairs_rows(contract: Contract) -> bool:
    """Tell whether the contract allows a repair that writes the file anew, and not only that another takes its place."""
    return any(repair.kind is not RepairKind.RESTORE_SNAPSHOT for repair in contract.repairs)


def quarantines(contract: Contract) -> Repair | None:
    """Return what the contract says of bad rows; None if they stay."""
    return next((repair for repair in contract.repairs if repair.kind is RepairKind.QUARANTINE_ROWS), None)


def drops_duplicates(contract: Contract) -> bool:
    """Tell whether rows that repeat an earlier one may go."""
    return any(repair.kind is RepairKind.DROP_DUPLICATES for repair in contract.repairs)


def _bare(written: str) -> str:
    return "".join(character for character in written.casefold() if character.isalnum())


def _text(given: Value | None) -> str:
    return str(given).lower() if isinstance(given, bool) else str(given)
