"""The storm brake: while too many targets fail at once nothing is done about any of them (R3), and for a calm afterwards."""

from __future__ import annotations

from zen_agents.clock import Instant
from zen_agents.engine.parts import Parts
from zen_agents.engine.safe_mode import HOST
from zen_agents.errors import StoreError
from zen_agents.guards.base import Situation
from zen_agents.guards.storm_brake import is_storm
from zen_agents.ports.store import Brake

#: The kind of the brake in the state.
STORM = "storm"


class Storm:
    """Sets the brake and lifts it; what it holds back is the guard's to say."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def look(self, situation: Situation, now: Instant) -> bool:
        """Keep the brake set while too many targets fail, and for a calm afterwards; True while it holds."""
        parts, brake = self._parts, self._brake()
        if not is_storm(situation, parts.policy):
            holds = brake is not None and brake.until is not None and brake.until > now.steady
            if brake is not None and not holds:
                self._lift(now)
            return holds
        calm = parts.policy.storm.retry_after_seconds
        # Renewed when half of the calm is over, so that a lasting storm costs few writes.
        if brake is None or brake.until is None or brake.until < now.steady + calm / 2:
            failing, of = situation.failing_targets, situation.actionable_targets
            why = f"{failing} of {of} targets fail at once"
            parts.store.set_brake(Brake(STORM, HOST, why, "engine", now, now.steady + calm))
            parts.safe_mode.storm(failing, of)
            if brake is None and not parts.safe_mode.triggers.storm:
                # Else safe mode has told it. Single incidents are not told while it lasts.
                parts.escalation.engine("storm", f"{why}; nothing is done until it has been calm for a while", now)
        return True

    def _lift(self, now: Instant) -> None:
        try:
            self._parts.store.lift_brake(STORM, HOST)
        except StoreError as error:
            self._parts.safe_mode.store_failed(str(error))
            return
        if not self._parts.safe_mode.triggers.storm:
            self._parts.escalation.engine_resolved("storm", "it has been calm for long enough", now)

    def _brake(self) -> Brake | None:
        try:
            return next((brake for brake in self._parts.store.brakes() if brake.kind == STORM), None)
        except StoreError as error:
            self._parts.safe_mode.store_failed(str(error))
            return None
