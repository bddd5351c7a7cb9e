"""What is done about an agent's incidents in one turn: one after the other, the worst first, each is decided about."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from zen_agents.clock import Instant
from zen_agents.engine.blindness import Blindness
from zen_agents.engine.causes import MUTED_FOR, Mute
from zen_agents.engine.endings import Endings
from zen_agents.engine.judging import AsOf
from zen_agents.engine.outlook import LATE_ANSWERS, Outlook
from zen_agents.engine.parts import A_BATCH, A_TURN, Parts
from zen_agents.engine.planned_hours import PlannedHours
from zen_agents.engine.repairs import ASK_AGAIN_SECONDS, Repairs
from zen_agents.engine.storm import Storm
from zen_agents.errors import StoreError
from zen_agents.guards.base import Situation
from zen_agents.model.decision import Decision, DecisionKind
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.observation import Status
from zen_agents.model.reason import Reason
from zen_agents.ports.host import HostView
from zen_agents.rules.decide import decide
from zen_agents.rules.hysteresis import is_flapping
from zen_agents.rules.inhibition import worst_first
from zen_agents.rules.rule import Rule

#: While an action is verified, what it should have mended is looked at again after as long as it has been done, but not
#: sooner than the first of these (seconds) and no later than the second.
VERIFY_SOONEST, VERIFY_EVERY = 0.01, 1.0
#: While an action runs, what it is to mend is looked at no sooner than after this (seconds): each look would take from the
#: host what the action needs of it, systemd's attention for one.
REPAIRED_UNDISTURBED = 1.0

#: Decisions by which the action of an incident has ended.
_JUDGES = (DecisionKind.RESOLVE, DecisionKind.FAIL_RUNG)


class Deciding:
    """Decides for one agent, and has done what was decided."""

    def __init__(self, parts: Parts, outlook: Outlook) -> None:
        self._parts, self._outlook = parts, outlook
        # The repairs under way outlive a reload, the watchlist does not.
        self.repairs = Repairs(parts, outlook.rule_of, outlook.hurry)
        self._endings = Endings(parts, outlook, self.repairs)
        self._storm, self._blindness, self._planned_hours = Storm(parts), Blindness(parts), PlannedHours(parts)
        #: True once the present turn, or the last that decided, has begun an action.
        self.began_one = False
        #: True while those are decided about whom the storm brake holds back together.
        self._held_back = False
        #: What guards were last told.
        self._as_of: AsOf
        #: True while those are decided about whose plans were made ahead: nothing is waited for between them.
        self._is_planned_ahead = False

    def schedule_is_due(self, now: Instant) -> None:
        """Have what waits for this moment decided in this turn, whether or not anything else is new about it."""
        agent = self._outlook.agent
        self._planned_hours.due(now)
        if agent.planned:
            self._outlook.again.update((incident.key, now.steady) for incident in self._parts.book.of_agent(agent.name))

    async def decide_all(self, view: HostView) -> None:
        """Decide about every incident that is due, and start what is allowed."""
        parts, self.began_one = self._parts, False
        now = parts.clock.now()
        waiting = self._waiting(now)
        # That a storm, or blindness, is over is seen also when nothing is left of it.
        if not waiting and not parts.escalation.storm and not self._blindness.is_told:
            return
        self._blindness.look(parts.book.of_agent(self._outlook.agent.name), self._outlook.watchlist.targets, now)
        self._as_of = AsOf(now, self.situation(now))
        for start in range(0, len(waiting), A_TURN):
            turn = [incident for key in waiting[start : start + A_TURN] if (incident := parts.book.get(key)) is not None]
            # In a storm the worst are judged one by one, with every guard's answer; the rest share what holds them all.
            self._held_back = parts.escalation.storm and start >= A_BATCH
            self._is_planned_ahead = False
            if len(waiting) > A_TURN and not self._held_back:
                made = await self.repairs.plan_ahead(turn, view, now)
                now = self._present().now
                self._is_planned_ahead = made
            for due_one in turn:
                # While others were planned for, it may have changed: a person took it, or its action ended.
                incident = parts.book.get(due_one.key)
                if incident is not None:
                    await self._decide_one(incident, view, now)
            if start % A_BATCH == A_BATCH - A_TURN:
                parts.commit()
            await asyncio.sleep(0)
        parts.journal.sum_up()
        parts.planning.forget()

    def _waiting(self, now: Instant) -> list[str]:
        """Return the keys of the incidents to decide about now, the worst first; of thousands none is kept as it was."""
        live = self._parts.book.of_agent(self._outlook.agent.name)
        due = [incident for incident in live if self._outlook.again.get(incident.key, 0.0) <= now.steady]
        return [incident.key for incident in worst_first(due)]

    def situation(self, now: Instant) -> Situation:
        """Return what guards may know besides the incident at hand; the storm brake is set or lifted by it."""
        parts = self._parts
        situation = parts.book.situation(
            parts.policy, now, actionable=parts.actionable, running=parts.executor.running, foreign=parts.foreign,
            log_only=self._outlook.log_only,
        )  # fmt: skip
        parts.escalation.storm = self._storm.look(situation, now)
        return situation

    def _present(self) -> AsOf:
        """Return what guards may know now; actions that this very turn has started count as well."""
        if self._is_planned_ahead:
            return replace(self._as_of, situation=replace(self._as_of.situation, running=self._parts.executor.running))
        now = self._parts.clock.now()
        self._as_of = AsOf(now, self.situation(now))
        return self._as_of

    async def _decide_one(self, incident: Incident, view: HostView, now: Instant) -> None:
        rule = self._outlook.rule_of(incident.key)
        if rule is None:
            self._endings.rule_gone(incident, now)
        else:
            self._outlook.again[incident.key] = await self._decide_on(incident, rule, view, now)

    async def _decide_on(self, incident: Incident, rule: Rule, view: HostView, now: Instant) -> float:
        """Decide; a state that fails meanwhile costs this incident a moment and the agent nothing (R15)."""
        try:
            return await self._decide(incident, rule, view, now)
        except StoreError as error:
            self._parts.safe_mode.store_failed(str(error))
            return now.steady + VERIFY_EVERY

    async def _decide(self, incident: Incident, rule: Rule, view: HostView, now: Instant) -> float:
        """Decide about one incident and do what was decided; return when to decide again (steady)."""
        opened = self._parts.book.openings(incident.key, now.steady - rule.flapping.within_seconds)
        flapping = is_flapping(opened, rule.flapping, now)
        decision = self._unless_it_acts_still(incident, decide(incident, rule, now, flapping=flapping), now)
        if self._outlook.awaits(incident, rule, decision):
            decision = Decision(DecisionKind.WAIT, Reason.LOOKING, now, again_at=now.steady + ASK_AGAIN_SECONDS)
        decision = self._unless_muted(incident, rule, decision, now)
        if decision.kind is DecisionKind.ACT:
            decision = self._planned_hours.wait(self._outlook.agent, rule.ladder[incident.rung], now) or decision
        if decision.kind is DecisionKind.ACT and self._held_back:
            return self.repairs.hold_back(incident, self._as_of.situation, now)
        if decision.kind is DecisionKind.ACT:
            decision = await self._unless_it_is_looked_at(incident, rule, decision, view)
        self._parts.book.write(incident.key)
        if decision.kind is DecisionKind.ACT:
            return await self._act(incident, rule, decision, view=view, now=now)
        return self._do_nothing_to_the_host(incident, rule, decision, now)

    def _unless_it_acts_still(self, incident: Incident, decision: Decision, now: Instant) -> Decision:
        """Return the decision, or to wait where it would judge an action that still runs: that is judged when it ends.

        While a host is suspended deadlines pass, and what an action may take does not.
        """
        if decision.kind not in _JUDGES or not incident.action or not self._parts.executor.runs(incident.action):
            return decision
        again_at = now.steady + VERIFY_EVERY
        return Decision(DecisionKind.WAIT, Reason.SETTLING, now, "its action still runs", again_at=again_at)

    async def _unless_it_is_looked_at(
        self, incident: Incident, rule: Rule, decision: Decision, view: HostView
    ) -> Decision:  # fmt: skip
        """Return the decision, or to wait for what takes long to find out; others are decided about meanwhile."""
        clock, surveys = self._parts.clock, self._parts.planning.surveys

        def decide_again() -> None:
            self._outlook.hurry(incident.key, clock.now().steady)

        if all([await surveys.is_over(each, view, decide_again) for each in self.repairs.requests(incident, rule)]):
            return decision
        now = clock.now()
        return Decision(DecisionKind.WAIT, Reason.LOOKING, now, again_at=now.steady + ASK_AGAIN_SECONDS)

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
        """Return by what an incident is muted."""
        return self._parts.causes.mute(rule, incident, self._parts.book)

    async def _act(self, incident: Incident, rule: Rule, decision: Decision, *, view: HostView, now: Instant) -> float:
        outlook = self._outlook
        # Others before it may have been planned for minutes.
        is_late = self._parts.clock.now().steady - now.steady > LATE_ANSWERS
        again = await self.repairs.ask(
            incident, rule, decision, present=self._present, view=view, is_fresh=not is_late and outlook.is_fresh(rule, now)
        )
        if outlook.is_under_repair(rule):
            self.began_one = True
            until = self._parts.clock.now().steady + REPAIRED_UNDISTURBED
            outlook.watchlist.put_off(rule.key, until, where=outlook.is_under_repair)
        return again

    def _do_nothing_to_the_host(self, incident: Incident, rule: Rule, decision: Decision, now: Instant) -> float:
        """Do what was decided where that is not an action; return when to decide again (steady)."""
        self._journal(incident, decision)
        stands_back = decision.kind is DecisionKind.ESCALATE and self._parts.escalation.holds_back(decision.reason)
        if stands_back or self._blindness.tells(decision, now):
            # Told when the storm is over, if it still is broken then.
            return now.steady + ASK_AGAIN_SECONDS
        if decision.kind is DecisionKind.RESOLVE:
            self._endings.resolve(incident, rule, now)
            return float("inf")
        if decision.kind is DecisionKind.FAIL_RUNG:
            could_tell = incident.last_status is not Status.UNKNOWN
            self.repairs.rung_failed(incident, rule, now, could_tell=could_tell)
            # The next attempt needs a fresh look; without one it would be judged twice.
            self._outlook.watchlist.hurry(rule.key, now.steady)
            return now.steady
        if decision.kind is DecisionKind.ESCALATE:
            self._endings.escalate(incident, rule, decision.reason, now)
            return now.steady
        return self._wait(incident, rule, decision, now)

    def _journal(self, incident: Incident, decision: Decision) -> None:
        """Write a decision that does nothing to the host; that it cannot be written must not keep people from being told."""
        try:
            self._parts.journal.decided(incident, decision)
        except StoreError as error:
            self._parts.safe_mode.store_failed(str(error))

    def _wait(self, incident: Incident, rule: Rule, decision: Decision, now: Instant) -> float:
        """Have looked at in time what the wait is for; return when to decide again (steady)."""
        again = decision.again_at if decision.again_at is not None else float("inf")
        if incident.state is IncidentState.VERIFYING:
            if self._outlook.is_looked_at(rule, incident.settle_until):
                return min(again, now.steady + ASK_AGAIN_SECONDS)
            done_for = now.steady - incident.settle_until
            look_at = max(incident.settle_until, now.steady + min(max(done_for, VERIFY_SOONEST), VERIFY_EVERY))
            self._outlook.watchlist.hurry(rule.key, look_at)
            return min(again, look_at)
        counts_at = incident.began_at.steady + rule.hold.held_for_seconds
        if incident.state is IncidentState.SUSPECTED and incident.last_status is Status.PROBLEM and counts_at > now.steady:
            # What is looked at once an hour, or when it changes, would be known to last only an hour later.
            self._outlook.watchlist.appoint(rule.key, counts_at + VERIFY_SOONEST)
        return again
