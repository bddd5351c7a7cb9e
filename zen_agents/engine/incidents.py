"""The live incidents of this host, in memory and in the store."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from operator import attrgetter
from types import MappingProxyType

from zen_agents.clock import Instant
from zen_agents.errors import StoreError
from zen_agents.guards.base import Policy, Situation
from zen_agents.model.address import is_address_target
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.observation import Status
from zen_agents.ports.store import Store

log = logging.getLogger("zen_agents.incidents")

#: What makes a change of an incident worth a write; streaks alone are not.
_MATERIAL = (
    "state", "severity", "last_status", "rung", "attempts", "action", "outcome_unknown", "refused_for", "escalated_for",
    "acknowledged_until", "acknowledged_by", "resolved_at",
)  # fmt: skip

_state_of = attrgetter("state")

#: Since when (steady time) openings are known, and when there were any.
_Openings = tuple[float, tuple[float, ...]]


class IncidentBook:
    """Live incidents by key; a material change is written to the store's pending batch, at once or when it is asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._live: dict[str, Incident] = {incident.key: incident for incident in store.live_incidents()}
        #: Keys of incidents whose last material change is not written yet.
        self._unwritten: set[str] = set()
        #: Key -> since when they are known, and the steady times at which incidents of it opened since then, newest last.
        self._openings: dict[str, _Openings] = {}
        #: The last of these that was made: thousands that open in one turn share it.
        self._latest: _Openings = (0.0, ())

    def get(self, key: str) -> Incident | None:
        """Return the live incident of a key."""
        return self._live.get(key)

    def __iter__(self) -> Iterator[Incident]:
        return iter(list(self._live.values()))

    def __contains__(self, key: object) -> bool:
        return key in self._live

    def __len__(self) -> int:
        return len(self._live)

    def count_open(self) -> int:
        """Return how many there are, not counting mere suspicions."""
        return len(self._live) - list(map(_state_of, self._live.values())).count(IncidentState.SUSPECTED)

    def of_agent(self, agent: str) -> list[Incident]:
        """Return the live incidents of one agent."""
        return [incident for incident in self._live.values() if incident.agent == agent]

    def find(self, id: str) -> Incident | None:
        """Return the live incident whose id starts with `id`, if there is exactly one."""
        found = [incident for incident in self._live.values() if incident.id.startswith(id)]
        return found[0] if len(found) == 1 else None

    def put(self, incident: Incident, *, write: bool = True) -> None:
        """Remember an incident; a resolved one leaves the book. Without `write`, its change is written by `write`."""
        before = self._live.get(incident.key)
        if before is incident:
            return
        if incident.opened_at is not None and (before is None or before.opened_at is None):
            self._remember_opening(incident.key, incident.opened_at.steady)
        if incident.is_live:
            self._live[incident.key] = incident
        else:
            self._live.pop(incident.key, None)
        if incident.state is IncidentState.SUSPECTED:
            return
        if before is None or incident.key in self._unwritten or _differs(before, incident):
            self._unwritten.add(incident.key)
            if write:
                self._save(incident)

    def drop(self, key: str) -> None:
        """Forget a suspicion that did not last; nothing was written about it."""
        self._live.pop(key, None)

    def write(self, key: str) -> None:
        """Write what was put about a key and not written yet."""
        if key in self._unwritten:
            self._save(self._live[key])

    def unwritten(self) -> list[str]:
        """Return the keys of which something was put and not written yet."""
        return list(self._unwritten)

    def _save(self, incident: Incident) -> None:
        self._unwritten.discard(incident.key)
        if not self._unwritten:
            # One that had ten thousand in it keeps their room.
            self._unwritten = set()
        self._store.save_incident(incident)

    def openings(self, key: str, since: float) -> Sequence[float]:
        """Return when incidents of this key opened, since then; what is older is forgotten and read again if asked for."""
        known = self._openings.get(key)
        if known is None or since < known[0]:
            try:
                known = (since, self._with_unwritten(key, self._store.openings(key, since)))
            except StoreError as error:
                # Watching and telling go on; nothing is done while the state cannot be read (R4, R15).
                log.error("earlier openings of %s cannot be read: %s", key, error)
                return [at for at in known[1] if at >= since] if known else []
        times = tuple(at for at in known[1] if at >= since)
        self._keep_openings(key, (since, times))
        return times

    def _with_unwritten(self, key: str, found: Sequence[float]) -> tuple[float, ...]:
        """Add the opening of what is live, where the store does not know of it yet; it keeps microseconds."""
        opened_at = self._live[key].opened_at if key in self._unwritten else None
        if opened_at is None or (found and found[-1] > opened_at.steady - 1e-6):
            return tuple(found)
        return (*found, opened_at.steady)

    def forget_openings(self, key: str) -> None:
        """Forget when incidents of a key opened, of which there may be any number; the store tells if it is asked again."""
        self._openings.pop(key, None)

    def _remember_opening(self, key: str, at: float) -> None:
        """Add an opening to those that are known; where none are, the store tells this one as well."""
        if (known := self._openings.get(key)) is not None:
            self._keep_openings(key, (known[0], (*known[1], at)))

    def _keep_openings(self, key: str, openings: _Openings) -> None:
        if openings != self._latest:
            self._latest = openings
        self._openings[key] = self._latest

    def situation(
        self, policy: Policy, now: Instant, *, actionable: int, running: int, foreign: str,
        log_only: frozenset[str] = frozenset(),
    ) -> Situation:  # fmt: skip
        """Return what guards may know of the whole host.

        Incidents of `log_only` rules confirm nothing (R32); without such rules nobody asks what could confirm them.
        """
        failing = self._failing(now.steady - policy.storm.within_seconds, policy.storm.within_seconds)
        problems = frozenset(
            incident.target
            for incident in self._live.values()
            if log_only and incident.last_status is Status.PROBLEM and incident.rule not in log_only
        )
        # The incidents themselves as they are when a guard looks: one that is over holds nobody back.
        return Situation(MappingProxyType(self._live), failing, actionable, running, foreign, problems)

    def _failing(self, horizon: float, within_seconds: float) -> int:
        """Return of how many targets an incident opened since `horizon`.

        What is bad again because a person took the engine's action back is no sign of a shared cause (R8, R31), nor is how
        many addresses attack: whoever attacks chooses that, and would stop all repairs.
        """
        # Counted at once: in a storm two sets of ten thousand would be a megabyte.
        targets = {
            incident.target
            for incident in self._live.values()
            if incident.opened_at is not None
            and incident.opened_at.steady >= horizon
            and not is_address_target(incident.target)
        }
        if not targets:
            return 0
        try:
            taken_back = self._store.taken_back(horizon - within_seconds)
        except StoreError as error:
            log.error("what people took back cannot be read: %s", error)
            return len(targets)
        if taken_back:
            never = float("inf")
            targets = {
                incident.target
                for incident in self._live.values()
                if incident.target in targets
                and incident.opened_at is not None
                and horizon <= incident.opened_at.steady < taken_back.get(incident.target, never)
            }
        return len(targets)


def _differs(before: Incident, after: Incident) -> bool:
    return any(getattr(before, name) != getattr(after, name) for name in _MATERIAL)
