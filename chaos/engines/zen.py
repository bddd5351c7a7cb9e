"""This engine, as a unit of the host's systemd as in production, asked by its own commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from math import inf
from typing import Any

import yaml

from chaos import mail
from chaos.engines.base import AS_ALWAYS, Contender, Cost, Launch, Performed, Timeline
from chaos.engines.unit_cost import unit_cost
from chaos.engines.zen_unit import ZenUnit
from chaos.host import DisposableHost
from chaos.scenario import Expectation, Scenario
from chaos.shell import Shell
from zen_agents import catalog
from zen_agents.model.action import Reversible

STATE = "/var/lib/zen-agents"
_WITH_INVERSE = frozenset(action.name for action in catalog.ACTIONS.values() if action.reversible is not Reversible.NO)
_UNDER_WAY = ("running", "verifying")


def built() -> frozenset[str]:
    """Return what this version can do, by the names of its catalog."""
    agents, actions = iter(catalog.AGENTS), catalog.ACTIONS
    checks, guards = catalog.CHECKS, (guard.name for guard in catalog.GUARDS)
    return frozenset([*agents, *checks, *actions, *guards])


class Zen(Contender):
    """zen-agents."""

    name = "zen"
    takes_variants = True

    def __init__(self, host: DisposableHost, scenario: Scenario) -> None:
        super().__init__(host, scenario)
        self._unit = ZenUnit(host)
        #: In which the person sits who is asked, if one does.
        self._shell: Shell | None = None

    @classmethod
    def missing(cls, scenario: Scenario) -> Sequence[str]:
        return scenario.missing(built())

    def start(self, launch: Launch = AS_ALWAYS) -> None:
        self._unit.configure(yaml.safe_dump({**self.scenario.config, "alerts": _alerts()}, sort_keys=False))
        self._unit.start(launch)

    def stop(self) -> None:
        self._unit.stop()

    def operate(self, words: Sequence[str]) -> None:
        if words:
            self._unit.cli(*words).check_returncode()

    def questions(self) -> Sequence[str]:
        return [row["id"] for row in self._unit.json("approvals")["items"] if row["state"] == "pending"]

    @contextmanager
    def seated(self) -> Iterator[None]:
        with self._unit.shell() as self._shell:
            yield
        self._shell = None

    def approve(self, question: str) -> bool:
        words = ("approve", question, "--reason", "seen", "--yes")
        if self._shell is not None:
            return self._shell.run(self._unit.command(*words)) == 0
        return self._unit.cli(*words).returncode == 0

    def undo(self, done: Performed) -> bool:
        return self._unit.cli("undo", done.id, "--reason", "tried", "--yes").returncode == 0

    def timeline(self) -> Timeline:
        incidents, actions = self._unit.json("incidents")["items"], self._unit.actions()
        return Timeline(
            detected_at=min((_seconds(row["began_at"]) for row in incidents), default=None),
            acted_at=min((_seconds(row["reserved_at"]) for row in actions), default=None),
            verified_at=max((_seconds(row["ended_at"]) for row in actions if row["outcome"] == "verified"), default=None),
            asked=tuple(
                (_seconds(row["asked_at"]), max((_seconds(answer["at"]) for answer in row["answers"]), default=inf))
                for row in self._unit.json("approvals", "--all")["items"]
            ),
        )

    def actions(self) -> Sequence[Performed]:
        return tuple(
            Performed(
                row["action"], row["target"], row["outcome"], claims_inverse=row["action"] in _WITH_INVERSE, id=row["id"]
            )
            for row in self._unit.actions()
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
        found = {(row["action"], row["target"]) for row in self._unit.decisions() if row["reason"] == "dry_run"}
        return tuple(Performed(action, target) for action, target in sorted(found))

    def is_running(self) -> bool:
        return self._unit.is_running()

    def is_settled(self) -> bool:
        return all(done.outcome not in _UNDER_WAY for done in self.actions())

    def cost(self) -> Cost:
        return unit_cost(self.host, self._unit.unit)


def _alerts() -> dict[str, Any]:
    smtp = {"host": "127.0.0.1", "port": mail.PORT, "starttls": "never"}
    return {"group_wait": "0s", "email": {"to": [mail.ADDRESS], "smtp": smtp}}


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
