"""Rules about targets that no configuration names: there as long as they are observed, or have an incident (ADR 0027).

Others choose such targets, so there are at most so many at once, and what is observed beyond that is left out: nothing of it
is kept, and nothing is done.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable, Sequence
from dataclasses import replace

from zen_agents.agents.base import BaseAgent
from zen_agents.engine.watchlist import Watchlist
from zen_agents.model.address import is_address_target
from zen_agents.model.incident import Incident
from zen_agents.model.observation import Observation
from zen_agents.rules.rule import FlapLimit, Rule
from zen_agents.rules.window import RecentObservations

log = logging.getLogger("zen_agents.live_rules")

#: No agent has more of them at once.
MOST_LIVE = 2000


class LiveRules:
    """Those of one agent; they come into its watchlist and leave it again."""

    def __init__(self, agent: BaseAgent, watchlist: Watchlist, window: RecentObservations, flapping: FlapLimit) -> None:
        self._agent, self._watchlist, self._window, self._flapping = agent, watchlist, window, flapping
        #: Key -> the name of the observation, and its target.
        self._live: dict[str, tuple[str, str]] = {}

    def __len__(self) -> int:
        return len(self._live)

    def restore(self, incidents: Iterable[Incident]) -> None:
        """Take in the rules of incidents that an earlier engine, or configuration, left."""
        for incident in incidents:
            if is_address_target(incident.target):
                self._take_in(incident.rule.removeprefix(f"{self._agent.name}."), incident.target)

    def admit(self, observation: Observation) -> bool:
        """Tell whether an observation counts: its target is listed, or it is one that the agent has a rule about."""
        if not is_address_target(observation.target):
            return True
        pair = (observation.name, observation.target)
        return bool(self._watchlist.readers(*pair)) or self._take_in(*pair)

    def let_go(self, seen: Iterable[Observation], asked: Container[str], book: Container[str]) -> Sequence[str]:
        """Let go of those that the asked checks observed no more, and that have no incident; return their keys."""
        if not self._live:
            return ()
        present = {(observation.name, observation.target) for observation in seen}
        over = [
            key
            for key, pair in self._live.items()
            if pair not in present and key not in book and self._watchlist.has_asked_all(key, asked)
        ]
        for key in over:
            self._window.forget(*self._live.pop(key))
            self._watchlist.drop(key)
        return over

    def _take_in(self, name: str, target: str) -> bool:
        rule = self._agent.rule_about(name, target) if len(self._live) < MOST_LIVE else None
        if rule is None:
            log.debug("%s of %s is left out", name, target)
            return False
        self._live[rule.key] = (name, target)
        self._watchlist.add(self._as_all(rule), name)
        return True

    def _as_all(self, rule: Rule) -> Rule:
        return rule if rule.flapping == self._flapping else replace(rule, flapping=self._flapping)
