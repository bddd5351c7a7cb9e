"""What went wrong is asked for the next time, until a person gives the rule its autonomy back (`resume`).

A failed attempt is no bad outcome while the ladder still has another, or a further rung; a ladder that is used up, and an
unknown outcome, are.
"""

from __future__ import annotations

from collections.abc import Iterable

from zen_agents.clock import Instant
from zen_agents.engine.parts import Parts
from zen_agents.guards.approval import DEMOTED, demotion_scope
from zen_agents.model.action import OutcomeKind
from zen_agents.model.incident import Incident
from zen_agents.ports.store import Brake


def demote(parts: Parts, incident: Incident, action: str, outcome: OutcomeKind, id: str, now: Instant) -> None:
    """Let the engine ask before it does this action again for the incident's rule; durable with the pending batch."""
    allowance = parts.policy.allowed.get(action)
    scope = demotion_scope(incident.rule, action)
    if allowance is None or str(allowance.approval) != "auto" or _is_demoted(parts, scope):
        return
    reason = f"{id} {outcome.value}"
    parts.store.set_brake(Brake(DEMOTED, scope, reason, "engine", now, None))
    parts.journal.engine(now, "demoted", incident=incident.id, scope=scope, autonomy="approve", reason=reason)


def restore(parts: Parts, scope: str, rules_of_target: Iterable[str]) -> list[str]:
    """Give back the autonomy of a rule, of all rules of a target, or of one action of a rule; return what was given back."""
    rules = {f"rule:{rule}" for rule in rules_of_target} | {scope}
    held = [brake.scope for brake in parts.store.brakes() if brake.kind == DEMOTED]
    given = [one for one in held if one == scope or one.rpartition("/")[0] in rules]
    return [one for one in given if parts.store.lift_brake(DEMOTED, one)]


def _is_demoted(parts: Parts, scope: str) -> bool:
    return any(brake.kind == DEMOTED and brake.scope == scope for brake in parts.store.brakes())
