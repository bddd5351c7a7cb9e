"""What the state remembers of a span of time, as the report needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.model.entry import ChainedEntry, EntryKind
from zen_agents.model.incident import Incident
from zen_agents.ports.store import ActionRow, Store

#: More than this of a kind is not read: a storm of months. The report says that it was cut.
MOST = 200_000


@dataclass(frozen=True, slots=True)
class Told:
    """One message that reached a channel: when (Unix seconds), where, and how bad it was."""

    at: float
    channel: str
    severity: str


class ReportStore(Store, Protocol):
    """What is read besides."""

    def entries_before(self, steady: float) -> int:
        """Return the number of the last ledger entry that was written before this moment (steady), 0 if none was."""
        ...

    def skipped(self, after: int, upto: int) -> Mapping[str, int]:
        """Return how often each reason kept the engine from acting, in the ledger's entries between two numbers."""
        ...

    def told(self, since: float) -> Sequence[tuple[float, str, str]]:
        """Return when (Unix seconds) what reached people since then (steady), on which channel, how severe; oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Recorded:
    """A span of time as the state has it."""

    since: datetime
    until: datetime
    now: Instant
    #: That opened within the span, oldest first; suspicions that passed are none.
    incidents: Sequence[Incident]
    #: That were begun within it, oldest first, whoever asked.
    actions: Sequence[ActionRow]
    people: Sequence[ChainedEntry]
    skipped: Mapping[str, int]
    told: Sequence[Told]
    #: True if there was more than `MOST` of something.
    is_cut: bool


def read(store: ReportStore, since: datetime, until: datetime, now: Instant) -> Recorded:
    """Read a span from the state; raises StoreError."""
    begin, end = _steady(since, now), _steady(until, now)
    incidents = store.incidents(since=begin, limit=MOST)
    actions = store.actions(since=begin, limit=MOST)
    first, last = store.entries_before(begin), store.entries_before(end)
    people = store.entries(since=first, kinds=[EntryKind.HUMAN], limit=MOST)
    return Recorded(
        since=since,
        until=min(until, now.wall),
        now=now,
        incidents=sorted((one for one in incidents if _opened_within(one, begin, end)), key=_opening),
        actions=sorted((row for row in actions if row.reserved_at.steady < end), key=lambda row: row.reserved_at.steady),
        people=[row for row in people if row.seq <= last],
        skipped=store.skipped(first, last),
        told=[Told(*row) for row in store.told(begin) if row[0] < until.timestamp()],
        is_cut=MOST in (len(incidents), len(actions), len(people)),
    )


def _steady(wall: datetime, now: Instant) -> float:
    return now.steady - max(0.0, (now.wall - wall).total_seconds())


def _opening(incident: Incident) -> float:
    return incident.opened_at.steady if incident.opened_at is not None else 0.0


def _opened_within(incident: Incident, begin: float, end: float) -> bool:
    return incident.opened_at is not None and begin <= incident.opened_at.steady < end
