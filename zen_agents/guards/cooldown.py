"""Rest between the incidents of one target."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.guards.past_actions import ended_at
from zen_agents.guards.wording import span
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer
from zen_agents.ports.store import PastAction

#: No action runs longer than this; one that was reserved before the cooldown began may have ended within it.
_LONGEST_RUN_SECONDS = 14400.0


class Cooldown(Guard):
    """Refuses a target that was acted on a short while ago for another incident; its own retries have their backoff."""

    name = "cooldown"
    why = "A target that was just repaired is given time to show whether it holds."
    overridable = True

    def assess(self, question: Question) -> Answer:
        action, now = question.request.action, question.now.steady
        allowance = question.policy.allowed.get(action)
        if allowance is None:
            return self.allow("the action is not listed, so it has none")
        seconds = allowance.cooldown.total_seconds()
        origin = question.policy.origin(f"actions.allow.{action}.cooldown", f"actions.allow.{action}")
        last = self._last(question, seconds)
        if last is None:
            return self.allow(f"{span(seconds)}, last run never or long ago", origin=origin)
        row, ended = last
        if ended + seconds > now:
            value = f"{span(ended + seconds - now)} left ({span(seconds)} after {row.id})"
            return self.deny(Reason.COOLDOWN, value, origin=origin, until=ended + seconds)
        return self.allow(f"{span(seconds)}, last run {span(now - ended)} ago", origin=origin)

    def _last(self, question: Question, seconds: float) -> tuple[PastAction, float] | None:
        """Return the last action on the target for another incident, and when it ended (steady)."""
        now, own = question.now.steady, question.request.incident
        rows = question.store.past_actions(since=now - seconds - _LONGEST_RUN_SECONDS, target=question.request.target)
        others = [row for row in rows if own is None or row.incident != own]
        ended = [(row, at) for row in others if (at := ended_at(row, now)) is not None]
        return max(ended, key=lambda pair: pair[1], default=None)
