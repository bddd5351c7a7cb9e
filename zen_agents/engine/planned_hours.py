"""Planned work waits for its hour: the window that `only_in` names, or the time after the agent's own schedule was due.

An upgrade is no repair: nothing is broken that it would mend, and an engine that starts is no reason to begin it. What only
waits for its hour is neither refused nor told. A person's own act, and one that a person agreed to, waits for no schedule.
"""

from __future__ import annotations

from datetime import timedelta

from zen_agents.agents.base import BaseAgent
from zen_agents.clock import Instant
from zen_agents.engine.parts import Parts
from zen_agents.guards.windows import permits, upcoming
from zen_agents.model.action import ActionRequest
from zen_agents.model.approval import ApprovalState
from zen_agents.model.decision import Decision, DecisionKind
from zen_agents.model.reason import Reason
from zen_agents.rules.rule import Rung

#: What a schedule asks for may begin for so long after it was due (seconds): it may be tried twice, or wait for a lock.
LASTS_SECONDS = 3600.0
#: Where a window has come and the doubt about its hour has not gone, it is decided again after this (seconds).
_IN_DOUBT_SECONDS = 30.0


class PlannedHours:
    """Knows whether it is the hour of what one agent only does as planned. That its schedule was due no restart outlives."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        #: Steady time until which what the schedule asks for may begin.
        self._scheduled_until = float("-inf")

    def due(self, now: Instant) -> None:
        """The schedule is due."""
        self._scheduled_until = now.steady + LASTS_SECONDS

    def wait(self, agent: BaseAgent, rung: Rung, now: Instant) -> Decision | None:
        """Return the decision to wait where all that a rung could do is planned work and it is not its hour, else None."""
        waits = [self._waits(agent, request, now) for request in rung.alternatives]
        return next((wait for wait in waits if wait is not None), None) if all(waits) else None

    def _waits(self, agent: BaseAgent, request: ActionRequest, now: Instant) -> Decision | None:
        if request.action not in agent.planned:
            return None
        allowance = self._parts.policy.allowed.get(request.action)
        if allowance is not None and allowance.only_in is not None:
            return self._for_window(allowance.only_in, now)
        if agent.schedule.cron is None or now.steady < self._scheduled_until or self._is_agreed(request):
            return None
        said = f"until its schedule is due: {agent.schedule.cron} ({agent.schedule.timezone})"
        return Decision(DecisionKind.WAIT, Reason.MAINTENANCE, now, said)

    def _for_window(self, name: str, now: Instant) -> Decision | None:
        named = [window for window in self._parts.policy.maintenance if window.name == name]
        if not named or any(permits(window, now.wall) for window in named):
            # A window that is not there is the guards' to refuse.
            return None
        opens = [first for window in named for first, _ in upcoming(window, now.wall, 1)]
        left = min(opens, default=now.wall + timedelta(days=1)) - now.wall
        again_at = now.steady + max(_IN_DOUBT_SECONDS, left.total_seconds())
        return Decision(DecisionKind.WAIT, Reason.MAINTENANCE, now, f"until {name} is open", again_at=again_at)

    def _is_agreed(self, request: ActionRequest) -> bool:
        asked = self._parts.store.open_approval(request.action, request.target)
        return asked is not None and asked.state is ApprovalState.APPROVED
