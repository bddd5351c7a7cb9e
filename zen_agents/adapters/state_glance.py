"""What a state says at a glance, with nothing loaded but SQLite: for `status` when no engine answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from zen_agents.adapters.sqlite_store_reading import StateReader, connect_read_only

#: How many of the last actions are shown.
LAST_ACTIONS = 5


class OpenIncident(NamedTuple):
    """One incident that was open when the state was last written."""

    id: str
    rule: str
    detail: str
    began: datetime


class LastAction(NamedTuple):
    """One of the last actions."""

    id: str
    action: str
    target: str
    outcome: str
    at: datetime


class Glance(NamedTuple):
    """What was open, and what was done last, the newest first."""

    #: "" if none is kept.
    host_name: str
    incidents: Sequence[OpenIncident]
    actions: Sequence[LastAction]


def glance(path: Path) -> Glance:
    """Look at a state; raises StoreError."""
    file = StateReader(connect_read_only(path), path)
    try:
        return Glance(
            file.read_one_as(lambda row: str(row[0]), "get_fact", {"name": "host_name"}) or "",
            file.read_as(_incident, "open_at_a_glance"),
            file.read_as(_action, "done_at_a_glance", {"limit": LAST_ACTIONS}),
        )
    finally:
        file.close()


def _incident(row: Sequence[Any]) -> OpenIncident:
    id, rule, detail, began = row
    return OpenIncident(id, rule, detail, datetime.fromtimestamp(began, UTC))


def _action(row: Sequence[Any]) -> LastAction:
    id, action, target, outcome, at = row
    return LastAction(id, action, target, outcome, datetime.fromtimestamp(at, UTC))
