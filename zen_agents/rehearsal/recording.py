"""What an engine recorded, read back in the order in which it was seen, and where nothing was recorded.

A measurement is there at the rhythm at which it was taken, a status whenever it changed. Between two changes a status holds
only while the engine lived, as its measurements and its minute-by-minute cost show.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import ChainedEntry
from zen_agents.model.observation import BETWEEN, Observation, Status, samples_of

#: Silence of the whole engine for longer than this (seconds) is a gap: it keeps its cost once a minute.
LONGEST_SILENCE = 180.0
#: What was measured between two kept rows is no older than this (seconds) when the second is read.
_LOOK_BACK = 180.0
#: So much is read at a time (seconds).
_PAGE = 3600.0
_MOST_DECISIONS = 5000
#: An action begun within so many seconds of the replayed one is the same (the engine that did it had its own jitter), and
#: so many on one target are looked through.
_SAME_ACTION_WITHIN, _MOST_ACTIONS = 30.0, 1000
#: Looked up for each of a million samples.
_STATUSES = {status.value: status for status in Status}

_Pair = tuple[str, str]
#: (steady, order, wall, series, status, value, detail)
_Sample = tuple[float, int, float, int, str, float | None, str]


@dataclass(frozen=True, slots=True)
class Gap:
    """A time of which nothing is known."""

    since: Instant
    until: Instant

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.until.steady - self.since.steady


@dataclass(frozen=True, slots=True)
class Moment:
    """What was seen at one moment; nothing but a sign of life if `seen` is empty."""

    at: Instant
    seen: Sequence[Observation]


class Recording:
    """The recorded observations of some pairs."""

    def __init__(self, store: SqliteStore, pairs: Collection[_Pair]) -> None:
        self._store = store
        self._series = {number: pair for pair, number in store.recorded_series().items() if pair in pairs}
        #: Pairs of which nothing was ever recorded.
        self.unrecorded = frozenset(pairs).difference(self._series.values())

    def began(self) -> Instant | None:
        """Return when the oldest observation that is kept was made."""
        return self._store.recording_began()

    def moments(self, since: float, until: float) -> Iterator[Moment]:
        """Yield everything of that time (steady), oldest first."""
        signs = (usage.at for usage in self._store.usage(since=since) if usage.kind == "tick" and usage.at.steady < until)
        sign = next(signs, None)
        here: list[Observation] = []
        instant: Instant | None = None
        for at, _, wall, number, status, value, detail in self._samples(since, until):
            if instant is None or at != instant.steady:
                if instant is not None:
                    yield Moment(instant, here)
                while sign is not None and sign.steady <= at:
                    if sign.steady < at:
                        yield Moment(sign, ())
                    sign = next(signs, None)
                instant, here = Instant(datetime.fromtimestamp(wall, UTC), at), []
            here.append(Observation(*self._series[number], _STATUSES[status], instant, value, detail))
        if instant is not None:
            yield Moment(instant, here)
        while sign is not None:
            yield Moment(sign, ())
            sign = next(signs, None)

    def _samples(self, since: float, until: float) -> Iterator[_Sample]:
        """Yield samples in their order; those between two kept rows come with the second, so a little is held back."""
        waiting: list[_Sample] = []
        order = count()
        for row in self._rows(since, until + _LOOK_BACK):
            at = row[2]
            while waiting and waiting[0][0] < at - _LOOK_BACK:
                yield heapq.heappop(waiting)
            for sample in _of_row(row, order):
                if since <= sample[0] < until:
                    heapq.heappush(waiting, sample)
        while waiting:
            yield heapq.heappop(waiting)

    def _rows(self, since: float, until: float) -> Iterator[Sequence[Any]]:
        numbers = list(self._series)
        while since < until:
            end = min(since + _PAGE, until)
            yield from self._store.recorded(numbers, since=since, until=end)
            since = end

    def failed_after(self, action: str, target: str, at: float) -> float | None:
        """Return after how many seconds this action failed that was begun at about that time (steady); None if none did."""
        rows = self._store.actions(since=at - _SAME_ACTION_WITHIN, target=target, limit=_MOST_ACTIONS)
        near = [row for row in rows if row.action == action and abs(row.reserved_at.steady - at) <= _SAME_ACTION_WITHIN]
        if not near:
            return None
        row = min(near, key=lambda row: abs(row.reserved_at.steady - at))
        failed = row.kind in (OutcomeKind.FAILED, OutcomeKind.TIMED_OUT) and row.ended_at is not None
        return row.ended_at.steady - row.reserved_at.steady if failed and row.ended_at is not None else None

    def decisions(self, since: float, until: float) -> Iterator[ChainedEntry]:
        """Yield the decisions about incidents that the ledger holds of that time (steady), oldest first."""
        after = self._store.entries_before(since)
        while rows := self._store.decisions_between(since, until, after=after, limit=_MOST_DECISIONS):
            yield from rows
            after = rows[-1].seq


def _of_row(row: Sequence[Any], order: Iterator[int]) -> Iterable[_Sample]:
    """Return what a kept row holds: what was measured before it, then itself."""
    series, status, at, wall, value, detail, facts = row
    found: list[_Sample] = []
    if facts and BETWEEN in facts:
        try:
            text = str(json.loads(facts).get(BETWEEN, ""))
            found = [(when, next(order), wall - (at - when), series, status, measured, "")
                     for when, measured in samples_of(at, text)]  # fmt: skip
        except ValueError:
            found = []  # damaged: the samples are missing, which makes the rules that need them unknown
    found.append((at, next(order), wall, series, status, value, detail))
    return found
