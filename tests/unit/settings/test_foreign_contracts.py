"""Contracts in others' formats, as files that a command is given: asked, told with their places, or refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command_line import command
from tests.support.datasets import open_to_others

SCHEMA = """\
fields:
  - {name: id, type: integer, constraints: {unique: true, required: true}}
  - {name: state, type: string, color: x, constraints: {pattern: "[a-z]+"}}
"""
STANDARD = """\
kind: DataContract
apiVersion: v3.0.2
schema:
  - name: orders
    properties: [{name: id, logicalType: integer, required: true}, {name: state, logicalType: string}]
  - name: shops
    properties: [{name: shop, logicalType: integer}]
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_to_others(tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("good.csv").write_text("id,state\n1,new\n2,paid\n")
    Path("bad.csv").write_text("id,state\n1,new\nx,PAID\n1,\n")


def test_a_table_schema_is_asked_and_what_is_left_out_is_told() -> None:
    Path("schema.yaml").write_text(SCHEMA)
    good = command("data", "check", "good.csv", "--contract", "schema.yaml")
    assert good.code == 0 and "warning[ZC220] `fields[1].color` is not read" in good.err
    assert "schema.yaml:3:" in good.err
    bad = command("data", "check", "bad.csv", "--contract", "schema.yaml", "-o", "json")
    counts = {each["check"]: each["count"] for each in json.loads(bad.out)["items"][0]["findings"]}
    assert bad.code == 1 and counts == {
        "readable": 0, "columns": 0, "type.id": 1, "not_null.id": 0, "unique.id": 2, "matches.state": 1,
    }  # fmt: skip


def test_a_pattern_that_re2_does_not_know_is_refused_with_its_place() -> None:
    Path("schema.yaml").write_text(SCHEMA.replace("[a-z]+", "(?=a)b"))
    refused = command("data", "check", "good.csv", "--contract", "schema.yaml")
    assert refused.code == 78 and "error[ZC205]" in refused.err and "schema.yaml:3:" in refused.err


def test_which_table_is_meant_is_asked_for_and_where_the_data_lies_is_not_taken_from_there() -> None:
    Path("shop.yaml").write_text(STANDARD)
    which = command("data", "check", "good.csv", "--contract", "shop.yaml")
    assert which.code == 78 and "which of them is meant: orders, shops?" in which.err and "--table NAME" in which.err
    assert command("data", "check", "good.csv", "--contract", "shop.yaml", "--table", "orders").code == 0
    assert command("data", "check", "good.csv", "--contract", "shop.yaml", "--table", "shops").code == 1
    nowhere = command("data", "check", "--contract", "shop.yaml", "--table", "orders")
    assert nowhere.code == 78 and "name the file to check" in nowhere.err


def test_a_json_schema_is_asked_of_json_lines() -> None:
    Path("a.jsonl").write_text('{"id": 1, "state": "new"}\n{"id": "x"}\n')
    Path("schema.json").write_text(
        json.dumps(
            {"type": "object", "required": ["state"], "properties": {"id": {"type": "integer"}, "state": {"type": "string"}}}
        )
    )
    told = command("data", "check", "a.jsonl", "--contract", "schema.json", "-o", "json")
    counts = {each["check"]: each["count"] for each in json.loads(told.out)["items"][0]["findings"]}
    assert told.code == 1 and (counts["type.id"], counts["not_null.state"]) == (1, 1)


def test_a_contract_that_breaks_its_own_rules_is_refused_with_its_place() -> None:
    Path("schema.yaml").write_text(SCHEMA.replace("type: integer", "type: intger"))
    refused = command("data", "check", "good.csv", "--contract", "schema.yaml")
    assert refused.code == 78 and "schema.yaml:2:" in refused.err and "ZC219" in refused.err


STANDARD_OF = "kind: DataContract\napiVersion: v3.0.2\nschema:\n  - {name: orders, properties: [PROPERTY]}\n"
SCHEMA_OF = '{"type": "object", "properties": {"id": PROPERTY}}'


@pytest.mark.parametrize(
    ("contract", "code", "said"),
    [
        ("feilds: [{name: id}]\n", 78, "did you mean `fields`?"),
        ("fields: [{nmae: id}]\n", 78, "did you mean `name`?"),
        ("fields: [{name: id, type: intger}]\n", 78, "did you mean `integer`?"),
        ("fields: [{name: id, constraints: {requird: true}}]\n", 1, ".requird` is not read; did you mean `required`?"),
        (SCHEMA_OF.replace("PROPERTY", '{"type": "intger"}'), 78, "did you mean `integer`?"),
        (SCHEMA_OF.replace("PROPERTY", '{"minimun": 1}'), 0, "did you mean `minimum`?"),
        ('{"$schema": "https://json-schema.org/draft-07/schema", "propertis": {}}', 78, "did you mean `properties`?"),
        (STANDARD_OF.replace("PROPERTY", "{name: id, logicalType: intger}"), 78, "did you mean `integer`?"),
        (STANDARD_OF.replace("PROPERTY", "{name: id, requird: true}"), 0, "did you mean `required`?"),
        (STANDARD_OF.replace("PROPERTY", "{name: id, quality: [{metric: nulValues, mustBe: 0}]}"), 0, "mean `nullValues`?"),
        (STANDARD_OF.replace("DataC", "DatC").replace("PROPERTY", "{name: id}"), 78, "did you mean `DataContract`?"),
    ],
)  # fmt: skip
def test_what_is_misspelt_in_it_is_told_with_what_was_probably_meant(contract: str, code: int, said: str) -> None:
    Path("contract.yaml").write_text(contract)
    told = command("data", "check", "good.csv", "--contract", "contract.yaml")
    assert (told.code, said in told.err) == (code, True), told.err
    assert "contract.yaml:" in told.err
