"""The Open Data Contract Standard as a contract of ours."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from zen_agents.datasets.contract import Column, ColumnType, Tolerance
from zen_agents.datasets.foreign.descriptor import RefusedContractError
from zen_agents.datasets.foreign.recognise import format_of, read_foreign
from zen_agents.datasets.foreign.translation import Translation
from zen_agents.datasets.questions import (
    Between,
    HasColumns,
    Length,
    Matches,
    NoneOf,
    NotNull,
    OneOf,
    References,
    RowCount,
    Unique,
)
from zen_agents.model.severity import Severity

CONTRACT = """
kind: DataContract
apiVersion: v3.1.0
id: 7d1a
version: 1.0.0
status: active
slaProperties: [{property: latency, value: 4, unit: d}]
schema:
  - id: shops_table
    name: shops
    properties: [{id: shop_id, name: id, logicalType: integer, primaryKey: true, primaryKeyPosition: 1}]
  - name: orders
    physicalName: orders_v2
    properties:
      - {name: number, logicalType: integer, required: true, unique: true}
      - name: ordered
        physicalName: ordered_at
        logicalType: timestamp
        logicalTypeOptions: {format: "yyyy-MM-dd'T'HH:mm:ss", minimum: "2020-01-01T00:00:00"}
      - name: shop
        logicalType: integer
        relationships: [{to: shops.id}]
        quality: [{metric: nullValues, mustBeLessThan: 1, unit: percent, severity: warning}]
      - name: unit
        logicalType: string
        logicalTypeOptions: {minLength: 2, pattern: "^[a-z]+$"}
        quality:
          - {metric: invalidValues, arguments: {validValues: [kg, lb]}, mustBeLessThan: 5, unit: rows}
          - {metric: missingValues, arguments: {missingValues: [null, "", "n/a"]}, mustBe: 0}
          - {type: sql, query: "SELECT 1", mustBe: 1}
    relationships: [{from: orders.shop, to: schema/shops_table/properties/shop_id}]
    quality:
      - {metric: rowCount, mustBeBetween: [10, 20]}
      - {metric: duplicateValues, arguments: {properties: [shop, ordered]}, mustBe: 0}
