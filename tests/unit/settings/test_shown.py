"""What is shown of the settings: values and sources, the schema for editors, and what a key means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.schemas import faults
from tests.support.settings import loaded
from tests.unit.settings.test_any_input import WHOLE
from zen_agents.errors import SettingsError, UsageError
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.explain import explain
from zen_agents.settings.reader import read
from zen_agents.settings.rendering import render
from zen_agents.settings.schema import json_schema
from zen_agents.settings.shape import root
from zen_agents.settings.show import Shown, show, to_yaml

SHORT = """\
agents:
  system_health: {enabled: true, interval: 300, cpu_threshold: 80, memory_threshold: 90, auto_mitigate: true}
  dependency_manager: {enabled: true, schedule: "0 3 * * *", security_updates: auto}
"""


@pytest.mark.parametrize("text", [SHORT, WHOLE])
@pytest.mark.parametrize("diff_defaults", [False, True])
def test_what_is_shown_loads_to_the_same_settings(text: str, diff_defaults: bool) -> None:
    first = loaded(text)
    again = loaded(to_yaml(show(first, sources=True, diff_defaults=diff_defaults)))
    assert again.errors == ()
    assert again.digest == first.digest


def test_each_value_says_where_it_came_from() -> None:
    text = to_yaml(show(loaded(WHOLE, MAX_AUTO_REPAIRS_PER_HOUR="4"), sources=True))
    assert "  max_auto_repairs_per_hour: 4   # env MAX_AUTO_REPAIRS_PER_HOUR (file says 5, config.yaml:22)\n" in text
    assert "  max_concurrent: 1   # default\n" in text
    assert "mode: approve   # config.yaml:2\n" in text


def test_only_what_differs_from_the_defaults_is_shown_if_asked() -> None:
    values = show(loaded(SHORT.replace("300", "60")), diff_defaults=True).values
    assert values["agents"] == {
        "system_health": {"interval": "1m"},
        "dependency_manager": {"schedule": "0 3 * * *", "security_updates": "auto"},
    }


def test_nothing_is_shown_of_a_file_that_is_wrong() -> None:
    with pytest.raises(SettingsError, match="ZC101"):
        show(loaded("agnts: {}\n"))


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.one_of(st.text(), st.integers(-(10**12), 10**12), st.booleans(), st.lists(st.text()))))
def test_any_text_that_is_shown_reads_back_as_itself(values: dict[str, object]) -> None:
    kept = {key: value for key, value in values.items() if not key.startswith("x-") and key != "<<"}
    report = Report()
    node = read(to_yaml(Shown(kept, {})).encode("utf-8", "replace"), "shown", report)
    if "\ufffd" not in json.dumps(kept, ensure_ascii=False) and not _has_surrogates(kept):
        assert report.found == []
        assert node.plain() == kept


def _has_surrogates(values: dict[str, object]) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in json.dumps(values, ensure_ascii=False))


def test_the_schema_takes_what_loads_and_refuses_what_does_not() -> None:
    schema = json_schema()
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    for text in (SHORT, WHOLE):
        tree = read(text.encode(), "c.yaml", Report()).plain()
        assert faults(tree, schema) == []
    tree["agents"]["system_health"]["cpu_treshold"] = 80
    tree["mode"] = "enforc"
    tree["x-note"] = 1
    told = faults(tree, schema)
    assert {fault.split(" ")[0] for fault in told} == {"$.agents.system_health", "$.mode"}
    assert any("'cpu_treshold'" in fault for fault in told)


def test_the_schema_asks_of_a_data_set_where_it_lies_or_which_contract_says_it() -> None:
    def told(dataset: dict[str, object]) -> list[str]:
        return faults({"agents": {"data_validation": {"datasets": {"orders": dataset}}}}, json_schema())

    assert told({"contract": "/etc/zen-agents/orders.yaml"}) == told({"source": {"csv": "/srv/orders.csv"}}) == []
    assert told({"expect": [{"row_count": {"min": 1}}]}) != []
    assert told({"contract": "/etc/o.yaml", "columns": {"amount": "numbr"}}) != []


def test_the_schema_has_no_word_of_a_later_draft() -> None:
    text = json.dumps(json_schema())
    assert "$defs" not in text
    assert "prefixItems" not in text


def test_a_key_is_explained_with_type_default_unit_variable_and_example() -> None:
    told = explain("limits.max_auto_repairs_per_hour")
    assert (told.type, told.default, told.environment) == ("whole number", "5", "MAX_AUTO_REPAIRS_PER_HOUR")
    hold = explain("agents.system_health.thresholds.cpu.for")
    assert (hold.type, hold.default, hold.unit) == ("duration", "5m", "with a unit: 30s 5m 2h 7d")
    assert explain("agents.system_health.enabled").environment == "AGENT_SYSTEM_HEALTH_ENABLED"
    assert "cpu" in explain("agents.system_health.thresholds").keys
    assert explain("agents.system_health.caches.any-name.above").needed
    assert explain("mode").type == "one of observe, approve, enforce"


def test_an_unknown_key_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean cpu_threshold"):
        explain("agents.system_health.cpu_treshold")


def test_every_key_of_the_grammar_can_be_explained_and_says_something() -> None:
    undocumented, seen = [], 0
    open_paths = [""]
    while open_paths:
        path = open_paths.pop()
        told = explain(path)
        seen += 1
        for key in told.keys:
            open_paths.append(f"{path}.{key}" if path else key)
        if path and path not in ("agents", "actions", "actions.allow") and not told.description:
            undocumented.append(path)
        below = root().at(tuple(step for step in path.split(".") if step))
        if below is not None and not told.keys and below.step("NAME") is not None and below.step("NAME").keys:  # type: ignore[union-attr]
            open_paths.append(f"{path}.NAME")
    assert undocumented == []
    assert seen > 150


def test_colour_only_when_asked_and_control_characters_never() -> None:
    result = loaded('agents: {system_health: {}}\nmode: "\\e[31mred"\n')
    plain = render(result.diagnostics, "full")
    assert "\x1b" not in plain
    coloured = render(result.diagnostics, "full", colour=True)
    assert coloured.count("\x1b[0m") == coloured.count("\x1b[") // 2
    assert "\x1b[31mred" not in coloured


def test_github_and_concise_forms_are_one_line_each() -> None:
    result = loaded("agents: {system_health: {}}\nalert: {}\n")
    github = render(result.diagnostics, "github")
    expected = "::error file=config.yaml,line=2,col=1,endColumn=6::ZC101 unknown key `alert` (did you mean `alerts`?)"
    assert github == expected
    concise = render(result.diagnostics, "concise", files=result.files).splitlines()
    assert concise[0] == "config.yaml:2:1: error[ZC101] unknown key `alert` (did you mean `alerts`?)"
    assert concise[-1] == "1 error in config.yaml"


def test_every_example_configuration_in_the_repository_loads() -> None:
    folder = Path(__file__).resolve().parents[3] / "config"
    files = [*folder.glob("*.yaml"), *folder.glob("examples/*.yaml")]
    assert len(files) > 1
    for file in files:
        result = loaded(file.read_bytes())
        assert [each for each in result.errors if each.code not in ("ZC404",)] == [], file


def test_durations_sizes_and_percentages_are_shown_without_quotes() -> None:
    text = to_yaml(show(loaded(SHORT)))
    assert "boot_grace: 2m\n" in text
    assert "share: 50%\n" in text
