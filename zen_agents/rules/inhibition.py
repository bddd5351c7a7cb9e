"""Which incident comes first, and which is muted because something it depends on is down itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.severity import Severity

_RANK = {severity: severity.rank for severity in Severity}


def muted_by(
    depends_on: Iterable[str],
    incidents: Mapping[str, Incident],
    further: Mapping[str, frozenset[str]] | None = None,
) -> str | None:
    """Return the key of an open incident among the dependencies, None if there is none.

    `depends_on` are keys (`rule|target`); `further` says what these in turn depend on, so that a cause two steps away
    mutes as well. Cycles are harmless. The nearest dependency wins, among equally near ones the first key in order.
    A suspicion mutes nothing, and neither does what is resolved.
    """
    graph = further or {}
    nearest, seen = sorted(set(depends_on)), set(depends_on)
    while nearest:
        for key in nearest:
            if key in incidents and _is_down(incidents[key]):
                return key
        onward = {key for near in nearest for key in graph.get(near, ())} - seen
        seen |= onward
        nearest = sorted(onward)
    return None


def worst_first(incidents: Iterable[Incident]) -> list[Incident]:
    """Return incidents by severity, then age (the oldest first), then key: always in the same order."""
    return sorted(incidents, key=lambda incident: (-_RANK[incident.severity], incident.began_at.steady, incident.key))


def _is_down(incident: Incident) -> bool:
    return incident.opened_at is not None and incident.state is not IncidentState.RESOLVED
