"""`datasets:` one data set: where it lies, what its columns are, and what has to hold of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Annotated, Any, Literal, Protocol

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from zen_agents.agents.base import AgentContext
from zen_agents.agents.data_validation.bounds import DatasetLimits, MaybeSnapshots
from zen_agents.agents.data_validation.expectations import ColumnName, Expectation, Tolerated
from zen_agents.agents.data_validation.places import DataSource
from zen_agents.agents.data_validation.repairing import AnyRepair
from zen_agents.datasets.contract import (
    Check,
    Column,
    ColumnType,
    Contract,
    Tell,
    Tolerance,
    name_of,
    named,
)
from zen_agents.datasets.questions import Between, Fresh, HasColumns, OfType, Question, Readable, References
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import AbsolutePath, Line, Percent, PositiveDuration
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity


class DatasetColumn(Section):
    """One entry of `columns:`; a bare word is its type."""

    type: ColumnType = Field(ColumnType.ANY, description=" | ".join(ColumnType))
    format: Line = Field("", description="how dates, times and timestamps are written, like %d.%m.%Y; empty: ISO 8601")
    optional: bool = Field(False, description="true: the column need not be there")
    aliases: tuple[ColumnName, ...] = Field((), max_length=20, description="other names under which it may stand")

    @model_validator(mode="after")
    def _dated(self) -> DatasetColumn:
        if self.format and self.type not in (ColumnType.DATE, ColumnType.TIME, ColumnType.TIMESTAMP):
            raise refuse("conflict", "is for dates, times and timestamps", at="format", see="type")
        return self


def _typed(value: object) -> object:
    if not isinstance(value, str):
        return {} if value is None else value
    if value not in list(ColumnType):
        near = get_close_matches(value.lower(), list(ColumnType), n=1)
        text = f"is `{value}`, which is no type: {', '.join(ColumnType)}"
        raise refuse("name", text, label=f"did you mean `{near[0]}`?" if near else "", suggest=near[0] if near else "")
    return {"type": value}


#: An entry, or the bare word of its type.
AnyColumn = Annotated[
    DatasetColumn, BeforeValidator(_typed, json_schema_input_type=Literal[*ColumnType] | DatasetColumn | None)
]


def _wherever_it_lies(schema: dict[str, Any]) -> None:
    """Say to editors what `contract:` changes: where the data lies may stand in that file."""
    schema["anyOf"] = [{"required": ["source"]}, {"required": ["contract"]}]
    schema["required"].remove("source")


class Dataset(Section):
    """One data set and what is expected of it."""

    model_config = ConfigDict(json_schema_extra=_wherever_it_lies)

    source: DataSource = Field(description="where it lies")
    contract_file: AbsolutePath | None = Field(
        None, alias="contract", description="file that says the rest of this: a contract of ours, or in a format of others"
    )
    contract_table: Line = Field("", description="which table is meant, where that file describes several")
    columns: dict[ColumnName, AnyColumn] = Field(
        default_factory=dict, max_length=10_000, description="what its columns are, by name: a type, or a map"
    )
    exact: bool = Field(False, description="true: it has no other columns than these")
    keys: tuple[ColumnName, ...] = Field(
        (), max_length=10, description="columns that name a row in reports; empty: its first unique key"
    )
    fresh_within: PositiveDuration | None = Field(None, description="its newest file was written no longer ago")
    expect: tuple[Expectation, ...] = Field((), max_length=2000, description="what has to hold")
    tolerate: Tolerated = Field(Tolerance(), description="so many rows may fail each check that does not say it itself")
    severity: Severity = Field(Severity.ERROR, description="info | warning | error | critical")
    repair: tuple[AnyRepair, ...] = Field((), max_length=200, description="what may be done to it, in this order")
    repair_at_most: Percent = Field(5.0, description="a repair that is about more of the rows asks a person first")
    quarantine: AbsolutePath | None = Field(
        None, description="directory for rows that are taken out; empty: that of the file; a table of a server needs one"
    )
    snapshots: AbsolutePath | None = Field(
        None, description="directory in which good copies of its files lie, by their names"
    )
    keep_snapshots: MaybeSnapshots = Field(
        None, description="true, or a map: keep such copies, there or in the state; of one file, for `restore_snapshot`"
    )
    on_failure: tuple[Literal["quarantine_file"], ...] = Field(
        (), max_length=1, description="what is done where `repair` does not help, and a check of severity error fails"
    )
    limits: DatasetLimits = Field(DatasetLimits(), description="what looking at it may take")
    every: PositiveDuration | None = Field(
        None, description="how often it is looked at; empty: as often as the agent decides"
    )
    tell: Tell = Field("numbers", description="what people are told of failing rows: nothing | numbers | keys (`keys`)")
    runbook: Line = Field("", description="what people do about it: an address, or the name of a page")

    @model_validator(mode="after")
    def _is_of_its_kind(self) -> Dataset:
        place = self.source.place()
        if not place.kind.is_file:
            from zen_agents.agents.data_validation.tables import (  # noqa: PLC0415 - only for databases
                refuse_what_is_for_files,
            )

            refuse_what_is_for_files(self, place)
        return self

    @model_validator(mode="after")
    def _types_agree(self) -> Dataset:
        for at, each in enumerate(self.expect):
            said = self.columns.get(each.column or "")
            if each.type is not None and said is not None and said.type not in (ColumnType.ANY, each.type):
                text = f"is {each.type}, and `columns` says {said.type}"
                raise refuse("conflict", text, at=f"expect.{at}.type", see=f"columns.{each.column}")
        return self

    @model_validator(mode="after")
    def _one_file_is_kept(self) -> Dataset:
        source = self.source
        if self.keep_snapshots is not None and source.postgres is not None:
            raise refuse("conflict", "is for files; a server has backups of its own", at="keep_snapshots", see="source")
        if self.keep_snapshots is not None and set(source.place().path) & set("*?["):
            raise refuse("conflict", "is for one file, and this may be several", at="keep_snapshots", see="source")
        return self

    @model_validator(mode="after")
    def _files_are_taken(self) -> Dataset:
        if self.on_failure and (self.source.postgres or self.source.sqlite):
            raise refuse("conflict", "is for files; a database is never moved away", at="on_failure", see="source")
        return self

    def contract(self, name: str, origin: Callable[[str], str] = lambda _: "") -> Contract:
        """Return it as what is checked; `origin` says where a key path below it was written."""
        columns = self._columns()
        checks = [Check(Readable(), "readable", Tolerance(), self.severity, origin("source"))]
        checks.append(Check(HasColumns(self.exact), "columns", Tolerance(), self.severity, origin("columns")))
        if self.fresh_within is not None:
            fresh = Fresh(self.fresh_within.total_seconds())
            checks.append(Check(fresh, name_of(fresh), Tolerance(), self.severity, origin("fresh_within")))
        said = [
            check
            for at, each in enumerate(self.expect)
            for check in each.checks(self.tolerate, self.severity, origin(f"expect[{at}]"))
        ]
        checks += self._of_types(columns, said, origin)
        return Contract(
            name, self.source.place(), tuple(columns.values()), named([*checks, *said]),
            tuple(repair for each in self.repair for repair in each.repairs()), self.repair_at_most / 100,
            self.snapshots or "", self.keep_snapshots.as_said() if self.keep_snapshots else None,
            bool(self.on_failure), self.tell, self.quarantine or "", self.limits.as_said(self.keys),
        )  # fmt: skip

    def _columns(self) -> dict[str, Column]:
        """Return the columns that are listed, and those that an expectation names, with the type that it asks for."""
        columns = {
            name: Column(name, said.type, said.format, said.optional, said.aliases) for name, said in self.columns.items()
        }
        for each in self.expect:
            for name in each.key:
                known = columns.get(name, Column(name))
                if known.type is ColumnType.ANY:
                    wanted = each.type or _implied(list(each.asks()))
                    known = Column(name, wanted, known.form, known.optional, known.aliases)
                columns[name] = known
        return columns

    def _of_types(self, columns: Mapping[str, Column], said: Iterable[Check], origin: Callable[[str], str]) -> list[Check]:
        """Return that every value reads as its type, for each column whose type nothing else asks about.

        As many as what made a type necessary tolerates may not.
        """
        asked = {check.asks.column for check in said if isinstance(check.asks, OfType)}
        typed = (column for column in columns.values() if column.type not in (ColumnType.ANY, ColumnType.TEXT))
        return [self._of_type(column.name, origin) for column in typed if column.name not in asked]

    def _of_type(self, column: str, origin: Callable[[str], str]) -> Check:
        at, by = next(((at, each) for at, each in enumerate(self.expect) if column in each.key), (0, None))
        if column in self.columns or by is None:
            return Check(OfType(column), name_of(OfType(column)), self.tolerate, self.severity, origin(f"columns.{column}"))
        tolerance, severity = by.tolerate or self.tolerate, by.severity or self.severity
        return Check(OfType(column), name_of(OfType(column)), tolerance, severity, origin(f"expect[{at}]"))


def contracts_of(settings: Listed, context: AgentContext) -> Mapping[str, Contract]:
    """Return the contract of each data set that the settings list, by name."""
    at = "agents.data_validation.datasets"
    return {name: each.contract(name, partial(_origin, context, f"{at}.{name}")) for name, each in settings.datasets.items()}


def referred(contract: Contract, known: Mapping[str, Contract]) -> Mapping[str, Contract]:
    """Return the contracts of the data sets that one's keys refer to, by name."""
    names = (check.asks.dataset for check in contract.checks if isinstance(check.asks, References))
    return {name: known[name] for name in names if name in known}


def _origin(context: AgentContext, above: str, key: str) -> str:
    return context.origin(f"{above}.{key}") or context.origin(above)


class Listed(Protocol):
    """Settings that list data sets."""

    @property
    def datasets(self) -> Mapping[str, Dataset]: ...


def _implied(asked: Iterable[Question]) -> ColumnType:
    """Return as what a column has to be read for these to make sense: numbers, where it is compared with one."""
    for question in asked:
        if isinstance(question, Between):
            ends = [end for end in (question.least, question.most) if end is not None]
            if all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in ends):
                return ColumnType.NUMBER
        if isinstance(question, Fresh):
            return ColumnType.TIMESTAMP
    return ColumnType.ANY
