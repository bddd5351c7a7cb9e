"""What another package brings runs in a real engine if the host's own file names it, and only then (R21)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.engine_process import EngineProcess, wait_for

PACKAGE = """
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from zen_agents.actions.base import Action, ActionParams, ActionPolicy
from zen_agents.agents.base import BaseAgent, Schedule
from zen_agents.checks.base import Check
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind, Reversible, Risk
from zen_agents.model.observation import Observation, Status
from zen_agents.rules.condition import StatusIs
from zen_agents.rules.rule import Rule, Rung

FOLDER = os.environ["LAMPS"]


class LampCheck(Check):
    kind, summary = "lamp", "Asks whether the lamp is lit."
    observes = ("lamp.hall",)

    def observe(self, host, now):
        lit = host.file(FOLDER + "/lamp") is not None
        return [Observation("lamp.hall", "host", Status.OK if lit else Status.PROBLEM, now, None, "lit" if lit else "dark")]


class Light(Action):
    name, summary, side_effects = "light_lamp", "Lights the lamp.", "none"
    risk, reversible = Risk.LOW, Reversible.NO
    Params = ActionParams

    def plan(self, request, host):
        touches = (Resource(ResourceKind.PATH, FOLDER + "/lamp"),)
        return Plan(request, ("light the lamp",), touches, "dark", self.risk, self.reversible, self.budget)

    async def execute(self, plan, control):
        with control.open_directory(FOLDER) as folder:
            folder.create_directory("lamp", mode=0o755, owner=os.geteuid(), group=os.getegid())
        return Effect(True, "lit")


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid")
    enabled: bool = True
    auto_mitigate: bool = True


class LampAgent(BaseAgent):
    name, purpose = "lamps", "Keeps the lamp lit."
    permissions = side_effects = recovery = ("none",)
    actions = frozenset({"light_lamp"})
    Settings = Settings
    schedule = Schedule(every_seconds=60.0)

    def checks(self):
        return [LampCheck(name="lamp.hall", target="host", every_seconds=1.0)]

    def remedies(self):
        return [ActionRequest("light_lamp", "host", {}, agent=self.name)]

    def rules(self):
        rung = Rung(tuple(self.remedies()), verify_within_seconds=20.0)
        return [Rule("lamps.hall", self.name, "host", StatusIs("lamp.hall", "host", 60.0), ladder=(rung,), summary="lit")]
"""
ENTRIES = """[zen_agents.agents]
lamps = zen_lamps:LampAgent
[zen_agents.checks]
lamp = zen_lamps:LampCheck
[zen_agents.actions]
light_lamp = zen_lamps:Light
[zen_agents.guards]
none = zen_lamps:NoSuchGuard
"""
NAMED = """
plugins: [zen-lamps]
agents: {lamps: {}}
actions: {default: deny, allow: {light_lamp: {approval: auto, cooldown: 0s}}}
limits: {boot_grace: 0s}
"""


@pytest.fixture
def lamps(tmp_path: Path) -> dict[str, str]:
    """Install a package for whoever gets these variables."""
    installed, folder = tmp_path / "site", tmp_path / "lamps"
    entries = installed / "zen_lamps-1.dist-info" / "entry_points.txt"
    entries.parent.mkdir(parents=True)
    folder.mkdir()
    (entries.parent / "METADATA").write_text("Metadata-Version: 2.1\nName: zen-lamps\nVersion: 1\n", encoding="utf-8")
    entries.write_text(ENTRIES, encoding="utf-8")
    (installed / "zen_lamps.py").write_text(PACKAGE, encoding="utf-8")
    return {"PYTHONPATH": str(installed), "LAMPS": str(folder)}


def test_an_agent_with_its_check_and_its_action_runs_as_if_it_were_our_own(
    engine_with: Callable[[str], EngineProcess], lamps: dict[str, str]
) -> None:
    engine = engine_with(NAMED).start(**lamps)
    lamp = Path(lamps["LAMPS"], "lamp")
    wait_for(lamp.exists, "the lamp")
    wait_for(lambda: [(a["action"], a["outcome"]) for a in engine.actions()] == [("light_lamp", "verified")], "the outcome")
    chain = engine.json("why", "@last", **lamps)["chain"]
    guards = next(link["body"]["guards"] for link in chain if link["body"].get("guards"))
    assert len(guards) > 15, "the guards are the product's own, all of them"

    # Reloaded without its name it is gone.
    without = NAMED.replace("plugins: [zen-lamps]\nagents: {lamps: {}}", "agents: {system_health: {}}")
    engine.config.write_text(without.replace("{light_lamp: {approval: auto, cooldown: 0s}}", "{}"))
    assert engine.cli("reload").returncode == 0
    status = engine.status()
    assert status is not None
    assert [agent["name"] for agent in status["agents"]] == ["system_health"]


def test_installed_is_not_named(engine_with: Callable[[str], EngineProcess], lamps: dict[str, str]) -> None:
    engine = engine_with(NAMED.replace("plugins: [zen-lamps]\n", "")).start(wait=False, **lamps)
    assert engine.process is not None
    assert engine.process.wait(60) == 78
    assert "unknown agent `lamps`" in engine.log.read_text()


def test_named_and_not_installed_says_so(engine_with: Callable[[str], EngineProcess]) -> None:
    engine = engine_with(NAMED).start(wait=False)
    assert engine.process is not None
    assert engine.process.wait(60) == 78
    assert "`zen-lamps` is not installed" in engine.log.read_text()


def test_the_allow_list_binds_it_too(engine_with: Callable[[str], EngineProcess], lamps: dict[str, str]) -> None:
    config = NAMED.replace("{light_lamp: {approval: auto, cooldown: 0s}}", "{}")
    engine = engine_with(config).start(**lamps)
    wait_for(lambda: any(d["reason"] == "not_allowed" for d in engine.decisions()), "the refusal")
    assert not Path(lamps["LAMPS"], "lamp").exists()
