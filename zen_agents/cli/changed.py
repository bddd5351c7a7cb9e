"""What changed on this host from a day before an incident to its end: what people ask for first."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from zen_agents.adapters.host_changes import Change, Changes, file_changes, package_changes
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.cli.call import Call
from zen_agents.cli.listing import steady_of
from zen_agents.cli.render import say
from zen_agents.clock import Instant
from zen_agents.model.incident import Incident
from zen_agents.ports.store import WATCHED_PATHS

#: How long before an incident what changed is of interest.
_BEFORE = timedelta(days=1)
#: Changes that are shown without -v, the newest.
_SHOWN = 10


def changes_about(store: SqliteStore, incident: Incident, now: Instant) -> Changes:
    """Return what changed from a day before an incident to its end, newest first, without its own actions."""
    since = incident.began_at.wall - _BEFORE
    until = incident.resolved_at.wall if incident.resolved_at else now.wall
    packages, files = package_changes(since, until), _files(store, since, until)
    own = _actions(store, incident, now, since, until)
    found = sorted((*packages.found, *files.found, *own), key=lambda change: change.at, reverse=True)
    return Changes(found, (*packages.unknown, *files.unknown))


def _files(store: SqliteStore, since: datetime, until: datetime) -> Changes:
    paths = json.loads(store.get(WATCHED_PATHS) or "[]")
    return file_changes(paths, since, until) if paths else Changes((), ("files: no path is watched",))


def _actions(store: SqliteStore, incident: Incident, now: Instant, since: datetime, until: datetime) -> list[Change]:
    rows = store.actions(since=steady_of(since, now), limit=1000)
    return [
        Change(row.reserved_at.wall, "action", f"{row.id} {row.action} {row.target} -> {row.kind.value}")
        for row in rows
        if row.incident != incident.id and since <= row.reserved_at.wall <= until
    ]


def changes_body(changes: Changes) -> dict[str, Any]:
    """Return changes as plain JSON."""
    return {"found": [change.body() for change in changes.found], "unknown": list(changes.unknown)}


def show_changes(call: Call, changes: Changes) -> None:
    """Print changes, a line each, and what could not be told."""
    print("Changed on this host from 24 h before it:")
    shown = changes.found if call.arguments.verbose else changes.found[:_SHOWN]
    for change in shown:
        say(call, f"{call.clock(change.at)}  {change.kind:9} {change.what}", indent=2, hang=12)
    if hidden := len(changes.found) - len(shown):
        print(f"  ... and {hidden} older (-v shows them)")
    if not changes.found:
        print("  nothing that is known of")
    for why in changes.unknown:
        say(call, f"not known  {why}", indent=2, hang=12)
