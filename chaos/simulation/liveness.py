"""When the trouble is over, everything that could be repaired is, or somebody was told."""

from __future__ import annotations

from collections.abc import Iterator

from chaos.simulation.datasets import ORDERS, are_spoiled
from chaos.simulation.host import SimulatedHost
from chaos.simulation.site import DATA, DEPENDS_ON, REPAIRABLE, SERVICES, SPOOL
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.observation import Status
from zen_agents.runtime.runtime import Runtime

#: A message that could be sent is sent within this (seconds).
_SENT_WITHIN = 900.0


def owed(host: SimulatedHost, runtime: Runtime) -> list[str]:
    """Return what is neither in order nor told, one line each; empty if nothing is owed."""
    left = [f"{incident.target} ({incident.rule}) is {incident.state}, and nobody was told"
            for incident in runtime.parts.book if not _is_seen_to(incident, runtime)]  # fmt: skip
    known = {incident.target for incident in runtime.parts.book}
    return [*left, *(f"{target} is broken, and nobody noticed" for target in _broken(host) if target not in known)]


def _is_seen_to(incident: Incident, runtime: Runtime) -> bool:
    acknowledged = incident.acknowledged_until is not None and incident.acknowledged_until > runtime.clock.now().steady
    # What is only told of its own accord, by a rule without an action, is told when it opens.
    is_over = incident.last_status is Status.OK and incident.state is IncidentState.SUSPECTED
    return incident.escalated_for is not None or acknowledged or is_over or _is_muted(incident, runtime)


def _is_muted(incident: Incident, runtime: Runtime) -> bool:
    """Tell whether people know of what it depends on: while that is down they are not told of each thing that suffers."""
    needed = {f"service:{child}": f"service:{root}" for child, root in DEPENDS_ON.items()}.get(incident.target)
    roots = (each for each in runtime.parts.book if each.target == needed and each.opened_at is not None)
    return any(root.escalated_for is not None and root.severity.rank >= incident.severity.rank for root in roots)


def _broken(host: SimulatedHost) -> Iterator[str]:
    for name in (*REPAIRABLE, "postgresql"):
        service = host.services[name]
        if host.answering(8000 + SERVICES.index(name)) is not service or service.hangs:
            yield f"service:{name}"
    data, spool = host.files.states.get(DATA), host.files.states.get(SPOOL)
    if data is None or (data.mode, data.owner) != (0o750, 0):
        yield "path:data"
    if are_spoiled(host):
        yield f"dataset:{ORDERS}"
    if spool is None or (spool.mode, spool.owner) != (0o755, 0):
        yield "path:spool"


def undelivered(runtime: Runtime) -> list[str]:
    """Return messages that wait although they could have been sent."""
    late = runtime.clock.now().steady - _SENT_WITHIN
    rows = runtime.store.due_messages(late)
    return [f"{row.message.id} waits for {row.channel}: {row.message.summary}" for row in rows]
