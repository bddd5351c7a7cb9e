"""One action at a time on a target."""

from __future__ import annotations

from zen_agents.guards.base import Guard, Question
from zen_agents.guards.wording import span
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer


class Lease(Guard):
    """Refuses everyone while another action holds the target, or has not been judged yet."""

    name = "lease"
    why = "Two actions on one target at once undo each other."

    def assess(self, question: Question) -> Answer:
        target, now = question.request.target, question.now.steady
        lease = question.store.lease(target)
        if lease is not None and lease.until > now:
            value = f"held by {lease.action}, {span(lease.until - now)} left at most"
            return self.deny(Reason.LEASE_HELD, value, until=lease.until)
        for row in question.store.unfinished():
            if row.target == target:
                return self.deny(Reason.DUPLICATE, f"{row.id} ({row.action}) is {row.kind.value}")
        return self.allow("free")
