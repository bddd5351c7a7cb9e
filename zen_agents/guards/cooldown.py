"""Rest between the incidents of one target."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.guards.wording import span
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer

#: No action runs longer than this; one that was reserved before the cooldown began may have ended within it.
_LONGEST_RUN_SECONDS = 14400.0


class Cooldown(Guard):
    """Refuses a target that was acted on a short while ago for another incident; its own retries have their backoff."""

    name = "cooldown"
    why = "A target that was just repaired is given time to show whether it holds."
    overridable = True

    def assess(self, question: Question) -> Answer:
        action, now = question.request.listed_as, question.now.steady
        allowance = question.policy.allowed.get(action)
        if allowance is None:
            return self.allow("the action is not listed, so it has none")
        seconds = allowance.cooldown.total_seconds()
        origin = question.policy.origin(f"actions.allow.{action}.cooldown")
        since = now - seconds - _LONGEST_RUN_SECONDS
        last = question.store.last_on(question.request.target, since=since, not_for=question.request.incident)
        if last is None:
            return self.allow(f"{span(seconds)}, last run never or long ago", origin=origin)
        id, ended_at = last
        # One that still runs ends no sooner than now.
        ended = now if ended_at is None else ended_at
        if ended + seconds > now:
            value = f"{span(ended + seconds - now)} left ({span(seconds)} after {id})"
            return self.deny(Reason.COOLDOWN, value, origin=origin, until=ended + seconds)
        return self.allow(f"{span(seconds)}, last run {span(now - ended)} ago", origin=origin)
