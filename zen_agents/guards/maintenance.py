"""Maintenance windows, and actions that may run in one window only."""

from __future__ import annotations

from datetime import datetime

from zen_agents.guards.base import Guard, MaintenanceWindow, Question
from zen_agents.guards.windows import forbids, permits
from zen_agents.guards.wording import span
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer

#: Effect of a window -> whether it forbids acting.
EFFECTS = {"no_actions": True, "observe": True, "no_alerts": False}


class Maintenance(Guard):
    """Refuses the engine inside a window that forbids actions, and outside the window that `only_in` names."""

    name = "maintenance"
    why = "Planned work is not a fault, and some actions are kept for planned hours."
    binds_people = False

    def assess(self, question: Question) -> Answer:
        windows, now = question.policy.maintenance, question.now.wall
        closing = [(end, window) for window in windows if (end := self._forbidden_until(window, now)) is not None]
        if closing:
            end, window = max(closing, key=lambda pair: pair[0])
            left = (end - now).total_seconds()
            value = f"{window.name} ({window.effect}), {span(left)} left"
            return self.deny(Reason.MAINTENANCE, value, origin=window.origin, until=question.now.steady + left)
        return self._only_in(question)

    def _forbidden_until(self, window: MaintenanceWindow, now: datetime) -> datetime | None:
        if window.effect not in EFFECTS:
            raise ValueError(f"maintenance window {window.name} has the unknown effect {window.effect!r}")
        return forbids(window, now) if EFFECTS[window.effect] else None

    def _only_in(self, question: Question) -> Answer:
        policy, action = question.policy, question.request.action
        allowance = policy.allowed.get(action)
        wanted = allowance.only_in if allowance is not None else None
        if wanted is None:
            return self.allow("none active")
        origin = policy.origin(f"actions.allow.{action}.only_in", f"actions.allow.{action}")
        named = [window for window in policy.maintenance if window.name == wanted]
        if not named:
            return self.deny(Reason.MAINTENANCE, f"only in {wanted}, and there is no such window", origin=origin)
        if any(permits(window, question.now.wall) for window in named):
            return self.allow(f"inside {wanted}", origin=origin)
        return self.deny(Reason.MAINTENANCE, f"only in {wanted}, which is not open", origin=origin)
