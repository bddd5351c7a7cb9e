"""Why a fault is not repaired, in the engine's own words: a report that only says "late" explains nothing."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.errors import StoreError
from zen_agents.model.incident import Incident


def why_broken(state: Path, target: str) -> str:
    """Return what the engine's state in this directory says of a target that is still broken."""
    try:
        with closing(SqliteStore.open_read_only(state / "state.db")) as store:
            live = [incident for incident in store.live_incidents() if incident.target == target]
            brakes = [
                f"{brake.kind}: {brake.reason}" for brake in store.brakes() if brake.scope in ("host", f"target:{target}")
            ]
    except StoreError as error:
        return f"the state cannot be read: {error}"
    return "; ".join([*(_said(incident) for incident in live), *brakes]) or "the engine has no incident of it"


def _said(incident: Incident) -> str:
    reasons = [reason for reason in (incident.escalated_for, incident.refused_for) if reason is not None]
    why = ", ".join(f"{reason.value} ({reason.sentence})" for reason in reasons)
    tried = f"{incident.state.value} after {incident.attempts} attempts of rung {incident.rung + 1}"
    return f"{incident.id} is {tried}, last seen {incident.last_status.value}: {incident.detail}" + (
        f"; {why}" if why else ""
    )
