"""What was observed, and what turns and actions cost."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from zen_agents.adapters.sqlite_store_file import StateFile
from zen_agents.adapters.sqlite_store_rows import instant_of, observation_columns, observation_of
from zen_agents.clock import Instant
from zen_agents.errors import StoreError
from zen_agents.model.observation import Observation
from zen_agents.ports.store import Usage
from zen_agents.store.ledger import clean_text

#: So many series are known by heart: a good deal more than there are measurements of a host and its services.
_MOST_SERIES = 1000


class MeasurementTables:
    """Usage and observations."""

    _file: StateFile
    #: (name, target) -> number of the series.
    _series: dict[tuple[str, str], int]

    def record_usage(self, usage: Usage) -> None:
        """Write what a tick or action cost within the pending batch."""
        self._file.write(
            "record_usage",
            {
                "agent": usage.agent,
                "kind": usage.kind,
                "seen_at": usage.at.steady,
                "seen_wall": usage.at.wall.timestamp(),
                "wall_seconds": usage.wall_seconds,
                "cpu_seconds": usage.cpu_seconds,
                "resident_bytes": usage.resident_bytes,
                "checks": usage.checks,
            },
        )

    def usage(self, *, since: float) -> Sequence[Usage]:
        """Return costs since then, oldest first."""
        return self._file.read_as(_usage_of, "usage_since", {"since": since})

    def record_observations(self, observations: Iterable[Observation]) -> None:
        """Write all that is given within the pending batch."""
        rows = [observation_columns(self._series_of(seen.name, seen.target), seen) for seen in observations]
        if rows:
            self._file.write_many("record_observation", rows)

    def observations(self, name: str, target: str, *, since: float, limit: int = 10_000) -> Sequence[Observation]:
        """Return the newest `limit` observations since then, oldest first."""
        series = self._file.read_one("series", {"name": clean_text(name), "target": clean_text(target)})
        if series is None:
            return []
        params = {"series": series[0], "since": since, "limit": limit}
        newest_first = self._file.read_as(lambda row: observation_of(name, target, row), "observations_since", params)
        return newest_first[::-1]

    def recorded_series(self) -> Mapping[tuple[str, str], int]:
        """Return the number of each (name, target) of which something is kept."""
        return {(str(name), str(target)): int(id) for id, name, target in self._file.read("recorded_series")}

    def recording_began(self) -> Instant | None:
        """Return when the oldest kept observation was made, None if there is none."""
        return self._file.read_one_as(lambda row: instant_of(*row), "recording_began")

    def recorded(self, series: Sequence[int], *, since: float, until: float) -> Sequence[Sequence[Any]]:
        """Return kept observations of these series, oldest first, as rows, because a week of them is many.

        A row: series, status, seen_at, seen_wall, value, detail, facts (JSON or "").
        """
        return self._file.read("recorded_observations", {"since": since, "until": until, "series": json.dumps(list(series))})

    def _series_of(self, name: str, target: str) -> int:
        known = self._series.get((name, target))
        if known is not None:
            return known
        columns = {"name": clean_text(name), "target": clean_text(target)}
        row = self._file.read_one("series", columns)
        if row is None:
            self._file.write("add_series", columns)
            row = self._file.read_one("series", columns)
        if row is None:
            raise StoreError("An observation's series could not be written; look at: zen-agents doctor.")
        number = int(row[0])
        if len(self._series) >= _MOST_SERIES:
            # What is seldom kept need not be remembered; the rest is read again.
            self._series.clear()
        self._series[name, target] = number
        return number


def _usage_of(row: Sequence[Any]) -> Usage:
    agent, kind, at, wall, wall_seconds, cpu_seconds, resident, checks = row
    return Usage(agent, kind, instant_of(at, wall), wall_seconds, cpu_seconds, resident, checks)
