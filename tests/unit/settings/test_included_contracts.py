"""`contract: FILE` of a data set: what stands there holds, with its own place; what the configuration says wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.settings import loaded
from zen_agents.agents.base import AgentContext
from zen_agents.agents.data_validation.dataset import contracts_of
from zen_agents.datasets.contract import Contract, RepairKind
from zen_agents.datasets.questions import HasColumns
from zen_agents.settings.loader import Loaded

OWN = """\
source: {tsv: /srv/elsewhere.tsv, delimiter: ";", nulls: ["", NA]}
columns: {id: integer, amount: number}
severity: warning
expect:
  - {column: id, unique: true}
repair: [trim]
"""
SCHEMA = """\
fields:
  - {name: id, type: integer, constraints: {unique: true, required: true}}
  - {name: day, type: date, format: "%d.%m.%Y"}
  - {name: state, type: string, color: x, constraints: {enum: [new, paid], maxLength: 4}}
missingValues: ["", "-"]
fieldsMatch: equal
foreignKeys: [{fields: shop, reference: {resource: shops, fields: id}}]
"""
STANDARD = """\
kind: DataContract
apiVersion: v3.0.2
schema:
  - name: orders
    properties: [{name: id, logicalType: integer, required: true}]
  - name: shops
    properties: [{name: shop, logicalType: integer}]
"""


def configured(folder: Path, contract: str, more: str = "") -> Loaded:
    (folder / "orders.yaml").write_text(contract)
    return loaded(
        "mode: observe\nagents:\n  data_validation:\n    datasets:\n      orders:\n"
        f"        contract: {folder}/orders.yaml\n        source: {{csv: /srv/orders.csv}}\n{more}"
    )


def orders(found: Loaded) -> Contract:
    section = found.require().agents["data_validation"]
    return contracts_of(section, AgentContext("here", found.origins))["orders"]


def test_what_the_file_says_holds_and_what_the_configuration_says_wins(tmp_path: Path) -> None:
    more = "        severity: error\n        expect: [{row_count: {min: 1}}]\n        columns: {amount: decimal}\n"
    contract = orders(configured(tmp_path, OWN, more))
    assert (contract.source.path, contract.source.options.delimiter) == ("/srv/orders.csv", ";")
    assert [each.name for each in contract.checks] == [
        "readable", "columns", "type.id", "type.amount", "unique.id", "row_count",
    ]  # fmt: skip
    assert {each.severity for each in contract.checks} == {"error"}
    assert [(each.name, each.type) for each in contract.columns] == [("id", "integer"), ("amount", "decimal")]
    assert [each.kind for each in contract.repairs] == [RepairKind.TRIM]
    origins = {each.name: each.origin for each in contract.checks}
    assert origins["unique.id"] == f"{tmp_path}/orders.yaml:5:5" and "config.yaml:9" in origins["row_count"]


def test_where_the_data_lies_may_stand_in_the_file_alone(tmp_path: Path) -> None:
    (tmp_path / "orders.yaml").write_text(OWN)
    datasets = f"{{orders: {{contract: {tmp_path}/orders.yaml}}}}"
    found = loaded(f"mode: observe\nagents: {{data_validation: {{datasets: {datasets}}}}}\n")
    assert orders(found).source.path == "/srv/elsewhere.tsv"


def test_a_contract_of_others_is_said_in_our_words_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    found = configured(tmp_path, SCHEMA)
    contract = orders(found)
    assert [each.name for each in contract.checks] == [
        "readable", "columns", "type.id", "type.day", "not_null.id", "unique.id", "one_of.state", "length.state",
    ]  # fmt: skip
    assert contract.checks[1].asks == HasColumns(exact=True) and contract.column("day").form == "%d.%m.%Y"
    assert contract.source.options.nulls == ("", "-")
    told = {(each.code, each.message.split("`")[1]): str(each.place) for each in found.diagnostics}
    assert told["ZC220", "fields[2].color"] == f"{tmp_path}/orders.yaml:4:40"
    assert ("ZC220", "foreignKeys[0]") in told
    assert {each.origin for each in contract.checks if each.name == "unique.id"} == {f"{tmp_path}/orders.yaml:2:53"}


def test_of_several_tables_one_is_named(tmp_path: Path) -> None:
    (refused,) = configured(tmp_path, STANDARD).errors
    assert refused.code == "ZC219" and "contract_table" in refused.help
    assert orders(configured(tmp_path, STANDARD, "        contract_table: orders\n")).column("id").type == "integer"


@pytest.mark.parametrize(
    ("contract", "code", "said", "at"),
    [
        ("columns: {id: intger}\n", "ZC213", "did you mean `integer`?", "orders.yaml:1:15"),
        ("expct: []\n", "ZC101", "did you mean `expect`?", "orders.yaml:1:1"),
        ("expect:\n  - {column: a, not_nul: true}\n", "ZC101", "did you mean `not_null`?", "orders.yaml:2:17"),
        ("fields: [{name: a, type: intger}]\n", "ZC219", "did you mean `integer`?", "orders.yaml:1:26"),
        ("contract: /etc/other.yaml\n", "ZC214", "", "orders.yaml:1:1"),
        ("expect: [\n", "ZC001", "", "orders.yaml:"),
    ],
)
def test_a_mistake_is_told_where_it_stands_and_stops_the_configuration(
    tmp_path: Path, contract: str, code: str, said: str, at: str
) -> None:
    found = configured(tmp_path, contract)
    assert found.settings is None
    assert [(each.code, each.label) for each in found.errors] == [(code, said)]
    assert f"{tmp_path}/{at}" in str(found.errors[0].place)


def test_a_file_that_is_missing_or_that_everybody_may_write_is_no_contract(tmp_path: Path) -> None:
    file = tmp_path / "orders.yaml"
    text = f"agents: {{data_validation: {{datasets: {{orders: {{contract: {file}}}}}}}}}\n"
    (missing,) = loaded(text).errors
    assert (missing.code, str(missing.place).split(":")[:2]) == ("ZC006", ["config.yaml", "1"])
    file.write_text(OWN)
    file.chmod(0o666)
    assert [each.code for each in loaded(text).errors] == ["ZC403"]
