"""This engine, as a unit of the host's systemd as in production, asked by its own commands."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import yaml

from chaos import mail
from chaos.engines.base import Contender, Cost, Performed, Timeline
from chaos.engines.unit_cost import unit_cost
from chaos.host import REPOSITORY
from chaos.scenario import Scenario
from chaos.waiting import wait_until
from zen_agents import catalog

UNIT, STATE, CONFIG, LOG = (
    "zen-agents.service",
    "/var/lib/zen-agents",
    "/etc/zen-agents/config.yaml",
    "/var/log/zen-agents.log",
)
_COMMAND = (sys.executable, "-m", "zen_agents", "--state-dir", STATE)
#: In its log, once an agent has looked, folded and decided for the first time.
_FIRST_TURN = "first turn"
_UNDER_WAY = ("running", "verifying")
_READY_WITHIN_SECONDS = 60.0


def built() -> frozenset[str]:
    """Return what this version can do, by the names of its catalog."""
    agents, actions = (agent.name for agent in catalog.AGENTS), (action.name for action in catalog.ACTIONS)
    checks, guards = (check.kind for check in catalog.CHECKS), (guard.name for guard in catalog.GUARDS)
    return frozenset([*agents, *checks, *actions, *guards])


class Zen(Contender):
    """zen-agents."""

    name = "zen"

    @classmethod
    def missing(cls, scenario: Scenario) -> Sequence[str]:
        return scenario.missing(built())

    def start(self) -> None:
        whole = {**self.scenario.config, "alerts": _alerts()}
        self.host.write_file(CONFIG, yaml.safe_dump(whole, sort_keys=False), mode=0o600)
        unit = ["systemd-run", f"--unit={UNIT}", "--quiet", f"--working-directory={REPOSITORY}", "--property=KillMode=mixed"]
        logs = [f"--property=StandardOutput=append:{LOG}", f"--property=StandardError=append:{LOG}"]
        run = [sys.executable, "-m", "zen_agents", "run", "-c", CONFIG, "--state-dir", STATE]
        self.host.run([*unit, *logs, "--", *run], check=True)
        wait_until(self._has_looked, "the engine's first look", seconds=_READY_WITHIN_SECONDS, every=0.05)

    def stop(self) -> None:
        self.host.run(["systemctl", "stop", UNIT])

    def operate(self, words: Sequence[str]) -> None:
        if words:
            self.host.run([*_COMMAND, *words], cwd=str(REPOSITORY), check=True)

    def timeline(self) -> Timeline:
        incidents, actions = self.json("incidents")["items"], self._actions()
        return Timeline(
            detected_at=min((_seconds(row["began_at"]) for row in incidents), default=None),
            acted_at=min((_seconds(row["reserved_at"]) for row in actions), default=None),
            verified_at=max((_seconds(row["ended_at"]) for row in actions if row["outcome"] == "verified"), default=None),
        )

    def actions(self) -> Sequence[Performed]:
        return tuple(Performed(row["action"], row["target"], row["outcome"]) for row in self._actions())

    def fewest_actions(self) -> int:
        return len(self.scenario.expect.actions)

    def unnecessary(self, actions: Sequence[Performed]) -> Sequence[Performed]:
        needed, found = Counter(self.scenario.expect.actions), []
        for done in actions:
            needed[done.action] -= 1
            if needed[done.action] < 0:
                found.append(done)
        return found

    def is_settled(self) -> bool:
        return all(done.outcome not in _UNDER_WAY for done in self.actions())

    def cost(self) -> Cost:
        return unit_cost(self.host, UNIT)

    def json(self, *arguments: str) -> Any:
        """Run one of its commands with -o json and return what it printed."""
        argv = [*_COMMAND, *arguments, "-o", "json"]
        return json.loads(self.host.run(argv, cwd=str(REPOSITORY), check=True).stdout)

    def _actions(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.json("actions", "--limit", "1000")["items"]
        return items[::-1]

    def _has_looked(self) -> bool:
        return _FIRST_TURN in self.host.run(["cat", LOG]).stdout


def _alerts() -> dict[str, Any]:
    smtp = {"host": "127.0.0.1", "port": mail.PORT, "starttls": "never"}
    return {"group_wait": "0s", "email": {"to": [mail.ADDRESS], "smtp": smtp}}


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
