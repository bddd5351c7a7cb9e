"""Which incidents belong to one, as far as the store and what was seen last tell: bounded reads, and nothing is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from zen_agents.model.entry import EntryKind
from zen_agents.model.incident import Incident
from zen_agents.model.observation import Observation, SharedKey, shared_in
from zen_agents.model.reason import Reason
from zen_agents.model.redaction import MARK
from zen_agents.ports.store import Store
from zen_agents.rules.correlation import (
    FOLLOWS_SECONDS,
    MOST_OPENINGS,
    MOST_RELATED,
    NEAR_SECONDS,
    Related,
    followed,
    habit_in_words,
    is_near,
    own_keys,
    sharing,
)
from zen_agents.rules.rule import Window

#: Incidents around one that are read, and those of them, the nearest, that are compared.
_MOST_READ, _MOST_COMPARED = 1000, 60
#: Habits are told from so long (seconds).
_HISTORY = 30 * 86_400.0
#: What was observed of an incident: so much of it is read, from so long (seconds) before it, when it was looked at.
_MOST_OBSERVED, _LOOKED_BEFORE = 2000, 120.0
#: So much of it tells what it is about.
_MOST_TELLING = 100
#: How a decision names the incident that mutes another.
_MUTED_BY = re.compile(r"muted by \S+ \((?P<id>inc-[a-z0-9]+)\): (?P<how>.*)")


def observations_of(store: Store, incident: Incident, *, limit: int = _MOST_OBSERVED) -> Sequence[Observation]:
    """Return what was observed of an incident's own pattern, or study of a log, from the look that opened it to its end."""
    began, until = incident.began_at.steady, incident.resolved_at.steady if incident.resolved_at else float("inf")
    # Only sources have lines.
    for name in _names_of(incident) if incident.target.startswith("source:") else ():
        kept = store.observations(name, incident.target, since=began - _LOOKED_BEFORE, limit=limit)
        opening = [each for each in kept if each.at.steady <= began][-1:]
        if during := [*opening, *(each for each in kept if began < each.at.steady <= until)]:
            return during
    return ()


class Correlated:
    """Finds what belongs to an incident."""

    def __init__(self, store: Store, windows: Sequence[Window] = ()) -> None:
        """`windows` have what was seen last and is not kept yet."""
        self._store, self._windows = store, windows
        self._host = (store.get("host_name") or "").partition(".")[0]

    def keys(self, incident: Incident) -> frozenset[SharedKey]:
        """Return what an incident is about."""
        seen = [*observations_of(self._store, incident, limit=_MOST_TELLING), *self._newest(incident)]
        said = {key for each in seen for key in shared_in(each.facts)}
        return own_keys(incident, {key for key in said if self._tells(key)})

    def about(self, incident: Incident, now: float) -> Sequence[Related]:
        """Return what belongs to an incident, each once, in the order in which they began; `now` is steady."""
        others = self._around(incident)
        keys = {each.id: self.keys(each) for each in (incident, *others)}
        found = [*self._caused(incident, others), *sharing(keys, incident, others), *self._following(incident, others, now)]
        each_once = {related.incident.id: related for related in reversed(found)}
        nearest = sorted(each_once.values(), key=lambda related: _distance(incident, related.incident))[:MOST_RELATED]
        return sorted(nearest, key=lambda related: related.incident.began_at.steady)

    def _around(self, incident: Incident) -> list[Incident]:
        since = incident.began_at.steady - NEAR_SECONDS
        read = self._store.incidents(since=since, limit=_MOST_READ)
        near = [each for each in read if each.id != incident.id and each.opened_at is not None and is_near(incident, each)]
        return sorted(near, key=lambda each: _distance(incident, each))[:_MOST_COMPARED]

    def _caused(self, incident: Incident, others: Sequence[Incident]) -> Iterator[Related]:
        """Yield by what it was muted, and what it muted: listed, or read from the host."""
        by_id = {each.id: each for each in others}
        for id, how in self._muted_by(incident):
            if id in by_id:
                yield Related(by_id[id], f"this waited for it: {how}")
        for other in others:
            for id, how in self._muted_by(other):
                if id == incident.id:
                    yield Related(other, f"waited for this: {how}")

    def _muted_by(self, incident: Incident) -> Iterator[tuple[str, str]]:
        for row in self._store.entries(incident=incident.id, kinds=(EntryKind.DECISION,), limit=50):
            said = row.entry.body
            found = _MUTED_BY.match(str(said.get("detail"))) if said.get("reason") == Reason.DEPENDENCY_DOWN else None
            if found is not None:
                yield found["id"], found["how"]

    def _following(self, incident: Incident, others: Sequence[Incident], now: float) -> Iterator[Related]:
        own, opened = self._openings(incident.key, now), _opened(incident)
        close = {each.key: each for each in others if abs(_opened(each) - opened) <= FOLLOWS_SECONDS}
        for key, other in close.items():
            came_first = _opened(other) < opened
            times = self._openings(key, now) if key != incident.key else ()
            habit = followed(times, own, now) if came_first else followed(own, times, now)
            if habit.is_certain:
                yield Related(other, f"this {habit_in_words(habit)} it" if came_first else f"{habit_in_words(habit)} this")

    def _openings(self, key: str, now: float) -> Sequence[float]:
        return self._store.openings(key, now - _HISTORY)[-MOST_OPENINGS:]

    def _newest(self, incident: Incident) -> Iterator[Observation]:
        for window in self._windows:
            for name in _names_of(incident):
                if incident.is_live and (last := window.last(name, incident.target)) is not None:
                    yield last

    def _tells(self, key: SharedKey) -> bool:
        kind, value = key
        return MARK not in value and not (kind == "host" and value.partition(".")[0] == self._host)


def _names_of(incident: Incident) -> tuple[str, str]:
    rule, label = incident.rule.partition(".")[2], incident.target.partition(":")[2]
    return f"pattern.{rule}", f"{rule}.{label}"


def _opened(incident: Incident) -> float:
    return (incident.opened_at or incident.began_at).steady


def _distance(incident: Incident, other: Incident) -> float:
    return abs(other.began_at.steady - incident.began_at.steady)
