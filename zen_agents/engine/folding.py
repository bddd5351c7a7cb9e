"""From what one turn saw to incidents: each observation is folded into those of the rules that read it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence

from zen_agents.clock import Instant
from zen_agents.engine.echo import Echo
from zen_agents.engine.outlook import Outlook
from zen_agents.engine.parts import A_BATCH, Parts
from zen_agents.model.ids import INCIDENT, new_id
from zen_agents.model.observation import Observation
from zen_agents.rules.hysteresis import has_moved, refold
from zen_agents.rules.rule import Rule


class Folding:
    """Keeps the book of one agent's incidents at what is seen; it decides nothing."""

    def __init__(self, parts: Parts, outlook: Outlook) -> None:
        self._parts, self._outlook = parts, outlook
        self._echo = Echo(parts)

    async def fold(self, observations: Sequence[Observation], *, everything: bool) -> None:
        """Fold what was seen into incidents, or `everything` anew: time alone changes some."""
        touched = self._take_in(observations, everything=everything)
        now = self._parts.clock.now()
        for count, rule in enumerate(touched, start=1):
            self._fold_one(rule, now)
            if count % A_BATCH == 0:
                await asyncio.sleep(0)

    def _take_in(self, observations: Sequence[Observation], *, everything: bool) -> Collection[Rule]:
        """Keep what was seen, and return the rules that it is news for."""
        outlook, watchlist = self._outlook, self._outlook.watchlist
        touched: dict[str, Rule] = dict(watchlist.rules) if everything else {}
        disturbed = self._echo.targets(watchlist)
        for observation in observations:
            ended_at = disturbed.get(observation.target) if disturbed else None
            if ended_at is not None and self._echo.is_one(observation, ended_at, watchlist):
                continue
            if not outlook.live.admit(observation):
                continue
            outlook.window.add(observation)
            if watchlist.says_nothing(observation, self._parts.book):
                continue
            for rule in watchlist.readers(observation.name, observation.target):
                touched[rule.key] = rule
        return touched.values()

    def _fold_one(self, rule: Rule, now: Instant) -> None:
        book, outlook = self._parts.book, self._outlook
        before = book.get(rule.key)
        after = refold(rule, before, outlook.window, now, as_of=outlook.as_of(now), new_id=lambda: new_id(INCIDENT))
        if after is None:
            if before is not None:
                book.drop(rule.key)
                outlook.again.pop(rule.key, None)
            return
        if has_moved(before, after):
            outlook.again[rule.key] = now.steady
        # The decision about it, which comes soon, mostly changes it once more.
        book.put(after, write=False)
