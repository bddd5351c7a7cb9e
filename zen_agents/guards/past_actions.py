"""What earlier actions count for: pure arithmetic on steady times, so that no clock that is set frees a limit."""

from __future__ import annotations

from collections.abc import Mapping

from zen_agents.guards.base import Policy
from zen_agents.model.action import ActionRequest
from zen_agents.model.address import is_address_target
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.ports.store import BreakerRow, Ran


def frees_at(ran: Ran, within_seconds: float) -> float | None:
    """Return when fewer than the limit that was asked with are within its window (steady); None if they are already."""
    return None if ran.oldest_of_most is None else ran.oldest_of_most + within_seconds


def is_retry(request: ActionRequest, incident: Incident | None) -> bool:
    """Tell whether this incident has had an attempt before, of this rung or of an earlier one."""
    return request.attempt > 1 or (incident is not None and (incident.attempts > 0 or incident.rung > 0))


def first_in_need(incidents: Mapping[str, Incident], own_key: str | None, policy: Policy, now: float) -> Incident | None:
    """Return another open incident that the engine may act on and has not: the last token is kept for it.

    Acknowledged ones are a person's; those of agents that only tell never need a token, and who is shut out spends none.
    """
    for key, incident in incidents.items():
        if is_address_target(incident.target):
            continue
        if key == own_key or incident.state is not IncidentState.OPEN or incident.attempts or incident.rung:
            continue
        acknowledged = incident.acknowledged_until is not None and incident.acknowledged_until > now
        if policy.auto_mitigate.get(incident.agent) is True and (incident.keep_acting or not acknowledged):
            return incident
    return None


def failures_within(row: BreakerRow | None, within_seconds: float, now: float) -> int:
    """Return how many failures a breaker has counted within its window."""
    return 0 if row is None else sum(1 for at in row.failed_at if at > now - within_seconds)
