"""One turn of one agent: observe, fold, decide, act. Level-triggered: whoever woke it, it looks at the present state."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter, process_time

from zen_agents.agents.base import BaseAgent
from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.engine.blindness import Blindness
from zen_agents.engine.causes import MUTED_FOR, Mute
from zen_agents.engine.echo import Echo
from zen_agents.engine.live_rules import LiveRules
from zen_agents.engine.parts import Parts
from zen_agents.engine.planned_hours import PlannedHours
from zen_agents.engine.readiness import get_ready
from zen_agents.engine.recorder import Recorder
from zen_agents.engine.remembering import Remembering
from zen_agents.engine.repairs import ASK_AGAIN_SECONDS, Repairs
from zen_agents.engine.storm import Storm
from zen_agents.engine.watchlist import Watchlist
from zen_agents.errors import StoreError
from zen_agents.guards.base import Situation
from zen_agents.model.address import is_address_target
from zen_agents.model.decision import Decision, DecisionKind
from zen_agents.model.ids import INCIDENT, new_id
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.observation import Observation, Status
from zen_agents.model.reason import Reason
from zen_agents.ports.host import HostView
from zen_agents.rules import transitions
from zen_agents.rules.decide import decide
from zen_agents.rules.hysteresis import has_moved, is_flapping, refold
from zen_agents.rules.inhibition import worst_first
from zen_agents.rules.rule import Rule
from zen_agents.rules.window import RecentObservations

log = logging.getLogger("zen_agents.tick")

#: After so many incidents the loop is given a turn, so that a storm does not keep the control socket waiting.
A_TURN = 25
#: After so many their changes and decisions are made durable; a multiple of the turn. Intents do not wait for that.
A_BATCH = 250
#: So many observations are kept at once before the loop is given a turn.
A_PORTION = 1000
#: Plans rest on the look of the checks if that is no older than this (seconds).
SAME_LOOK = 0.25
#: What a turn saw is no older for others that answer late in it, up to so many seconds.
LATE_ANSWERS = 10.0
#: While an action is verified, what it should have mended is looked at again after as long as it has been done, but not
#: sooner than the first of these (seconds) and no later than the second.
VERIFY_SOONEST, VERIFY_EVERY = 0.01, 1.0
#: While an action runs, what it is to mend is looked at no sooner than after this (seconds): each look would take from the
#: host what the action needs of it, systemd's attention for one.
REPAIRED_UNDISTURBED = 1.0

#: What a turn wrote in which an action began is made durable so much later (seconds), or with what the action did: the deed,
#: whose intent is durable, does not wait for the disk twice.
DURABLE_AFTER_A_START = 0.05

#: Decisions by which the action of an incident has ended.
_JUDGES = (DecisionKind.RESOLVE, DecisionKind.FAIL_RUNG)


class AgentTick:
    """The turns of one agent; never two at once."""

    def __init__(self, agent: BaseAgent, parts: Parts, recorder: Recorder) -> None:
        self.agent = agent
        self._parts, self._recorder = parts, recorder
        self._lock = asyncio.Lock()
        #: Called when a turn is worth taking earlier than was thought.
        self.woken: Callable[[], None] = lambda: None
        self._window = RecentObservations()
        parts.escalation.sees(self._window)
        self._ask_again: dict[str, float] = {}
        #: When the present turn looked, and the checks it has asked.
        self._looked, self._asked = parts.clock.now(), frozenset[str]()
        #: True once this turn has begun an action.
        self._began_one = False
        #: True while those are decided about whom the storm brake holds back together.
        self._held_back = False
        self._storm, self._blindness, self._echo = Storm(parts), Blindness(parts), Echo(parts)
        self._planned_hours = PlannedHours(parts)
        self._remembering = Remembering(agent.name, parts.store, parts.sampler)
        # The repairs under way outlive a reload, the watchlist does not.
        self.repairs = Repairs(parts, self._rule_of, self._hurry)
        self.rebuild(agent)

    async def swap(self, agent: BaseAgent) -> None:
        """Take over an agent's new declaration between two turns, never within one."""
        async with self._lock:
            self.rebuild(agent)

    def rebuild(self, agent: BaseAgent) -> None:
        """Take over an agent's declaration, new after a reload; incidents go on, everything is looked at anew."""
        self.agent = agent
        flapping = self._parts.flapping
        rules = [rule if rule.flapping == flapping else replace(rule, flapping=flapping) for rule in agent.rules()]
        self.watchlist = Watchlist(agent.checks(), rules, self._parts.clock.now().steady)
        self._remembering.take_over(self.watchlist.checks.values())
        self._window.expect(self.watchlist.pairs)
        self._recorder.expect(self.watchlist.pairs)
        for rule in rules:
            for condition in (rule.condition, rule.clear):
                if condition is not None:
                    self._window.require_all(condition)
        #: Key -> keys of the rules that depend on it.
        self._dependents: dict[str, list[str]] = {}
        for rule in rules:
            for key in rule.depends_on:
                self._dependents.setdefault(key, []).append(rule.key)
        self._live = LiveRules(agent, self.watchlist, self._window, flapping)
        self._live.restore(self._parts.book.of_agent(agent.name))
        self._log_only = frozenset(rule.name for rule in rules if rule.needs_confirmation)
        self._ask_again.clear()

    def _rule_of(self, key: str) -> Rule | None:
        return self.watchlist.rules.get(key)

    def _hurry(self, key: str, at: float) -> None:
        self.watchlist.hurry(key, at)
        # What nobody decides about any more (its rule was taken out) would be due for ever.
        if self._parts.book.get(key) is not None:
            self._ask_again[key] = at
        self.woken()

    def wake(self, subject: str) -> bool:
        """Have what is watched under this subject looked at now, "" means everything; True if anything is.

        What an own action changes while it still runs is no event (R8): all of that is looked at when it has ended.
        """
        return self.watchlist.wake(subject, self._parts.clock.now().steady, but=self._is_under_repair)

    def _is_under_repair(self, rule: Rule) -> bool:
        incident = self._parts.book.get(rule.key)
        return incident is not None and incident.action is not None and self._parts.executor.runs(incident.action)

    @property
    def latest(self) -> RecentObservations:
        """What was last seen, for status and explanations."""
        return self._window

    def next_at(self) -> float:
        """Return the steady time at which a turn is worth taking: a check, a deadline or a retry is due."""
        return min(self.watchlist.next_due, min(self._ask_again.values(), default=float("inf")))

    async def run(self, *, everything: bool = False, act: bool = True) -> None:
        """Take one turn: look at what is due (or at everything), fold, decide, and start what is allowed."""
        async with self._lock:
            began, cpu, now = perf_counter(), process_time(), self._parts.clock.now()
            checks = self.watchlist.take_due(now.steady, everything=everything)
            self._looked, self._asked = now, frozenset(check.name for check in checks)
            self._remembering.catch_up(checks)
            if everything:
                self._schedule_is_due(now)
            look = self._parts.host.look()
            seen = await self._parts.sampler.sample(checks, now, look) if checks else []
            observations = self._parts.journal.redaction.observations(seen)
            await self._fold(observations, everything=everything)
            self._remember(checks)
            if act:
                # What was seen just now need not be asked again to plan by it; before anything is done it is looked at anew.
                seconds_ago = self._parts.clock.now().steady - now.steady
                await self._decide_all(look if seconds_ago < SAME_LOOK else self._parts.host.look())
            else:
                # Nobody decides: what is asked for meanwhile would be due for ever. A resume asks about everything.
                self._ask_again.clear()
            await self._write_the_rest()
            for key in self._live.let_go(observations, self._asked, self._parts.book):
                self._ask_again.pop(key, None)
                self._parts.book.forget_openings(key)
            for start in range(0, len(observations), A_PORTION):
                self._recorder.observed(observations[start : start + A_PORTION])
                await asyncio.sleep(0)
            self._recorder.took(self.agent.name, now, perf_counter() - began, process_time() - cpu, len(checks))
            self._make_durable()
            self._asked = frozenset()
            if self.watchlist.watches(checks):
                self._recorder.watches_changed()
            self.watchlist.let_rest(checks, now.steady, is_told=self._parts.is_told_of, book=self._parts.book)

    def _schedule_is_due(self, now: Instant) -> None:
        """Have what waits for this moment decided in this turn, whether or not anything else is new about it."""
        self._planned_hours.due(now)
        if self.agent.planned:
            self._ask_again.update((incident.key, now.steady) for incident in self._parts.book.of_agent(self.agent.name))

    async def get_ready(self) -> None:
        """Use once, for nothing, what the first repair would have to load."""
        await get_ready(self._parts, self.watchlist.rules.values())

    async def _fold(self, observations: Sequence[Observation], *, everything: bool) -> None:
        touched: dict[str, Rule] = dict(self.watchlist.rules) if everything else {}
        disturbed = self._echo.targets(self.watchlist)
        for observation in observations:
            ended_at = disturbed.get(observation.target) if disturbed else None
            if ended_at is not None and self._echo.is_one(observation, ended_at, self.watchlist):
                continue
            if not self._live.admit(observation):
                continue
            self._window.add(observation)
            if self.watchlist.says_nothing(observation, self._parts.book):
                continue
            for rule in self.watchlist.readers(observation.name, observation.target):
                touched[rule.key] = rule
        now = self._parts.clock.now()
        for count, rule in enumerate(touched.values(), start=1):
            self._fold_one(rule, now)
            if count % A_BATCH == 0:
                await asyncio.sleep(0)

    def _fold_one(self, rule: Rule, now: Instant) -> None:
        book = self._parts.book
        before = book.get(rule.key)
        after = refold(rule, before, self._window, now, as_of=self._as_of(now), new_id=lambda: new_id(INCIDENT))
        if after is None:
            if before is not None:
                book.drop(rule.key)
                self._ask_again.pop(rule.key, None)
            return
        if has_moved(before, after):
            self._ask_again[rule.key] = now.steady
        # The decision about it, which comes soon, mostly changes it once more.
        book.put(after, write=False)

    def _as_of(self, now: Instant) -> Instant:
        """Return the moment at which it counts how old something is: a probe's time-out makes nothing else stale."""
        late = now.steady - self._looked.steady
        return self._looked if late <= LATE_ANSWERS else now.after(-LATE_ANSWERS)

    def _remember(self, checks: Sequence[Check]) -> None:
        """Write what checks must not forget in one batch with what came of it, before an action makes that durable."""
        memories = self._remembering.changed(checks)
        if not memories:
            return
        for key in self._parts.book.unwritten():
            self._parts.book.write(key)
        try:
            self._remembering.keep(memories)
        except StoreError as error:
            self._parts.safe_mode.store_failed(str(error))

    async def _write_the_rest(self) -> None:
        """Write what the fold found about those of whom nothing was decided."""
        for count, key in enumerate(self._parts.book.unwritten(), start=1):
            self._parts.book.write(key)
            if count % A_BATCH == 0:
                # Until it is durable all of it is kept to be written again.
                self._commit()
                await asyncio.sleep(0)

    async def _decide_all(self, view: HostView) -> None:
        parts = self._parts
        now = parts.clock.now()
        waiting = self._waiting(now)
        # That a storm, or blindness, is over is seen also when nothing is left of it.
        if not waiting and not parts.escalation.storm and not self._blindness.is_told:
            return
        self._blindness.look(parts.book.of_agent(self.agent.name), self.watchlist.targets, now)
        situation = self._situation(now)
        for start in range(0, len(waiting), A_TURN):
            turn = [incident for key in waiting[start : start + A_TURN] if (incident := parts.book.get(key)) is not None]
            # In a storm the worst are judged one by one, with every guard's answer; the rest share what holds them all.
            self._held_back = parts.escalation.storm and start >= A_BATCH
            if len(waiting) > A_TURN and not self._held_back:
                await self.repairs.plan_ahead(turn, view, now)
            for due_one in turn:
                # While others were planned for, it may have changed: a person took it, or its action ended.
                incident = parts.book.get(due_one.key)
                if incident is not None:
                    await self._decide_one(incident, situation, view, now)
            if start % A_BATCH == A_BATCH - A_TURN:
                self._commit()
            await asyncio.sleep(0)
        parts.journal.sum_up()
        parts.planning.forget()

    def _waiting(self, now: Instant) -> list[str]:
        """Return the keys of the incidents to decide about now, the worst first; of thousands none is kept as it was."""
        live = self._parts.book.of_agent(self.agent.name)
        due = [incident for incident in live if self._ask_again.get(incident.key, 0.0) <= now.steady]
        return [incident.key for incident in worst_first(due)]

    async def _decide_one(self, incident: Incident, situation: Situation, view: HostView, now: Instant) -> None:
        rule = self.watchlist.rules.get(incident.key)
        if rule is None:
            self._rule_gone(incident, now)
        else:
            self._ask_again[incident.key] = await self._decide_on(incident, rule, situation, view, now)

    def _situation(self, now: Instant) -> Situation:
        parts = self._parts
        situation = parts.book.situation(
            parts.policy, now, actionable=parts.actionable, running=parts.executor.running, foreign=parts.foreign,
            log_only=self._log_only,
        )  # fmt: skip
        parts.escalation.storm = self._storm.look(situation, now)
        return situation

    async def _decide_on(self, incident: Incident, rule: Rule, situation: Situation, view: HostView, now: Instant) -> float:
        """Decide; a state that fails meanwhile costs this incident a moment and the agent nothing (R15)."""
        try:
            return await self._decide(incident, rule, situation, view, now)
        except StoreError as error:
            self._parts.safe_mode.store_failed(str(error))
            return now.steady + VERIFY_EVERY

    async def _decide(self, incident: Incident, rule: Rule, situation: Situation, view: HostView, now: Instant) -> float:
        """Decide about one incident and do what was decided; return when to decide again (steady)."""
        opened = self._parts.book.openings(incident.key, now.steady - rule.flapping.within_seconds)
        flapping = is_flapping(opened, rule.flapping, now)
        decision = self._unless_it_acts_still(incident, decide(incident, rule, now, flapping=flapping), now)
        decision = self._unless_muted(incident, rule, decision, now)
        if decision.kind is DecisionKind.ACT:
            decision = self._planned_hours.wait(self.agent, rule.ladder[incident.rung], now) or decision
        if decision.kind is DecisionKind.ACT and self._held_back:
            return self.repairs.hold_back(incident, situation, now)
        self._parts.book.write(incident.key)
        if decision.kind is DecisionKind.ACT:
            return await self._act(incident, rule, decision, situation=situation, view=view, now=now)
        return self._do_nothing_to_the_host(incident, rule, decision, now)

    def _unless_it_acts_still(self, incident: Incident, decision: Decision, now: Instant) -> Decision:
        """Return the decision, or to wait where it would judge an action that still runs: that is judged when it ends.

        While a host is suspended deadlines pass, and what an action may take does not.
        """
        if decision.kind not in _JUDGES or not incident.action or not self._parts.executor.runs(incident.action):
            return decision
        again_at = now.steady + VERIFY_EVERY
        return Decision(DecisionKind.WAIT, Reason.SETTLING, now, "its action still runs", again_at=again_at)

    def _unless_muted(self, incident: Incident, rule: Rule, decision: Decision, now: Instant) -> Decision:
        """Return the decision, or to wait where people are told of the root instead: it is down for another one's sake."""
        if decision.kind is not DecisionKind.ESCALATE or decision.reason not in MUTED_FOR:
            return decision
        mute = self.mute(rule, incident)
        if mute is None:
            return decision
        why = f"muted by {mute.root.target} ({mute.root.id}): {mute.source}"
        return Decision(DecisionKind.WAIT, Reason.DEPENDENCY_DOWN, now, why, again_at=now.steady + ASK_AGAIN_SECONDS)

    def mute(self, rule: Rule, incident: Incident) -> Mute | None:
        """Return by what an incident is muted, for status."""
        return self._parts.causes.mute(rule, incident, self._parts.book)

    def _do_nothing_to_the_host(self, incident: Incident, rule: Rule, decision: Decision, now: Instant) -> float:
        """Do what was decided where that is not an action; return when to decide again (steady)."""
        self._journal(incident, decision)
        stands_back = decision.kind is DecisionKind.ESCALATE and self._parts.escalation.holds_back(decision.reason)
        if stands_back or self._blindness.tells(decision, now):
            # Told when the storm is over, if it still is broken then.
            return now.steady + ASK_AGAIN_SECONDS
        if decision.kind is DecisionKind.RESOLVE:
            self._resolve(incident, rule, now)
            return float("inf")
        if decision.kind is DecisionKind.FAIL_RUNG:
            could_tell = incident.last_status is not Status.UNKNOWN
            self.repairs.rung_failed(incident, rule, now, could_tell=could_tell)
            # The next attempt needs a fresh look; without one it would be judged twice.
            self.watchlist.hurry(rule.key, now.steady)
            return now.steady
        if decision.kind is DecisionKind.ESCALATE:
            self._escalate(incident, rule, decision.reason, now)
            return now.steady
        return self._wait(incident, rule, decision, now)

    async def _act(
        self, incident: Incident, rule: Rule, decision: Decision, *, situation: Situation, view: HostView, now: Instant
    ) -> float:
        # Actions that this very turn has started count as well.
        if situation.running != self._parts.executor.running:
            situation = replace(situation, running=self._parts.executor.running)
        again = await self.repairs.ask(
            incident, rule, decision, situation=situation, view=view, now=now, is_fresh=self._is_fresh(rule, now)
        )
        if self._is_under_repair(rule):
            self._began_one = True
            until = self._parts.clock.now().steady + REPAIRED_UNDISTURBED
            self.watchlist.put_off(rule.key, until, where=self._is_under_repair)
        return again

    def _is_fresh(self, rule: Rule, now: Instant) -> bool:
        """Tell whether what a rule rests on was seen in this very turn, and so was all that may be its cause."""
        if not all(self.watchlist.has_asked_all(key, self._asked) for key in self._parts.causes.of(rule)):
            return False
        if self.watchlist.has_asked_all(rule.key, self._asked):
            return True
        finding = rule.condition.evaluate(self._window, self._as_of(now))
        return finding.status is Status.PROBLEM and finding.at.steady >= self._looked.steady

    def _journal(self, incident: Incident, decision: Decision) -> None:
        """Write a decision that does nothing to the host; that it cannot be written must not keep people from being told."""
        try:
            self._parts.journal.decided(incident, decision)
        except StoreError as error:
            self._parts.safe_mode.store_failed(str(error))

    def _wait(self, incident: Incident, rule: Rule, decision: Decision, now: Instant) -> float:
        again = decision.again_at if decision.again_at is not None else float("inf")
        if incident.state is IncidentState.VERIFYING:
            done_for = now.steady - incident.settle_until
            look_at = max(incident.settle_until, now.steady + min(max(done_for, VERIFY_SOONEST), VERIFY_EVERY))
            self.watchlist.hurry(rule.key, look_at)
            return min(again, look_at)
        counts_at = incident.began_at.steady + rule.hold.held_for_seconds
        if incident.state is IncidentState.SUSPECTED and incident.last_status is Status.PROBLEM and counts_at > now.steady:
            # What is looked at once an hour, or when it changes, would be known to last only an hour later.
            self.watchlist.hurry(rule.key, counts_at + VERIFY_SOONEST)
        return again

    def _escalate(self, incident: Incident, rule: Rule, reason: Reason, now: Instant) -> None:
        self._parts.book.put(transitions.escalated(incident, reason, now))
        explained = self._parts.causes.explained(incident, self.watchlist.rules, self._parts.book)
        self._parts.escalation.incident(incident, rule, reason, now, explained=explained)
        # How many attackers the firewall does not keep out is no sign that everything breaks.
        if reason is Reason.LADDER_EXHAUSTED and not is_address_target(incident.target):
            self._parts.safe_mode.ladder_exhausted()

    def _rule_gone(self, incident: Incident, now: Instant) -> None:
        """End an incident whose rule the configuration no longer has; nobody can say whether its action helped."""
        self.repairs.let_go(incident, now)
        self._over(incident, None, now, by="configuration")

    def _resolve(self, incident: Incident, rule: Rule, now: Instant) -> None:
        self._over(incident, rule, now, by="engine" if self.repairs.verified(incident, now) else "itself")

    def _over(self, incident: Incident, rule: Rule | None, now: Instant, *, by: str) -> None:
        over = transitions.resolved(incident, by, now)
        self._parts.book.put(over)
        self.repairs.ask_no_more(incident, now)
        self._parts.journal.forget(incident.key)
        self._parts.escalation.resolved(over, rule, now)
        self._ask_again.pop(incident.key, None)
        # What waited for it need not wait until it is asked again.
        for key in {*self._dependents.get(incident.key, ()), *self._parts.causes.dependents(incident.key)}:
            if (waited := self._parts.book.get(key)) is not None:
                self._parts.book.put(transitions.released(waited, Reason.DEPENDENCY_DOWN))
                self._ask_again[key] = now.steady

    def look_soon(self, key: str) -> None:
        """Decide about a key at the next turn whatever was said about waiting: something about it changed."""
        self._ask_again[key] = self._parts.clock.now().steady

    def forget_waits(self, lifted: Reason | None = None) -> None:
        """Decide about everything anew at the next turn: a brake was set or lifted (R13).

        What a person `lifted` is no reason any more to leave an incident to people.
        """
        now = self._parts.clock.now()
        for incident in self._parts.book.of_agent(self.agent.name):
            self._ask_again[incident.key] = now.steady
            again = transitions.readmitted(incident, lifted, now) if lifted is not None else incident
            if again is not incident:
                self._parts.book.put(again)

    def _make_durable(self) -> None:
        """Make what this turn wrote durable: at once, or soon where it has begun an action."""
        began_one, self._began_one = self._began_one, False
        if began_one:
            asyncio.get_running_loop().call_later(DURABLE_AFTER_A_START, self._commit)
        else:
            self._commit()

    def _commit(self) -> None:
        try:
            self._parts.store.commit()
        except StoreError as error:
            self._parts.safe_mode.store_failed(str(error))
