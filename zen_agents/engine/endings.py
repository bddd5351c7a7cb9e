"""How an incident leaves the engine's hands: it is resolved, its rule is gone, or people have it."""

from __future__ import annotations

from zen_agents.clock import Instant
from zen_agents.engine.outlook import Outlook
from zen_agents.engine.parts import Parts
from zen_agents.engine.repairs import Repairs
from zen_agents.model.address import is_address_target
from zen_agents.model.incident import Incident
from zen_agents.model.reason import Reason
from zen_agents.rules import transitions
from zen_agents.rules.rule import Rule


class Endings:
    """Ends the incidents of one agent, and tells whom it concerns."""

    def __init__(self, parts: Parts, outlook: Outlook, repairs: Repairs) -> None:
        self._parts, self._outlook, self._repairs = parts, outlook, repairs

    def escalate(self, incident: Incident, rule: Rule, reason: Reason, now: Instant) -> None:
        """Leave an incident to people, and tell them."""
        self._parts.book.put(transitions.escalated(incident, reason, now))
        explained = self._parts.causes.explained(incident, self._outlook.watchlist.rules, self._parts.book)
        self._parts.escalation.incident(incident, rule, reason, now, explained=explained)
        # How many attackers the firewall does not keep out is no sign that everything breaks.
        if reason is Reason.LADDER_EXHAUSTED and not is_address_target(incident.target):
            self._parts.safe_mode.ladder_exhausted()

    def resolve(self, incident: Incident, rule: Rule, now: Instant) -> None:
        """End an incident that is over, by the engine's action or by itself."""
        self._over(incident, rule, now, by="engine" if self._repairs.verified(incident, now) else "itself")

    def rule_gone(self, incident: Incident, now: Instant) -> None:
        """End an incident whose rule the configuration no longer has; nobody can say whether its action helped."""
        self._repairs.let_go(incident, now)
        self._over(incident, None, now, by="configuration")

    def _over(self, incident: Incident, rule: Rule | None, now: Instant, *, by: str) -> None:
        again = self._outlook.again
        over = transitions.resolved(incident, by, now)
        self._parts.book.put(over)
        self._repairs.ask_no_more(incident, now)
        self._parts.journal.forget(incident.key)
        self._parts.escalation.resolved(over, rule, now)
        again.pop(incident.key, None)
        # What waited for it need not wait until it is asked again.
        for key in {*self._outlook.dependents.get(incident.key, ()), *self._parts.causes.dependents(incident.key)}:
            if (waited := self._parts.book.get(key)) is not None:
                self._parts.book.put(transitions.released(waited, Reason.DEPENDENCY_DOWN))
                again[key] = now.steady
