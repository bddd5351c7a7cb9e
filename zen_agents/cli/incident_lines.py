"""The lines of logs that belong to an incident, from all sources, in their order; as they were kept when they were seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.cli.call import Call
from zen_agents.cli.render import say
from zen_agents.dataclass import dataclass
from zen_agents.engine.correlated import observations_of
from zen_agents.model.incident import Incident
from zen_agents.model.observation import Line, Observation, lines_in
from zen_agents.rules.correlation import Related

#: Lines that are shown without -v, the last; and those that are told at all.
_SHOWN, _MOST_TOLD = 10, 2000


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """One line, or what several lines say together. The text is untrusted."""

    #: When it was written as it says itself; when it was seen first where it does not say.
    at: datetime
    #: What it is: `line`, `operation`, `statement`.
    kind: str
    text: str
    #: Which of `sources:` it is from.
    source: str


def lines_about(store: SqliteStore, incident: Incident, related: Sequence[Related]) -> Sequence[IncidentLine]:
    """Return what is kept of the lines that an incident, and what belongs to it, rest on, oldest first, each once.

    Of another incident that is about the same thing those lines belong to it that name this.
    """
    found = {(line.source, line.kind, line.text): line for line in _lines_of(store, incident)}
    for other in related:
        values = [value for _, value in other.shared]
        for line in _lines_of(store, other.incident):
            if not values or any(value in line.text for value in values):
                found.setdefault((line.source, line.kind, line.text), line)
    return sorted(found.values(), key=lambda line: line.at)[-_MOST_TOLD:]


def lines_body(lines: Sequence[IncidentLine]) -> list[dict[str, Any]]:
    """Return lines as plain JSON."""
    return [{"at": line.at.isoformat(), "kind": line.kind, "text": line.text, "source": line.source} for line in lines]


def show_lines(call: Call, lines: Sequence[IncidentLine]) -> None:
    """Print the last of them, or all with -v."""
    shown = lines if call.arguments.verbose else lines[-_SHOWN:]
    if hidden := len(lines) - len(shown):
        print(f"  ... {hidden} older (-v shows them)")
    several = len({line.source for line in lines}) > 1
    for line in shown:
        whose = f"{line.source}: " if several else ""
        say(call, f"{call.clock(line.at)}  {line.kind:9} {whose}{line.text}", hang=12)


def _lines_of(store: SqliteStore, incident: Incident) -> Iterator[IncidentLine]:
    """Yield the lines of one incident, each as it was seen first."""
    seen_already: set[tuple[str, str]] = set()
    for seen in observations_of(store, incident):
        for line in lines_in(seen.facts):
            if (line.kind, line.text) not in seen_already:
                seen_already.add((line.kind, line.text))
                yield IncidentLine(_when(line, seen), line.kind, line.text, incident.target.partition(":")[2])


def _when(line: Line, seen: Observation) -> datetime:
    try:
        return seen.at.wall if line.at is None or line.at <= 0 else datetime.fromtimestamp(line.at, UTC)
    except (OverflowError, ValueError, OSError):
        return seen.at.wall
