"""Incidents as they stand, and what is asked of those that were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zen_agents.adapters.sqlite_store_file import StateFile
from zen_agents.adapters.sqlite_store_rows import incident_columns, incident_of
from zen_agents.model.incident import Incident
from zen_agents.model.principal import ENGINE
from zen_agents.store.ledger import clean_text


class IncidentTables:
    """Part of `SqliteStore`: incidents."""

    _file: StateFile

    def save_incident(self, incident: Incident) -> None:
        """Write an incident, in the place of an older state of it, within the pending batch; lasting."""
        self._file.write_lasting("save_incident", incident.id, incident_columns(incident, self._file.redaction))

    def live_incidents(self) -> Sequence[Incident]:
        """Return incidents that are not resolved, oldest first."""
        return self._file.read_as(incident_of, "live_incidents")

    def live_ids(self) -> Mapping[str, float | None]:
        """Return until when each incident that is not resolved is acknowledged (steady), None if it is not, by id."""
        return dict(self._file.read("live_ids"))

    def incidents(self, *, since: float = 0.0, limit: int = 100) -> Sequence[Incident]:
        """Return incidents that began or changed since then, newest first."""
        return self._file.read_as(incident_of, "incidents_since", {"since": since, "limit": limit})

    def incident(self, id: str) -> Incident | None:
        """Return one incident, None if there is none of this id."""
        return self._file.read_one_as(incident_of, "incident", {"id": id})

    def incidents_about(self, name: str, *, until: float, limit: int) -> Sequence[Incident]:
        """Return incidents whose rule or target is called so and that began by then (Unix seconds), newest first."""
        return self._file.read_as(incident_of, "incidents_about", {"name": name, "until": until, "limit": limit})

    def find_ids(self, prefix: str) -> Sequence[str]:
        """Return ids of incidents, actions, approvals and decisions that start with `prefix`, at most 100."""
        low = clean_text(prefix)
        return [id for (id,) in self._file.read("find_ids", {"low": low, "high": low + "\U0010ffff"})]

    def openings(self, key: str, since: float) -> Sequence[float]:
        """Return when incidents of this key opened, since then, oldest first."""
        return [at for (at,) in self._file.read("openings", {"key": key, "since": since})]

    def repairs(self, key: str, since: float) -> int:
        """Return how many repairs of this key by the engine were verified since then."""
        rule, _, target = key.partition("|")
        return self._file.count("repairs", {"rule": rule, "target": target, "by": ENGINE.name, "since": since})
