"""What one agent watches, what it has seen of that lately, and when it decides about what anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from zen_agents.agents.base import BaseAgent
from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.engine.live_rules import LiveRules
from zen_agents.engine.long_looks import LongLooks
from zen_agents.engine.parts import Parts
from zen_agents.engine.recorder import Recorder
from zen_agents.engine.watchlist import Watchlist
from zen_agents.model.decision import Decision, DecisionKind
from zen_agents.model.incident import Incident
from zen_agents.model.observation import Status
from zen_agents.model.reason import Reason
from zen_agents.rules.rule import Rule
from zen_agents.rules.window import RecentObservations

#: What a turn saw is no older for others that answer late in it, up to so many seconds.
LATE_ANSWERS = 10.0


class Outlook:
    """What the rooms of one agent's turns share; a reload gives it new rules, what was seen stays."""

    def __init__(self, agent: BaseAgent, parts: Parts, recorder: Recorder) -> None:
        self.agent = agent
        self._parts, self._recorder = parts, recorder
        self.window = RecentObservations()
        parts.escalation.sees(self.window)
        #: Key of an incident -> steady time at which it is decided about; what is not in it is decided about at once.
        self.again: dict[str, float] = {}
        #: When the present turn looked, and the checks it has asked.
        self.looked, self.asked = parts.clock.now(), frozenset[str]()
        #: Called when a turn is worth taking earlier than was thought.
        self.woken: Callable[[], None] = lambda: None
        #: Looks that go on beside the turns.
        self.long_looks = LongLooks(parts.sampler, self._wake)

    def take_over(self, agent: BaseAgent) -> None:
        """Take over an agent's declaration, new after a reload; incidents go on, everything is looked at anew."""
        self.agent = agent
        flapping = self._parts.flapping
        rules = [rule if rule.flapping == flapping else replace(rule, flapping=flapping) for rule in agent.rules()]
        self.watchlist = Watchlist(agent.checks(), rules, self._parts.clock.now().steady)
        self.long_looks.take_over(self.watchlist.checks.values())
        self.window.expect(self.watchlist.pairs)
        self._recorder.expect(self.watchlist.pairs)
        for rule in rules:
            for condition in (rule.condition, rule.clear):
                if condition is not None:
                    self.window.require_all(condition)
        #: Key -> keys of the rules that depend on it.
        self.dependents: dict[str, list[str]] = {}
        for rule in rules:
            for key in rule.depends_on:
                self.dependents.setdefault(key, []).append(rule.key)
        #: Names of the rules that what a log says is not enough for.
        self.log_only = frozenset(rule.name for rule in rules if rule.needs_confirmation)
        self.live = LiveRules(agent, self.watchlist, self.window, flapping)
        self.live.restore(self._parts.book.of_agent(agent.name))
        self.again.clear()

    def rule_of(self, key: str) -> Rule | None:
        """Return the rule of a key, None if the configuration has it no more."""
        return self.watchlist.rules.get(key)

    def hurry(self, key: str, at: float) -> None:
        """Have what a rule reads looked at, and its incident decided about, by this steady time."""
        self.watchlist.hurry(key, at)
        # What nobody decides about any more (its rule was taken out) would be due for ever.
        if self._parts.book.get(key) is not None:
            self.again[key] = at
        self.woken()

    def next_at(self) -> float:
        """Return the steady time at which a turn is worth taking: a check, a deadline or a retry is due."""
        return min(self.watchlist.next_due, min(self.again.values(), default=float("inf")))

    def as_of(self, now: Instant) -> Instant:
        """Return the moment at which it counts how old something is: a probe's time-out makes nothing else stale."""
        late = now.steady - self.looked.steady
        return self.looked if late <= LATE_ANSWERS else now.after(-LATE_ANSWERS)

    def is_fresh(self, rule: Rule, now: Instant) -> bool:
        """Tell whether what a rule rests on was seen in this very turn, and so was all that may be its cause."""
        if not all(self.watchlist.has_asked_all(key, self.asked) for key in self._parts.causes.of(rule)):
            return False
        if self.watchlist.has_asked_all(rule.key, self.asked):
            return True
        finding = rule.condition.evaluate(self.window, self.as_of(now))
        return finding.status is Status.PROBLEM and finding.at.steady >= self.looked.steady

    def awaits(self, incident: Incident, rule: Rule, decision: Decision) -> bool:
        """Tell whether the very look is under way, or due, that has to tell before this is decided; it ends in its own time.

        That is the first look of all, or the first that can have seen what an action did.
        """
        if decision.kind is DecisionKind.FAIL_RUNG and not incident.relapsed:
            return self._is_yet_to_be_told(rule, incident.settle_until)
        return decision.reason is Reason.UNKNOWN_TOO_LONG and self._is_yet_to_be_told(rule, 0.0)

    def _is_yet_to_be_told(self, rule: Rule, since: float) -> bool:
        """Tell whether a check that takes long is asked, of which no look that began since then was told of."""
        looks, now = self.long_looks, self._parts.clock.now().steady
        untold = [name for name in self.watchlist.feeders(rule.key) & looks.names if looks.told_began_at(name) < since]
        return any(looks.is_under_way(name) or self.watchlist.is_due(name, now) for name in untold)

    def is_looked_at(self, rule: Rule, since: float) -> bool:
        """Tell whether a look that began since then at what a rule reads is under way beside the turns."""
        return self.long_looks.is_looked_at(self.watchlist.feeders(rule.key), since)

    def decide_soon(self, check: Check) -> None:
        """Have everything decided in this turn that rests on what a check observes."""
        for key in {rule.key for name in check.observes for rule in self.watchlist.readers(name, check.target)}:
            if self._parts.book.get(key) is not None:
                self.again[key] = self.looked.steady

    def _wake(self) -> None:
        self.woken()

    def is_under_repair(self, rule: Rule) -> bool:
        """Tell whether an action of a rule's incident runs."""
        incident = self._parts.book.get(rule.key)
        return incident is not None and incident.action is not None and self._parts.executor.runs(incident.action)
