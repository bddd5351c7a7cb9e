"""Whether the agent may act at all."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer


class AutoMitigate(Guard):
    """Refuses an agent that is not told, in so many words, that it may act."""

    name = "auto_mitigate"
    why = "An agent with auto_mitigate: false only tells."
    binds_people = False

    def assess(self, question: Question) -> Answer:
        agent = question.request.agent or (question.incident.agent if question.incident else "")
        origin = question.policy.origin(f"agents.{agent}.auto_mitigate")
        may = question.policy.auto_mitigate.get(agent)
        if may is True:
            return self.allow(f"{agent}: true", origin=origin)
        said = f"{agent}: false" if may is False else f"no agent {agent!r} is configured"
        return self.deny(Reason.AUTO_MITIGATE_OFF, said, origin=origin)
