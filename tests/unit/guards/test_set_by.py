"""Each guard's value has a place: a line of the configuration, or the key that would set it, or whoever sets it by hand."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.engine_here import EngineHere
from tests.support.own_config import own_config
from zen_agents.catalog import GUARDS
from zen_agents.guards.set_by import BY_HAND, KEYS, built_in, default_of
from zen_agents.model.entry import EntryKind
from zen_agents.settings.explain import explain

NAMES = [guard.name for guard in GUARDS]


def test_every_guard_says_what_sets_it() -> None:
    assert sorted(KEYS) == sorted(NAMES)
    assert {name for name, keys in KEYS.items() if not keys} == set(BY_HAND)


@pytest.mark.parametrize("key", sorted({key for keys in KEYS.values() for key in keys}))
def test_the_keys_are_keys_of_the_configuration(key: str) -> None:
    named = key.replace("AGENT", "system_health").replace("ACTION", "restart_service").replace("SERVICE", "web")
    assert explain(named).path == named


def test_a_default_names_the_key_of_the_very_action_and_agent() -> None:
    names = {"agent": "system_health", "action": "restart_service", "target": "service:web"}
    assert default_of("cooldown", **names) == "built-in default (actions.allow.restart_service.cooldown)"
    assert default_of("auto_mitigate", **names) == "built-in default (agents.system_health.auto_mitigate)"
    assert default_of("dependency", **names) == "built-in default (agents.system_health.services.web.depends_on)"
    assert default_of("dependency", target="service:a:b") == "built-in default (agents.AGENT.services.a:b.depends_on)"
    assert default_of("breaker") == built_in("breakers.failures")
    assert default_of("cooldown") == built_in("actions.allow.ACTION.cooldown")
    assert default_of("pause") == "set by: zen-agents pause"
    assert default_of("ownership", "not_ours", **names) == ""
    assert default_of("a guard of a later version") == ""


async def test_a_decision_has_a_value_and_a_place_for_each_of_the_guards(tmp_path: Path) -> None:
    """What is written in the file is found there, everything else is a default that names its key."""
    place = tmp_path / "uploads"
    watched = {"path": str(place), "kind": "directory", "create": True, "mode": "0750", "every": "1s",
               "owner": str(os.geteuid()), "group": str(os.getegid())}  # fmt: skip
    config = own_config({"paths": {"uploads": watched}}, ["create_directory"], mode="enforce")
    async with EngineHere(tmp_path, config) as engine:
        await engine.settle()
        (row, *_) = [row for row in engine.store.entries(kinds=[EntryKind.DECISION]) if row.entry.body["outcome"] == "act"]
        lines = (tmp_path / "config.yaml").read_text().splitlines()
    answers = row.entry.body["guards"]
    assert [answer["guard"] for answer in answers] == NAMES
    assert all(answer.get("value") for answer in answers), json.dumps(answers)
    written = {answer["guard"]: answer["origin"] for answer in answers if answer.get("origin")}
    assert set(written) == {
        "mode", "allow_list", "ownership", "cooldown", "rate_limit", "breaker", "recurrence", "approval"
    }  # fmt: skip
    for guard, word in {
        "mode": "mode", "allow_list": "create_directory", "ownership": "boot_grace", "cooldown": "cooldown",
        "breaker": "failures", "recurrence": "recurrence", "approval": "approval",
    }.items():  # fmt: skip
        assert word in _line(lines, written[guard]), guard
    limits = written["rate_limit"].split(", ", 2)
    assert "max_auto_repairs_per_hour" in _line(lines, limits[0])
    assert "per_target_per_hour" in _line(lines, limits[1])
    assert limits[2] == "built-in default (limits.max_concurrent)"
    unwritten = [answer["guard"] for answer in answers if answer["guard"] not in written]
    assert all(default_of(guard, agent="system_health", action="create_directory") for guard in unwritten)


def _line(lines: list[str], origin: str) -> str:
    number = int(origin.rsplit(":", 2)[1])
    return "".join(lines[max(0, number - 2) : number])
