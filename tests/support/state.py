"""Small nouns for tests of the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zen_agents.clock import Instant
from zen_agents.model.action import (
    ActionRequest,
    Budget,
    Effect,
    Intent,
    Outcome,
    OutcomeKind,
    Plan,
    Resource,
    ResourceKind,
    Reversible,
    Risk,
)
from zen_agents.model.entry import Entry, EntryKind
from zen_agents.model.incident import Incident, IncidentState, incident_key
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.observation import Observation, Status
from zen_agents.model.principal import ENGINE, Principal
from zen_agents.model.severity import Severity

START = datetime(2026, 1, 4, 3, 20, tzinfo=UTC)


def an_entry(
    id: str,
    *,
    at: Instant | None = None,
    kind: EntryKind = EntryKind.DECISION,
    incident: str | None = None,
    body: Mapping[str, Any] | None = None,
) -> Entry:
    """Return a ledger entry."""
    moment = at or Instant(START, 100.0)
    return Entry(kind, id, moment, "system_health", incident, None, {"outcome": "skip"} if body is None else body)


def an_intent(
    id: str,
    at: Instant,
    *,
    target: str = "service:web",
    budget: Budget = Budget.REPAIR,
    by: Principal = ENGINE,
    lease_seconds: float = 30.0,
) -> Intent:
    """Return an intent to restart a service."""
    request = ActionRequest("restart_service", target, {"service": "web"}, by, "it is down", "inc-1", "web", "system_health")
    plan = Plan(
        request,
        steps=('["systemctl", "restart", "web.service"]',),
        touches=(Resource(ResourceKind.UNIT, "web.service"),),
        fingerprint="12:3456",
        risk=Risk.LOW,
        reversible=Reversible.NO,
        budget=budget,
    )
    return Intent(id, plan, at, at.steady + lease_seconds, "process.web")


def an_outcome(intent: str, kind: OutcomeKind, at: Instant) -> Outcome:
    """Return an outcome of an intent."""
    return Outcome(intent, kind, at, 1.5, Effect(True, "restarted", exit_code=0, output="done"))


def an_incident(id: str, at: Instant, *, target: str = "service:web") -> Incident:
    """Return an open incident."""
    return Incident(
        id=id,
        key=incident_key("web", target),
        agent="system_health",
        rule="web",
        target=target,
        severity=Severity.ERROR,
        state=IncidentState.OPEN,
        began_at=at,
        opened_at=None,
        changed_at=at,
        last_status=Status.PROBLEM,
        detail="web does not answer",
    )


def an_observation(name: str, at: Instant, *, value: float | None) -> Observation:
    """Return an observation of the host."""
    return Observation(name, "host", Status.OK, at, value)


def a_message(id: str, kind: MessageKind, at: Instant) -> Message:
    """Return a message about an incident."""
    return Message(id, kind, Severity.ERROR, at, "web-07/web", "web-07: web is down", {"tries": 4}, "inc-1")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the state's lock, as a backup that hangs would."""
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.close()
