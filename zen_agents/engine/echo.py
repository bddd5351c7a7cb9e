"""Own effect is no event (R8): what an own action changes while it runs neither opens an incident nor counts as bad."""

from __future__ import annotations

from zen_agents.engine.parts import Parts
from zen_agents.engine.watchlist import Watchlist
from zen_agents.model.observation import Observation, Status

#: What an own action disturbs is looked at again after this (seconds), until it has ended.
LOOK_AGAIN = 0.25


class Echo:
    """Knows which problems are only the other side of actions that still run; bounded by how long an action may run."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def targets(self, watchlist: Watchlist) -> frozenset[str]:
        """Return the targets that own actions are changing right now."""
        subjects = self._parts.executor.disturbed
        return watchlist.targets_of(subjects) if subjects else frozenset()

    def is_one(self, observation: Observation, watchlist: Watchlist) -> bool:
        """Tell whether what is seen of such a target is to be passed over; then it is looked at again.

        What was bad before the action began stays what it was, and its own incident sees all of it.
        """
        if observation.status is not Status.PROBLEM:
            return False
        rules = watchlist.readers(observation.name, observation.target)
        incidents = [self._parts.book.get(rule.key) for rule in rules]
        if any(incident is not None and incident.opened_at is not None for incident in incidents):
            return False
        again_at = self._parts.clock.now().steady + LOOK_AGAIN
        for rule in rules:
            watchlist.hurry(rule.key, again_at)
        return bool(rules)
