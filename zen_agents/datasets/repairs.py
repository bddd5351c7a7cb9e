"""What the repairs of a contract make of each cell, as an expression over the text that is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.datasets.contract import Column, ColumnType, Contract, Repair, RepairKind
from zen_agents.datasets.dialects.duck import DuckDialect
from zen_agents.datasets.questions import Value
from zen_agents.datasets.scope import meant
from zen_agents.datasets.sql import Sql, listed, name, sql, value

#: What stands at the edges of a value and is nothing, with the spaces of other scripts and the byte-order mark.
_BLANKS: Final = " \t\r\n\v\f\u00a0\u1680\u2007\u202f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200C)))
_TRUE, _FALSE = ("true", "t", "yes", "y", "on", "1"), ("false", "f", "no", "n", "off", "0")
_WHOLE = frozenset({RepairKind.NORMALISE_LINE_ENDINGS, RepairKind.NORMALISE_ENCODING})
_CELLS = frozenset(
    {
        RepairKind.TRIM, RepairKind.NORMALISE_WHITESPACE, RepairKind.NORMALISE_CASE, RepairKind.NORMALISE_UNICODE,
        RepairKind.COERCE, RepairKind.FILL, RepairKind.CLAMP,
    }
)  # fmt: skip


class UnrepairableError(Exception):
    """A repair cannot be done as it is written; the message says why."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The repairs of a contract over the columns that its rows have; texts alone are changed."""

    contract: Contract
    #: Every column by the name that it is to have, and what it holds.
    columns: Mapping[str, ColumnType]
    dialect: DuckDialect

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

    def _of(self, repair: Repair) -> Sequence[str]:
        for column in repair.columns:
            if column not in self.columns:
                raise UnrepairableError(f"{repair.kind}: there is no column {column!r}{meant(column, self.columns)}")
            if self.columns[column] is not ColumnType.TEXT:
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
        return self._coerced(repair, before, column) if repair.kind is RepairKind.COERCE else _plainly(repair, before)

    def _clamped(self, repair: Repair, before: Sql, column: Column) -> Sql:
        if column.type in (ColumnType.ANY, ColumnType.TEXT):
            raise UnrepairableError(f"clamp: {column.name!r} is text and has no order; give the column a type")
        read = self.dialect.reads(before, ColumnType.TEXT, column.type, column.form)
        ends = [("<", repair.least), (">", repair.most)]
        cases = [
            sql(f"WHEN {{}} {sign} {{}} THEN {{}}", read, self.dialect.bound(end, column.type), value(_text(end)))
            for sign, end in ends
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
        plain = sql("trim({}, {})", before, value(_BLANKS))
        cast = self.dialect.casts.get(column.type, "VARCHAR")
        match column.type:
            case ColumnType.BOOLEAN:
                words = [listed([value(word) for word in words]) for words in (_TRUE, _FALSE)]
                return sql(
                    "CASE WHEN lower({}) IN ({}) THEN 'true' WHEN lower({}) IN ({}) THEN 'false' END",
                    plain, words[0], plain, words[1],
                )  # fmt: skip
            case ColumnType.INTEGER | ColumnType.NUMBER | ColumnType.DECIMAL:
                return self._number(form, plain, column.type)
            case ColumnType.DATE | ColumnType.TIME | ColumnType.TIMESTAMP:
                moment = sql("try_strptime({}, {})", plain, value(form)) if form else sql(f"TRY_CAST({{}} AS {cast})", plain)
                return self._moment(moment, cast, column.form)
        return sql(f"CAST(TRY_CAST({{}} AS {cast}) AS VARCHAR)", plain)

    def _moment(self, moment: Sql, cast: str, form: str) -> Sql:
        if form:
            return sql("strftime({}, {})", moment, value(form))
        return sql(f"CAST(CAST({{}} AS {cast}) AS VARCHAR)", moment)

    def _number(self, form: str, plain: Sql, wanted: ColumnType) -> Sql:
        """Return a number without what stands between its thousands; `form` is what stands before its fraction."""
        comma = form == ","
        bare = sql("regexp_replace({}, {}, '', 'g')", plain, value(r"[\s\p{Z}_'.]" if comma else r"[\s\p{Z}_',]"))
        bare = sql("replace({}, ',', '.')", bare) if comma else bare
        if wanted is ColumnType.INTEGER:
            bare = sql("regexp_replace({}, {}, '')", bare, value(r"\.0+$"))
        is_number = sql("{} IS NOT NULL", self.dialect.reads(bare, ColumnType.TEXT, wanted, ""))
        return sql("CASE WHEN {} THEN {} END", is_number, bare)


def _plainly(repair: Repair, before: Sql) -> Sql:
    """Return a repair that needs to know nothing of the column."""
    match repair.kind:
        case RepairKind.TRIM:
            return sql("trim({}, {})", before, value(_BLANKS))
        case RepairKind.NORMALISE_WHITESPACE:
            return sql("trim(regexp_replace({}, {}, ' ', 'g'))", before, value(r"[\s\p{Z}\x{FEFF}]+"))
        case RepairKind.NORMALISE_CASE:
            return sql("upper({})" if repair.form == "upper" else "lower({})", before)
        case RepairKind.NORMALISE_UNICODE:
            return sql("nfc_normalize({})", before)
    return sql("coalesce({}, {})", before, value(_text(repair.value)))


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


def repairs_bytes(contract: Contract) -> bool:
    """Tell whether it allows one of how all of the file is written."""
    return any(repair.kind in _WHOLE for repair in contract.repairs)


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
