"""How long each operation takes: percentiles over the last minutes, for a bounded number of operations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from zen_agents.dataclass import dataclass
from zen_agents.logs.keys import KeyTable
from zen_agents.logs.latency.sketch import Sketch, merged
from zen_agents.logs.memory import checked_count, checked_key, checked_number, checked_rows

#: So many operations are told apart; durations of one that lost its place count as those of the rest.
MOST_OPERATIONS: Final = 200
#: The window moves on in so many slices.
SLICES: Final = 5
REST: Final = "(other)"


@dataclass(frozen=True, slots=True)
class Latency:
    """How long one operation took within the window (seconds)."""

    operation: str
    count: int
    mean: float
    p50: float
    p95: float
    p99: float
    longest: float


class _Operation:
    """The durations of one operation, by slice."""

    __slots__ = ("slices",)

    def __init__(self) -> None:
        self.slices: dict[int, Sketch] = {}

    def add(self, number: int, durations: Sketch) -> None:
        self.slices.setdefault(number, Sketch()).merge(durations)

    def leave_out(self, before: int) -> None:
        for number in [number for number in self.slices if number < before]:
            del self.slices[number]

    @property
    def count(self) -> int:
        return sum(sketch.count for sketch in self.slices.values())


class Percentiles:
    """Durations by operation over `window_seconds`; without a window (a scan), over everything."""

    def __init__(self, window_seconds: float | None = None, most: int = MOST_OPERATIONS) -> None:
        self._slice_seconds = None if window_seconds is None else window_seconds / SLICES
        self._operations: KeyTable[_Operation] = KeyTable(most)
        self._rest = _Operation()
        self._now = 0

    @property
    def forgotten(self) -> int:
        """How many operations lost their place to others."""
        return self._operations.forgotten

    def add(self, operation: str, seconds: float, at: float) -> None:
        """Count how long an operation took that ended then; see `routes.route_of` for its name."""
        self.add_all(operation, (seconds,), self.slice_of(at))

    def add_all(self, operation: str, durations: Iterable[float], of_slice: int) -> None:
        """Count durations of one operation in a slice of time; see `slice_of`."""
        self._now = max(self._now, of_slice)
        kept = self._operations.get((operation,)) or _Operation()
        kept.leave_out(self._oldest)
        add = kept.slices.setdefault(self._now, Sketch()).add
        for seconds in durations:
            add(seconds)
        lost = self._operations.keep((operation,), kept, kept.count)
        if lost is not None:
            for number, sketch in lost[1].slices.items():
                self._rest.add(number, sketch)
            self._rest.leave_out(self._oldest)

    def latencies(self, now: float) -> list[Latency]:
        """Return how long operations took lately, that which took the most time in all first; the rest last."""
        self._now = max(self._now, self.slice_of(now))
        found = [latency for (name,), kept in self._operations.items() if (latency := self._latency(name, kept)) is not None]
        found.sort(key=lambda latency: (-latency.count * latency.mean, latency.operation))
        rest = self._latency(REST, self._rest)
        return found if rest is None else [*found, rest]

    def _latency(self, name: str, kept: _Operation) -> Latency | None:
        kept.leave_out(self._oldest)
        whole = merged(kept.slices)
        p50, p95, p99 = whole.quantile(0.5), whole.quantile(0.95), whole.quantile(0.99)
        if p50 is None or p95 is None or p99 is None:
            return None
        return Latency(name, whole.count, whole.total / whole.count, p50, p95, p99, whole.longest)

    def slice_of(self, at: float) -> int:
        """Return the number of the slice that a time (seconds) is in."""
        return 0 if self._slice_seconds is None else int(at // self._slice_seconds)

    @property
    def _oldest(self) -> int:
        return self._now - SLICES + 1

    def saved(self) -> dict[str, Any]:
        """Return everything that is remembered, for JSON."""
        rows = [[list(key), _rows(kept)] for key, kept in self._operations.ascending()]
        return {"slice": self._slice_seconds, "operations": rows, "rest": _rows(self._rest), "forgotten": self.forgotten}

    @classmethod
    def restored(cls, saved: Mapping[str, Any], window_seconds: float | None = None) -> Percentiles:
        """Return what was saved, if it was of the same window. What it cannot be is left out."""
        made = cls(window_seconds)
        if checked_number(saved.get("slice")) != made._slice_seconds:
            return made
        for row in checked_rows(saved.get("operations"), width=2):
            key, kept = checked_key(row[0], 1), _restored(row[1])
            if key is not None and kept.slices:
                made._operations.keep(key, kept, kept.count)
        made._rest = _restored(saved.get("rest"))
        made._operations.forgotten = checked_count(saved.get("forgotten"))
        return made


def _rows(kept: _Operation) -> list[list[Any]]:
    return [[number, sketch.saved()] for number, sketch in kept.slices.items()]


def _restored(saved: Any) -> _Operation:
    made = _Operation()
    for number, sketch in checked_rows(saved, width=2)[:SLICES]:
        restored = Sketch.restored(sketch)
        if restored.count:
            made.slices[checked_count(number)] = restored
    return made
