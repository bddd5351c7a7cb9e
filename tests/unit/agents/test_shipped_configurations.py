"""The configurations that are shipped do what their comments say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from zen_agents.agents.base import AgentContext
from zen_agents.agents.system_health.agent import SystemHealthAgent
from zen_agents.settings.loader import Loaded, load

CONFIG = Path(__file__).parents[3] / "config"
SHIPPED = sorted(CONFIG.glob("*.yaml")) + sorted((CONFIG / "examples").glob("*.yaml"))


def loaded(path: Path) -> Loaded:
    return load([path], {})


def agent(path: Path) -> SystemHealthAgent:
    settings = loaded(path).settings
    assert settings is not None
    context = AgentContext("host", policies=settings.actions.allow)
    return SystemHealthAgent(settings.agents["system_health"], context)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_shipped_configuration_is_valid_without_a_warning(path: Path) -> None:
    found = loaded(path)
    assert [diagnostic.message for diagnostic in found.diagnostics] == []
    assert found.settings is not None


def test_the_default_watches_the_host_and_may_change_nothing() -> None:
    default = agent(CONFIG / "default.yaml")
    assert default.remedies() == ()
    assert {check.kind for check in default.checks()} == {"cpu", "load", "memory", "pressure", "disk", "clock"}


def test_the_default_says_what_would_hold_without_it(tmp_path: Path) -> None:
    empty = tmp_path / "empty.yaml"
    empty.write_text("agents: {system_health: {}}\n")
    written, implied = loaded(CONFIG / "default.yaml").settings, loaded(empty).settings
    assert written is not None and implied is not None
    rules = [[repr(replace(rule, origin="")) for rule in agent(path).rules()] for path in (CONFIG / "default.yaml", empty)]
    assert rules[0] == rules[1]
    for section in ("mode", "limits", "breakers", "safe_mode", "retention"):
        assert getattr(written, section) == getattr(implied, section)


def test_the_first_repair_restarts_one_web_server_on_this_host_alone() -> None:
    first = agent(CONFIG / "examples" / "first-repair.yaml")
    (request,) = first.remedies()
    assert (request.action, request.target) == ("restart_service", "service:web")
    assert request.params["command"]["start"][-2:] == ["--bind", "127.0.0.1"]
    web = next(rule for rule in first.rules() if rule.name == "system_health.web")
    assert [rung.alternatives for rung in web.ladder] == [(request,)]
    assert web.hold.fail_after == 1
