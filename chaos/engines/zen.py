"""This engine, as a unit of the host's systemd as in production, asked by its own commands."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import yaml

from chaos import mail
from chaos.engines.base import AS_ALWAYS, Contender, Cost, Launch, Performed, Timeline
from chaos.engines.unit_cost import unit_cost
from chaos.host import REPOSITORY, DisposableHost
from chaos.scenario import Expectation, Scenario
from chaos.waiting import wait_until
from chaos.workload import unit_property
from zen_agents import catalog
from zen_agents.model.action import Reversible

UNIT, STATE, CONFIG, LOG = (
    "zen-agents.service",
    "/var/lib/zen-agents",
    "/etc/zen-agents/config.yaml",
    "/var/log/zen-agents.log",
)
_COMMAND = (sys.executable, "-m", "zen_agents", "--state-dir", STATE)
#: In its log, once an agent has looked, folded and decided for the first time.
_FIRST_TURN = "first turn"
_WITH_INVERSE = frozenset(action.name for action in catalog.ACTIONS if action.reversible is not Reversible.NO)
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
    takes_variants = True

    def __init__(self, host: DisposableHost, scenario: Scenario) -> None:
        super().__init__(host, scenario)
        #: Its commands see the same clock as it does.
        self._environment: Mapping[str, str] = {}

    @classmethod
    def missing(cls, scenario: Scenario) -> Sequence[str]:
        return scenario.missing(built())

    def start(self, launch: Launch = AS_ALWAYS) -> None:
        self._environment = launch.environment
        whole = {**self.scenario.config, "alerts": _alerts()}
        self.host.write_file(CONFIG, yaml.safe_dump(whole, sort_keys=False), mode=0o600)
        self.host.run(["rm", "--force", LOG], check=True)
        unit = ["systemd-run", f"--unit={UNIT}", "--quiet", "--collect", f"--working-directory={REPOSITORY}"]
        logs = [f"--property=StandardOutput=append:{LOG}", f"--property=StandardError=append:{LOG}"]
        environment = [f"--setenv={name}={value}" for name, value in launch.environment.items()]
        run = [sys.executable, "-m", "zen_agents", "run", "-c", CONFIG, "--state-dir", STATE, *launch.options]
        self.host.run([*unit, *logs, *environment, "--property=KillMode=mixed", "--", *run], check=True)
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
        return tuple(
            Performed(row["action"], row["target"], row["outcome"], claims_inverse=row["action"] in _WITH_INVERSE)
            for row in self._actions()
        )

    def fewest_actions(self, expected: Expectation) -> int:
        return len(expected.actions)

    def unnecessary(self, expected: Expectation, actions: Sequence[Performed]) -> Sequence[Performed]:
        needed, found = Counter(expected.actions), []
        for done in actions:
            needed[done.action] -= 1
            if needed[done.action] < 0:
                found.append(done)
        return found

    def plans(self) -> Sequence[Performed]:
        rows = self.json("decisions", "--limit", "1000")["items"]
        found = {(row["action"], row["target"]) for row in rows if row["reason"] == "dry_run"}
        return tuple(Performed(action, target) for action, target in sorted(found))

    def is_running(self) -> bool:
        return unit_property(self.host, UNIT, "ActiveState") in ("active", "activating")

    def is_settled(self) -> bool:
        return all(done.outcome not in _UNDER_WAY for done in self.actions())

    def cost(self) -> Cost:
        return unit_cost(self.host, UNIT)

    def json(self, *arguments: str) -> Any:
        """Run one of its commands with -o json and return what it printed."""
        argv = [*_COMMAND, *arguments, "-o", "json"]
        return json.loads(self.host.run(argv, cwd=str(REPOSITORY), environment=self._environment, check=True).stdout)

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
