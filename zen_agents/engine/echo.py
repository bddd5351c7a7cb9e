"""Own effect is no event (R8): what an own action changes neither opens an incident nor counts as bad.

That holds while it runs; and of its target, which may take a while to answer again, until it was well once or should be.
"""

from __future__ import annotations

from collections.abc import Mapping

from zen_agents.engine.parts import Parts
from zen_agents.engine.watchlist import Watchlist
from zen_agents.guards.protected_names import ENDS
from zen_agents.model.observation import Observation, Status
from zen_agents.rules.rule import Rule

#: What an own action disturbs is looked at again after this (seconds), until it has ended and what it acted on is well.
LOOK_AGAIN = 0.25


class Echo:
    """Knows which problems are only the other side of own actions; bounded by how long these may run and take to help."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        #: What of a recovering target was well again, by what was seen of which target -> since when (steady time).
        self._well: dict[tuple[str, str], float] = {}

    def targets(self, watchlist: Watchlist) -> Mapping[str, float]:
        """Return the targets that own actions change, with the steady time since when they need not: infinity for now."""
        recovering = dict(self._parts.executor.recovering(self._parts.clock.now().steady))
        self._well = {pair: at for pair, at in self._well.items() if pair[1] in recovering}
        subjects = self._parts.executor.disturbed
        return recovering | dict.fromkeys(watchlist.targets_of(subjects), float("inf")) if subjects else recovering

    def is_one(self, observation: Observation, ended_at: float, watchlist: Watchlist) -> bool:
        """Tell whether what is seen of such a target is to be passed over; then it is looked at again.

        What was bad before the action began stays what it was, and its own incident sees all of it. So does what breaks
        again after it was well, and what an action that has ended is meant to leave for a while.
        """
        pair = observation.name, observation.target
        if observation.status is Status.OK:
            self._well[pair] = observation.at.steady
        if observation.status is not Status.PROBLEM or self._well.get(pair, float("-inf")) > ended_at:
            return False
        rules = watchlist.readers(*pair)
        if ended_at < float("inf") and any(_ends_another(rule) for rule in rules):
            return False
        incidents = [self._parts.book.get(rule.key) for rule in rules]
        if any(incident is not None and incident.opened_at is not None for incident in incidents):
            return False
        again_at = self._parts.clock.now().steady + LOOK_AGAIN
        for rule in rules:
            watchlist.hurry(rule.key, again_at)
        return bool(rules)


def _ends_another(rule: Rule) -> bool:
    """Tell whether it is there to end, in time, what another action has changed: to see that is its very purpose."""
    return any(remedy.action in ENDS for rung in rule.ladder for remedy in rung.alternatives)
