"""Every configuration in the documentation is one that loads."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from chaos.scenario import Scenario
from tests.support.command_line import command
from tests.support.doc_blocks import Block, blocks, pages
from tests.support.schemas import faults
from zen_agents.datasets.source import SourceKind
from zen_agents.engine.measurements import METRICS
from zen_agents.settings.contract_files import read_contract
from zen_agents.settings.loader import load
from zen_agents.settings.rendering import render
from zen_agents.settings.schema import json_schema

#: Words behind ```yaml of blocks that are no whole configuration, or not a valid one.
_OTHER = {"facts", "story", "wrong", "job", "plugin", "scenario", "method", "prometheus", "elsewhere", "dataset"}
_CONFIGURATIONS = [
    block for page in pages() for block in blocks(page) if block.language == "yaml" and not _OTHER & set(block.words)
]
_schema = cache(json_schema)
_METHODS = [block for page in pages() for block in blocks(page) if "method" in block.words]
_ALARMS = [block for page in pages() for block in blocks(page) if "prometheus" in block.words]
_DATASETS = [block for page in pages() for block in blocks(page) if "dataset" in block.words]
_SCENARIOS = [block for page in pages() for block in blocks(page) if "scenario" in block.words]


@pytest.mark.parametrize("block", _CONFIGURATIONS, ids=lambda block: block.name)
def test_a_configuration_loads_without_an_error(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(block.text, "utf-8")

    loaded = load(str(path), {})

    assert loaded.settings is not None, render(loaded.diagnostics, "full", files=loaded.files)
    wrong = [each for each in loaded.diagnostics if each.code not in ("ZC402", "ZC501", "ZC506")]
    assert not wrong, render(wrong, "full", files=loaded.files)


@pytest.mark.parametrize(
    "block", [each for each in _CONFIGURATIONS if "extends:" not in each.text], ids=lambda block: block.name
)
def test_an_editor_that_has_the_schema_finds_nothing_wrong_with_a_configuration(block: Block) -> None:
    assert faults(json.loads(json.dumps(yaml.safe_load(block.text), default=str)), _schema()) == []


@pytest.mark.parametrize("block", _DATASETS, ids=lambda block: block.name)
def test_a_contract_of_a_data_set_is_valid(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "contract.yaml"
    path.write_text(block.text, "utf-8")

    contract, diagnostics = read_contract(str(path), (SourceKind.CSV, "/srv/a.csv"))

    assert contract is not None, render(diagnostics, "full")


@pytest.mark.parametrize("block", _CONFIGURATIONS, ids=lambda block: block.name)
def test_no_rule_of_a_configuration_is_one_that_decides_nothing(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(block.text, "utf-8")
    path.chmod(0o600)

    found = json.loads(command("lint", str(path), "-o", "json").out)["findings"]

    assert [each for each in found if each["code"] in ("ZC704", "ZC706", "ZC707", "ZC708")] == []


@pytest.mark.parametrize("block", _SCENARIOS, ids=lambda block: block.name)
def test_a_scenario_names_every_key_and_its_configuration_loads(block: Block, tmp_path: Path) -> None:
    written = yaml.safe_load(block.text)
    scenario = Scenario.model_validate(written)
    assert set(Scenario.model_fields) - {"number"} == set(written)
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(scenario.config), "utf-8")

    assert load(str(path), {}).settings is not None


@pytest.mark.parametrize("block", _METHODS, ids=lambda block: block.name)
def test_a_method_on_a_page_is_one_that_a_scenario_can_have(block: Block) -> None:
    whole = yaml.safe_load(next(each.text for each in _SCENARIOS if each.page == block.page))
    written = yaml.safe_load(block.text)["method"]
    assert len(Scenario.model_validate({**whole, "method": written}).method) == len(written)


@pytest.mark.parametrize("block", _ALARMS, ids=lambda block: block.name)
def test_an_alarm_of_prometheus_is_about_metrics_and_labels_that_there_are(block: Block) -> None:
    rules = yaml.safe_load(block.text)["groups"][0]["rules"]
    found = [match for rule in rules for match in re.finditer(r"zen_agents_(\w+)(?:\{(\w+))?", rule["expr"])]
    assert len(found) >= len(rules)
    for match in found:
        assert match[1] in METRICS
        assert match[2] is None or match[2] in METRICS[match[1]][1]
