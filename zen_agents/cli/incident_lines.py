"""The lines of a log that belong to an incident, as they were kept with what was observed of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.cli.call import Call
from zen_agents.cli.render import say
from zen_agents.dataclass import dataclass
from zen_agents.model.incident import Incident
from zen_agents.model.observation import Observation, lines_in

#: Lines that are shown without -v, the last.
_SHOWN = 10
#: Observations that are read: of an incident that lasts, one a minute is kept.
_MOST_READ = 2000

#: The look that opens an incident is decided on within so long (seconds).
_LOOKED_BEFORE = 120.0


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """One line, or what several lines say together. The text is untrusted."""

    #: When it was seen first.
    at: datetime
    #: What it is: `line`, `operation`, `statement`.
    kind: str
    text: str


def lines_about(store: SqliteStore, incident: Incident) -> Sequence[IncidentLine]:
    """Return what is kept of the lines that an incident rests on, oldest first, each once; nothing for other incidents."""
    found: dict[tuple[str, str], IncidentLine] = {}
    for seen in _observations(store, incident):
        for kind, text in lines_in(seen.facts):
            found.setdefault((kind, text), IncidentLine(seen.at.wall, kind, text))
    return list(found.values())


def lines_body(lines: Sequence[IncidentLine]) -> list[dict[str, Any]]:
    """Return lines as plain JSON."""
    return [{"at": line.at.isoformat(), "kind": line.kind, "text": line.text} for line in lines]


def show_lines(call: Call, lines: Sequence[IncidentLine]) -> None:
    """Print the last of them, or all with -v."""
    shown = lines if call.arguments.verbose else lines[-_SHOWN:]
    if hidden := len(lines) - len(shown):
        print(f"  ... {hidden} older (-v shows them)")
    for line in shown:
        say(call, f"{call.clock(line.at)}  {line.kind:9} {line.text}", hang=12)


def _observations(store: SqliteStore, incident: Incident) -> Sequence[Observation]:
    """Return what was observed of the incident's own pattern, or study, from the look that opened it to its end."""
    rule, label = incident.rule.partition(".")[2], incident.target.partition(":")[2]
    began, until = incident.began_at.steady, incident.resolved_at.steady if incident.resolved_at else float("inf")
    for name in (f"pattern.{rule}", f"{rule}.{label}"):
        kept = store.observations(name, incident.target, since=began - _LOOKED_BEFORE, limit=_MOST_READ)
        opening = [each for each in kept if each.at.steady <= began][-1:]
        if during := [*opening, *(each for each in kept if began < each.at.steady <= until)]:
            return during
    return ()
