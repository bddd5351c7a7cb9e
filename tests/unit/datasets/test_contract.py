"""Contracts name their checks, and say the same after the way to a worker."""

from __future__ import annotations

import json

import pytest

from zen_agents.datasets.contract import (
    Check,
    Column,
    ColumnType,
    Contract,
    Limits,
    Repair,
    RepairKind,
    Tolerance,
    name_of,
    named,
)
from zen_agents.datasets.plain import MalformedDatasetError, contract_from_plain, contract_to_plain
from zen_agents.datasets.questions import (
    Between,
    Compared,
    Drift,
    Fresh,
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
    References,
    RowCount,
    RowCountChange,
    Unique,
    columns_of,
)
from zen_agents.datasets.source import Source, SourceKind, SourceOptions
from zen_agents.model.severity import Severity

QUESTIONS: list[tuple[Question, tuple[str, ...]]] = [
    (Readable(), ()),
    (HasColumns(exact=True), ()),
    (OfType("a"), ("a",)),
    (NotNull("a"), ("a",)),
    (Unique(("a", "b")), ("a", "b")),
    (NoDuplicates(), ()),
    (Between("a", 1, 2.5), ("a",)),
    (Between("day", "2026-01-01"), ("day",)),
    (OneOf("a", ("x", 1, True)), ("a",)),
    (NoneOf("a", ("1",)), ("a",)),
    (Matches("a", "x+"), ("a",)),
    (Length("a", 1, 9), ("a",)),
    (Compared("a", ">=", "b"), ("a", "b")),
    (References(("a",), "other", ("b",)), ("a",)),
    (RowCount(1), ()),
    (RowCountChange(fall=0.5), ()),
    (Fresh(60.0), ()),
    (Fresh(60.0, "at"), ("at",)),
    (Drift("a", "shares", 0.1), ("a",)),
    (Holds("a < b"), ()),
]


def test_every_question_tells_its_columns() -> None:
    for question, columns in QUESTIONS:
        assert columns_of(question) == columns
        assert name_of(question) == ".".join(filter(None, (question.kind, "+".join(columns))))


def test_a_contract_is_the_same_on_the_other_side() -> None:
    contract = Contract(
        "orders",
        Source(SourceKind.CSV, "/srv/*.csv", options=SourceOptions(delimiter=";", nulls=("", "NA"))),
        (Column("a", ColumnType.INTEGER), Column("b", ColumnType.DATE, "%d.%m.%Y", optional=True, aliases=("B",))),
        named(Check(question, name_of(question), Tolerance(2, 0.1), Severity.WARNING, "x:1:2") for question, _ in QUESTIONS),
        (Repair(RepairKind.FILL, ("a",), 0), Repair(RepairKind.CLAMP, ("a",), least=1, most="2")),
        limits=Limits(keys=("a",)),
    )
    assert contract_from_plain(json.loads(json.dumps(contract_to_plain(contract)))) == contract


def test_what_is_no_contract_is_told_with_its_place() -> None:
    plain = contract_to_plain(Contract("orders", Source(SourceKind.CSV, "/srv/a.csv")))
    plain["source"]["kind"] = "excel"
    with pytest.raises(MalformedDatasetError, match=r"^source\.kind: "):
        contract_from_plain(plain)


def test_the_same_question_twice_has_two_names() -> None:
    checks = named([Check(NotNull("a"), "x"), Check(NotNull("a"), "x"), Check(NotNull("b"), "y")])
    assert [check.name for check in checks] == ["x", "x.2", "y"]


def test_a_tolerance_is_the_wider_of_its_two() -> None:
    assert not Tolerance().allows(1, 1_000_000)
    assert Tolerance(rows=3).allows(3, 5) and not Tolerance(rows=3).allows(4, 5)
    assert Tolerance(share=0.001).allows(1000, 1_000_000) and not Tolerance(share=0.001).allows(1001, 1_000_000)
    assert Tolerance(share=0.3).allows(3, 10)


def test_an_unlisted_column_is_known_by_its_name_alone() -> None:
    contract = Contract("orders", Source(SourceKind.CSV, "/a"), (Column("a", ColumnType.DATE),))
    assert contract.column("a").type is ColumnType.DATE
    assert contract.column("z") == Column("z")