"""


def orders() -> Translation:
    parsed = yaml.safe_load(CONTRACT)
    assert format_of(parsed) == "Open Data Contract Standard"
    return read_foreign(parsed, "orders")


def test_properties_are_columns_under_their_physical_names() -> None:
    translation = orders()
    assert translation.name == "orders_v2"
    assert translation.columns == (
        Column("number", ColumnType.INTEGER),
        Column("ordered_at", ColumnType.TIMESTAMP, "%Y-%m-%dT%H:%M:%S"),
        Column("shop", ColumnType.INTEGER),
        Column("unit", ColumnType.TEXT),
    )


def test_what_it_says_is_asked() -> None:
    assert [check.asks for check in orders().checks] == [
        HasColumns(),
        NotNull("number"),
        Unique(("number",)),
        Between("ordered_at", "2020-01-01T00:00:00", None),
        References(("shop",), "shops", ("id",)),
        NotNull("shop"),
        Length("unit", 2, None),
        Matches("unit", "(?s:.*)(?:^[a-z]+$)(?s:.*)"),
        OneOf("unit", ("kg", "lb")),
        NotNull("unit"),
        NoneOf("unit", ("", "n/a")),
        References(("shop",), "shops", ("id",)),
        RowCount(10, 20),
        Unique(("shop", "ordered_at")),
    ]


def test_how_many_rows_may_fail_is_kept_with_its_severity() -> None:
    checks = {check.name: check for check in orders().checks}
    assert checks["not_null.shop"].tolerance == Tolerance(share=0.01)
    assert checks["not_null.shop"].severity is Severity.WARNING
    assert checks["one_of.unit"].tolerance == Tolerance(rows=4)
    assert checks["not_null.unit"].tolerance == Tolerance()


def test_what_is_not_asked_is_said_with_its_place() -> None:
    assert [remark.at for remark in orders().remarks] == ["slaProperties", "schema[1].properties[3].quality[2]"]


def test_a_primary_key_has_no_nulls_and_no_twins() -> None:
    translation = read_foreign(yaml.safe_load(CONTRACT), "shops")
    assert [check.asks for check in translation.checks] == [HasColumns(), NotNull("id"), Unique(("id",))]


@pytest.mark.parametrize(
    ("operator", "count"),
    [
        ({"mustBe": 3}, RowCount(3, 3)),
        ({"mustBeGreaterThan": 3}, RowCount(4)),
        ({"mustBeGreaterOrEqualTo": 3}, RowCount(3)),
        ({"mustBeLessThan": 3}, RowCount(0, 2)),
        ({"mustBeLessOrEqualTo": 3}, RowCount(0, 3)),
    ],
)
def test_each_operator_bounds_the_rows(operator: dict[str, Any], count: RowCount) -> None:
    assert count in [check.asks for check in one_rule({"metric": "rowCount", **operator}).checks]


def one_rule(rule: dict[str, Any]) -> Translation:
    table = {"name": "t", "properties": [{"name": "a"}], "quality": [rule]}
    return read_foreign({"kind": "DataContract", "apiVersion": "v3.0.2", "schema": [table]})


@pytest.mark.parametrize(
    "rule",
    [{"metric": "rowCount", "mustNotBe": 3}, {"metric": "rows", "mustBe": 0}, {"type": "text"}, {"type": "custom"}],
)
def test_rules_that_are_not_run_are_said(rule: dict[str, Any]) -> None:
    assert [remark.at for remark in one_rule(rule).remarks] == ["schema[0].quality[0]"]


@pytest.mark.parametrize(
    "rule", [{"mustBe": 0}, {"metric": "rowCount"}, {"metric": "rowCount", "mustBe": 1, "mustNotBe": 2}]
)
def test_rules_that_break_the_standard_are_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(RefusedContractError) as refused:
        one_rule(rule)
    assert refused.value.at == "schema[0].quality[0]"


def test_a_list_of_values_a_map_and_what_is_deprecated_are_read_as_version_3_2_has_them() -> None:
    properties = [
        {"name": "status", "logicalType": "string", "enum": [{"value": "new", "label": "New"}, {"value": "paid"}]},
        {"name": "counts", "logicalType": "map", "map": {"key": {"logicalType": "string"}}},
        {"name": "old", "logicalType": "integer", "deprecated": True},
    ]
    found = read_foreign(
        {"kind": "DataContract", "apiVersion": "v3.2.0", "schema": [{"name": "t", "properties": properties}]}
    )
    assert [check.asks for check in found.checks] == [HasColumns(), OneOf("status", ("new", "paid"))]
    assert [column.type for column in found.columns] == [ColumnType.TEXT, ColumnType.JSON, ColumnType.INTEGER]
    assert [remark.at for remark in found.remarks] == ["schema[0].properties[1].map"]


def test_a_null_among_valid_values_lets_nothing_stand_there() -> None:
    rule = {"metric": "invalidValues", "mustBeLessOrEqualTo": 5, "unit": "percent"}
    column = {"name": "a", "quality": [{**rule, "arguments": {"validValues": ["", None, "n/a"]}}]}
    found = read_foreign({"kind": "DataContract", "apiVersion": "v3.0.2", "schema": [{"name": "t", "properties": [column]}]})
    assert OneOf("a", ("", "n/a")) in [check.asks for check in found.checks]


def test_an_older_version_is_refused() -> None:
    with pytest.raises(RefusedContractError, match="only version 3"):
        read_foreign({"kind": "DataContract", "apiVersion": "v2.2.2", "schema": [{"name": "t"}]})


def test_which_table_is_meant_has_to_be_said() -> None:
    with pytest.raises(RefusedContractError, match="shops, orders"):
        read_foreign(yaml.safe_load(CONTRACT))
