"""Maintenance windows, and actions that may run in one window only."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.guards.windows import EFFECTS, open_windows, permits
from zen_agents.guards.wording import one_line, span
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer


class Maintenance(Guard):
    """Refuses the engine inside a window that forbids actions, and outside the window that `only_in` names."""

    name = "maintenance"
    why = "Planned work is not a fault, and some actions are kept for planned hours."
    binds_people = False

    def assess(self, question: Question) -> Answer:
        open_now = open_windows(question.policy.maintenance, question.store.brakes(), question.now)
        closing = [window for window in open_now if EFFECTS.get(window.effect, True)]
        if closing:
            last = max(closing, key=lambda window: window.until)
            by = f" by {one_line(last.by)}" if last.by else ""
            value = f"{one_line(last.name)} ({last.effect}){by}, {span(last.until - question.now.steady)} left"
            return self.deny(Reason.MAINTENANCE, value, origin=last.origin, until=last.until)
        return self._only_in(question)

    def _only_in(self, question: Question) -> Answer:
        policy, action = question.policy, question.request.action
        allowance = policy.allowed.get(action)
        wanted = allowance.only_in if allowance is not None else None
        if wanted is None:
            return self.allow("none active", origin=policy.origin("maintenance"))
        origin = policy.origin(f"actions.allow.{action}.only_in", f"actions.allow.{action}")
        named = [window for window in policy.maintenance if window.name == wanted]
        if not named:
            return self.deny(Reason.MAINTENANCE, f"only in {wanted}, and there is no such window", origin=origin)
        if any(permits(window, question.now.wall) for window in named):
            return self.allow(f"inside {wanted}", origin=origin)
        return self.deny(Reason.MAINTENANCE, f"only in {wanted}, which is not open", origin=origin)
