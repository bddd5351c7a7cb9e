"""What is kept for charts, backtests and the cost of each agent; bounded, and never in the way of acting."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable, Iterable

from zen_agents.clock import Instant
from zen_agents.errors import StoreError
from zen_agents.model.address import is_address_target
from zen_agents.model.observation import BETWEEN, Observation, Status, samples_text
from zen_agents.ports.store import Store, Usage

log = logging.getLogger("zen_agents.recorder")

#: A measurement is kept at most this often (seconds); a change of status always.
KEEP_EVERY = 60.0
#: What was measured between two that are kept goes with the second of them, but no more than this many.
MOST_BETWEEN = 120
#: The cost of a tick is summed up and kept this often (seconds).
USAGE_EVERY = 60.0


class Recorder:
    """Thins out observations and sums up costs before they reach the store's pending batch."""

    def __init__(self, store: Store, resident_bytes: Callable[[], int], watches_changed: Callable[[], None]) -> None:
        self._store, self._resident_bytes = store, resident_bytes
        #: Called when checks want to be woken by other things than before.
        self.watches_changed = watches_changed
        #: By (name, target): the status that was kept last, and when a measurement was.
        self._statuses: dict[tuple[str, str], Status | None] = {}
        self._measured_at: dict[tuple[str, str], float] = {}
        #: By (name, target): moment (steady) and value, one after the other, of what was measured since.
        self._between: dict[tuple[str, str], array[float]] = {}
        self._sums: dict[str, list[float]] = {}
        #: Ticks so far, and when the last one ended, by agent.
        self.ticks: dict[str, int] = {}
        self.last_tick: dict[str, Instant] = {}
        #: Seconds spent on looking, and checks that were looked at, since the start, by agent.
        self.looked: dict[str, tuple[float, int]] = {}

    def expect(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Know these pairs before they are observed, by the tuples that whoever reads them has already."""
        for pair in pairs:
            self._statuses.setdefault(pair, None)

    def observed(self, observations: Iterable[Observation]) -> None:
        """Keep what is new enough or changed."""
        keep = [self._with_past(observation) for observation in observations if self._worth_keeping(observation)]
        if not keep:
            return
        try:
            self._store.record_observations(keep)
        except StoreError as error:
            log.warning("observations were not kept: %s", error)

    def _worth_keeping(self, observation: Observation) -> bool:
        pair = (observation.name, observation.target)
        before = self._statuses.get(pair)
        if before is None and is_address_target(observation.target):
            # Others choose them: there is no end of them, and the decisions about them are kept.
            return False
        changed = observation.status is not before
        if changed:
            self._statuses[pair] = observation.status
        if observation.value is None:
            return changed
        at = observation.at.steady
        if not changed and at - self._measured_at.get(pair, float("-inf")) < KEEP_EVERY:
            self._put_by(pair, at, observation.value)
            return False
        self._measured_at[pair] = at
        return True

    def _put_by(self, pair: tuple[str, str], at: float, value: float) -> None:
        between = self._between.setdefault(pair, array("d"))
        if len(between) < 2 * MOST_BETWEEN:
            between.extend((at, value))

    def _with_past(self, observation: Observation) -> Observation:
        """Return an observation with what was measured since the one that was kept before it, for `replay`."""
        between = self._between.pop((observation.name, observation.target), None)
        if not between:
            return observation
        facts = {**observation.facts, BETWEEN: samples_text(observation.at.steady, between)}
        return observation._replace(facts=facts)

    def took(self, agent: str, at: Instant, wall_seconds: float, cpu_seconds: float, checks: int) -> None:
        """Add one tick to its agent's sum, and keep the sum once a minute."""
        self.ticks[agent] = self.ticks.get(agent, 0) + 1
        self.last_tick[agent] = at
        seconds, looks = self.looked.get(agent, (0.0, 0))
        self.looked[agent] = (seconds + wall_seconds, looks + checks)
        sums = self._sums.setdefault(agent, [at.steady, 0.0, 0.0, 0.0])
        sums[1] += wall_seconds
        sums[2] += cpu_seconds
        sums[3] += checks
        if at.steady - sums[0] < USAGE_EVERY:
            return
        self._sums[agent] = [at.steady, 0.0, 0.0, 0.0]
        try:
            self._store.record_usage(Usage(agent, "tick", at, sums[1], sums[2], self._resident_bytes(), int(sums[3])))
        except StoreError as error:
            log.warning("the cost of a tick was not kept: %s", error)
