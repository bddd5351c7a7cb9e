"""The dry run, asked last: it shows what would have happened."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling


class DryRun(Guard):
    """Turns a yes into a plan that is shown and not done, for everyone."""

    name = "dry_run"
    why = "A dry run changes nothing, whatever else is allowed."

    def assess(self, question: Question) -> Answer:
        origin = question.policy.origin("dry_run")
        if question.policy.dry_run:
            return Answer(self.name, Ruling.SIMULATE, Reason.DRY_RUN, "on", origin)
        return self.allow("off", origin=origin)
