"""Rules, findings and moments for the tests of pure decisions, and a small engine that follows what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any

from zen_agents.clock import Instant
from zen_agents.model.action import ActionRequest
from zen_agents.model.decision import Decision, DecisionKind
from zen_agents.model.incident import Incident
from zen_agents.model.observation import Finding, Observation, Status
from zen_agents.model.reason import Reason
from zen_agents.rules import transitions
from zen_agents.rules.condition import StatusIs
from zen_agents.rules.decide import decide
from zen_agents.rules.hysteresis import fold, is_flapping
from zen_agents.rules.rule import Rule, Rung
from zen_agents.rules.window import RecentObservations

OK, PROBLEM, UNKNOWN = Status.OK, Status.PROBLEM, Status.UNKNOWN
NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
RESTART = ActionRequest("restart_service", "service:web")
RELOAD = ActionRequest("reload_service", "service:web")


def moment(steady: float, *, wall_off: float = 0.0) -> Instant:
    """Return the moment `steady` seconds after the timeline's start; the wall clock is off by so much."""
    return Instant(NOON + timedelta(seconds=steady + wall_off), steady)


def rung(**changes: Any) -> Rung:
    """Return a rung that restarts web, with small round numbers."""
    numbers = {
        "attempts": 4, "backoff_first_seconds": 10.0, "backoff_maximum_seconds": 300.0, "jitter_seconds": 0.0,
        "settle_seconds": 2.0, "verify_within_seconds": 20.0,
    }  # fmt: skip
    return Rung(**{"alternatives": (RESTART,), **numbers, **changes})


def rule(**changes: Any) -> Rule:
    """Return a rule on service:web with one rung."""
    condition = StatusIs("probe.web", "service:web", stale_after_seconds=60.0)
    return Rule(**{
        "name": "system_health.web", "agent": "system_health", "target": "service:web", "condition": condition,
        "ladder": (rung(),), **changes,
    })  # fmt: skip


def finding(status: Status, at: Instant, **changes: Any) -> Finding:
    """Return a finding made at this moment."""
    return Finding(status, at, **{"detail": f"web is {status.value}", **changes})


def observation(name: str, value: float | None, steady: float, **changes: Any) -> Observation:
    """Return a measurement of the host."""
    return Observation(name, **{"target": "host", "status": OK, "at": moment(steady), "value": value, **changes})


def seen(*observations: Observation, keeping: Iterable[tuple[str, str, float]] = ()) -> RecentObservations:
    """Return a window that saw these, with the past of some pairs kept."""
    window = RecentObservations()
    for name, target, seconds in keeping:
        window.require(name, target, seconds)
    for one in observations:
        window.add(one)
    return window


def new_ids() -> Callable[[], str]:
    """Return a source of ids."""
    numbers = count(1)
    return lambda: f"inc-{next(numbers)}"


@dataclass
class LittleEngine:
    """Follows decisions as the engine does, without doing anything: one rule, one timeline."""

    rule: Rule
    random: Random = field(default_factory=lambda: Random(7))
    steady: float = 0.0
    wall_off: float = 0.0
    incident: Incident | None = None
    decisions: list[Decision] = field(default_factory=list)
    #: (incident id, kind, reason) of everything that was more than waiting.
    deeds: list[tuple[str, DecisionKind, Reason]] = field(default_factory=list)
    #: Incident ids, once for each action that guards let through.
    started: list[str] = field(default_factory=list)
    openings: list[float] = field(default_factory=list)
    resolved: list[Incident] = field(default_factory=list)
    #: Set: guards refuse for this reason.
    refusing: Reason | None = None
    _ids: Callable[[], str] = field(default_factory=new_ids)

    @property
    def now(self) -> Instant:
        return moment(self.steady, wall_off=self.wall_off)

    @property
    def flapping(self) -> bool:
        return is_flapping(self.openings, self.rule.flapping, self.now)

    def see(self, status: Status, after: float = 1.0, **changes: Any) -> Decision | None:
        """Let time pass, fold one finding, decide once and follow the decision."""
        self.steady += after
        before = self.incident
        self.incident = fold(self.rule, before, finding(status, self.now, **changes), self.now, new_id=self._ids)
        opened = self.incident is not None and self.incident.opened_at is not None
        if self.incident is not None and opened and (before is None or before.opened_at is None):
            self.openings.append(self.steady)
        return self.decide()

    def decide(self) -> Decision | None:
        """Decide once and follow the decision; None if there is no incident."""
        if self.incident is None:
            return None
        decision = decide(self.incident, self.rule, self.now, flapping=self.flapping)
        self.decisions.append(decision)
        if decision.kind is not DecisionKind.WAIT:
            self.deeds.append((self.incident.id, decision.kind, decision.reason))
        self._follow(self.incident, decision)
        return decision

    def _follow(self, incident: Incident, decision: Decision) -> None:
        now = self.now
        if decision.kind is DecisionKind.ACT:
            if self.refusing is not None:
                self.incident = transitions.refused(incident, self.refusing, now)
            else:
                self.started.append(incident.id)
                self.incident = transitions.started(incident, "act-1", self.rule.ladder[incident.rung], now)
        elif decision.kind is DecisionKind.FAIL_RUNG:
            self.incident = transitions.attempt_failed(incident, self.rule, now, self.random)
        elif decision.kind is DecisionKind.ESCALATE:
            self.incident = transitions.escalated(incident, decision.reason, now)
        elif decision.kind is DecisionKind.RESOLVE:
            self.resolved.append(transitions.resolved(incident, "itself", now))
            self.incident = None

    def count(self, kind: DecisionKind) -> int:
        """Return how often this was decided."""
        return sum(1 for _, done, _ in self.deeds if done is kind)
