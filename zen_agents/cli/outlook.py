"""What happens next about an incident, as far as the state says."""

from __future__ import annotations

from zen_agents.cli.call import Call, living_engine
from zen_agents.cli.looks import looks_under_way
from zen_agents.cli.times import ago
from zen_agents.clock import Instant
from zen_agents.model.incident import Incident, IncidentState


def outlook(call: Call, incident: Incident, now: Instant) -> str:
    """Return what the engine, or only a person, will do about an incident, in one sentence."""
    if incident.resolved_at is not None:
        return "nothing, it is over."
    if living_engine(call.state_dir) is None:
        return "nothing: the engine is not running. It looks anew when it is started: zen-agents run"
    return _with_people(call, incident, now) or _by_the_engine(call, incident, now)


def _with_people(call: Call, incident: Incident, now: Instant) -> str:
    """Return what holds if the engine leaves it to people, "" if it does not."""
    if incident.outcome_unknown:
        return f"only people act on {incident.target} until: zen-agents resume target:{incident.target}"
    until = incident.acknowledged_until or 0.0
    if incident.acknowledged_by and not incident.keep_acting and until > now.steady:
        return f"{incident.acknowledged_by} has it until {_at(call, until, now)}; the engine leaves it alone."
    if incident.escalated_for is not None and incident.state is IncidentState.ESCALATED:
        return f"nothing by the engine, a person is needed: {incident.escalated_for.sentence}"
    return ""


def _by_the_engine(call: Call, incident: Incident, now: Instant) -> str:
    if incident.state is IncidentState.VERIFYING:
        return f"{incident.action} has to show by {_at(call, incident.verify_deadline, now)}; else it counts as failed."
    if incident.state is IncidentState.SUSPECTED:
        return "it is watched until it has lasted long enough."
    if look := looks_under_way(call).get(incident.target):
        return f"it is {look}; then it is decided again."
    if incident.refused_for is not None:
        return f"it is asked again at each look; refused so far: {incident.refused_for.sentence}"
    if incident.next_attempt_at > now.steady:
        return f"attempt {incident.attempts + 1} at {_at(call, incident.next_attempt_at, now)}."
    return "it is decided again at the next look."


def _at(call: Call, steady: float, now: Instant) -> str:
    """Return a moment of the steady timeline for people, with how long it is until then."""
    left = steady - now.steady
    return f"{call.clock(now.after(left).wall)} (in {ago(left)})"
