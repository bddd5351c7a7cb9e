"""The storm brake: mass failure means stop and tell (R3)."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Policy, Question, Situation
from zen_agents.guards.brakes import describe, holding
from zen_agents.guards.wording import span
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer


def is_storm(situation: Situation, policy: Policy) -> bool:
    """Tell whether too many targets fail: more than so many, or more than that share of those that could be acted on.

    The share counts from `storm_share_from` targets on. While this holds the engine keeps the brake `storm` set until
    `policy.storm.retry_after_seconds` from now: it closes after that long a calm.
    """
    failing, actionable = situation.failing_targets, situation.actionable_targets
    return failing > policy.storm.most or (
        failing >= policy.storm_share_from and failing > policy.storm_share * max(0, actionable)
    )


class StormBrake(Guard):
    """Refuses while too many targets fail at once, and until it has been calm for long enough."""

    name = "storm_brake"
    why = "When everything looks sick, the observer or a shared cause is."
    overridable = True

    def assess(self, question: Question) -> Answer:
        situation, policy = question.situation, question.policy
        origin = policy.origin("breakers.storm")
        value = f"{situation.failing_targets} of {situation.actionable_targets} targets failed within "
        value += span(policy.storm.within_seconds)
        if is_storm(situation, policy):
            until = question.now.steady + policy.storm.retry_after_seconds
            return self.deny(Reason.STORM_BRAKE, value, origin=origin, until=until)
        brake = holding(question, "storm")
        if brake is not None:
            return self.deny(Reason.STORM_BRAKE, describe(brake, question.now.steady), origin=origin, until=brake.until)
        return self.allow(value, origin=origin)
