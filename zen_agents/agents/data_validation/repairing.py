"""`repair:` what may be done to rows, cells and the whole file. Each entry is one repair; they are done in this order."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from zen_agents.agents.data_validation.expectations import ColumnName
from zen_agents.datasets.contract import Repair, RepairKind
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import Line
from zen_agents.model.section import Section

_Value = bool | int | float | str
#: Repairs that say which column, and of it what: no bare word can.
_NEEDS_COLUMNS: Final = (RepairKind.NORMALISE_CASE, RepairKind.FILL, RepairKind.CLAMP)


def _many(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _forms(value: object) -> object:
    names = _many(value)
    return dict.fromkeys(names, "") if isinstance(names, list) else value


_Columns = Annotated[tuple[ColumnName, ...], BeforeValidator(_many, json_schema_input_type=ColumnName | list[ColumnName])]


_Forms = ColumnName | list[ColumnName] | dict[ColumnName, Line]


class RepairEntry(Section):
    """One repair; a bare word does it to every column that it can be done to."""

    trim: _Columns | None = Field(None, description="take blanks off both ends; names of columns")
    normalise_whitespace: _Columns | None = Field(None, description="the same, and one space for several blanks")
    normalise_case: dict[ColumnName, Literal["lower", "upper"]] | None = Field(None, description="by column: lower | upper")
    normalise_unicode: _Columns | None = Field(None, description="write characters the usual way (NFC)")
    normalise_line_endings: bool | None = Field(None, description="end every line with LF")
    normalise_encoding: bool | None = Field(None, description="write UTF-8 without a byte-order mark")
    coerce: Annotated[dict[ColumnName, Line], BeforeValidator(_forms, json_schema_input_type=_Forms)] | None = Field(
        None, description="write what is meant as the column's type says; by column: how dates are written there, or ','"
    )
    fill: dict[ColumnName, _Value] | None = Field(None, description="by column: what stands where nothing does")
    clamp: dict[ColumnName, tuple[_Value | None, _Value | None]] | None = Field(
        None, description="by column: the least and the most; what is beyond becomes that"
    )
    drop_duplicates: bool | None = Field(None, description="leave out rows that repeat an earlier one in every column")
    rename_headers: bool | None = Field(None, description="call columns as the contract does: by `aliases`, case and blanks")
    quarantine_rows: _Columns | None = Field(
        None, description="take out what is no row, and rows that fail a check of each row (of these columns)"
    )
    restore_snapshot: bool | None = Field(
        None, description="where it cannot be read: have the last good copy take its place"
    )

    @model_validator(mode="after")
    def _one(self) -> RepairEntry:
        given = [kind for kind in RepairKind if getattr(self, kind.value) not in (None, False)]
        if len(given) != 1:
            raise refuse("one_of", f"is one repair, got {' and '.join(given) or 'none'}")
        if given[0] in _NEEDS_COLUMNS and not getattr(self, given[0].value):
            raise refuse("required", f"needs columns: {{{given[0]}: {{COLUMN: ...}}}}")
        return self

    def repairs(self) -> Iterator[Repair]:
        """Yield it as what is done: by column where each has something of its own."""
        kind = next(kind for kind in RepairKind if getattr(self, kind.value) not in (None, False))
        given = getattr(self, kind.value)
        if given is True or isinstance(given, tuple):
            yield Repair(kind, () if given is True else given)
        elif not given:
            yield Repair(kind)
        else:
            for column, said in given.items():
                yield _of_column(kind, column, said)


def _of_column(kind: RepairKind, column: str, said: object) -> Repair:
    if kind is RepairKind.FILL and isinstance(said, (bool, int, float, str)):
        return Repair(kind, (column,), value=said)
    if kind is RepairKind.CLAMP and isinstance(said, tuple):
        return Repair(kind, (column,), least=said[0], most=said[1])
    return Repair(kind, (column,), form=str(said))


def _word(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value not in list(RepairKind):
        near = get_close_matches(value.lower(), list(RepairKind), n=1)
        text = f"is `{value}`, which is no repair: {', '.join(RepairKind)}"
        raise refuse("name", text, label=f"did you mean `{near[0]}`?" if near else "", suggest=near[0] if near else "")
    if value in _NEEDS_COLUMNS:
        raise refuse("required", f"needs columns: {{{value}: {{COLUMN: ...}}}}")
    is_whole = RepairEntry.model_fields[value].annotation == bool | None
    return {value: True if is_whole else []}


#: An entry, or its bare name.
AnyRepair = Annotated[
    RepairEntry,
    BeforeValidator(
        _word, json_schema_input_type=Literal[*(kind for kind in RepairKind if kind not in _NEEDS_COLUMNS)] | RepairEntry
    ),
]
