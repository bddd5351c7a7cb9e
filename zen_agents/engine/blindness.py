"""Many targets that nobody can tell about have one cause, and it is mostly the observer's: people are told once (R2, R3)."""

from __future__ import annotations

from collections.abc import Iterable

from zen_agents.clock import Instant
from zen_agents.engine.parts import Parts
from zen_agents.model.decision import Decision, DecisionKind
from zen_agents.model.incident import Incident
from zen_agents.model.observation import Status
from zen_agents.model.reason import Reason

_BLIND = "blind"


class Blindness:
    """What one agent cannot see. Nothing is done about UNKNOWN anyway, so this decides only how often it is told."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._unknown = self._targets = 0
        #: True from the one message on until it is over.
        self.is_told = False

    def look(self, incidents: Iterable[Incident], targets: int, now: Instant) -> None:
        """Count, of `targets` in all, those that cannot be told about now; tell when it is over."""
        self._unknown = len({each.target for each in incidents if each.last_status is Status.UNKNOWN})
        self._targets = targets
        if self.is_told and not self._is_mass():
            self.is_told = False
            self._parts.escalation.engine_resolved(_BLIND, "most targets can be told about again", now)

    def tells(self, decision: Decision, now: Instant) -> bool:
        """Tell whether one message stands for an incident that is to be told; that message is sent now if it was not."""
        if decision.kind is not DecisionKind.ESCALATE or decision.reason is not Reason.UNKNOWN_TOO_LONG:
            return False
        if self._is_mass() and not self.is_told:
            self.is_told = True
            why = f"{self._unknown} of {self._targets} targets cannot be told about; a shared cause is suspected"
            self._parts.escalation.engine(_BLIND, why, now)
        return self.is_told

    def _is_mass(self) -> bool:
        policy = self._parts.policy
        share = policy.storm_share * self._targets
        return self._unknown > policy.storm.most or (self._unknown >= policy.storm_share_from and self._unknown > share)
