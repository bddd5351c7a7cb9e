"""From "act" to an outcome: asks for the action, starts it, and moves the incident along."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from zen_agents.clock import Instant
from zen_agents.engine.aftermath import Aftermath
from zen_agents.engine.approvals import Approvals
from zen_agents.engine.judged import Judged, plan_body
from zen_agents.engine.judging import AsOf
from zen_agents.engine.parts import Parts
from zen_agents.engine.rivals import MOST_TURNS
from zen_agents.engine.stored_actions import effect_of
from zen_agents.errors import HostError, RefusedError, StalePlanError, StoreError, ZenError
from zen_agents.guards.base import Policy, Situation
from zen_agents.model.action import ActionRequest, Intent, Outcome, OutcomeKind, Plan
from zen_agents.model.decision import Decision, DecisionKind
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling, Verdict
from zen_agents.ports.host import HostView
from zen_agents.rules import transitions
from zen_agents.rules.decide import alternatives, decide
from zen_agents.rules.rule import Rule

log = logging.getLogger("zen_agents.repairs")

#: A refused action is asked again no later than this (seconds), when a guard says that its answer may differ, and when the
#: rule's patience is over.
ASK_AGAIN_SECONDS = 30.0
#: What finds nothing to do (yet) may do so in a moment: it is asked again at once, and then after as long as it was refused,
#: but not sooner than this (seconds).
ASK_STALE_AGAIN_SECONDS = 0.05
#: What is refused for these may only have to wait until another action ends.
_UNTIL_AN_ACTION_ENDS = frozenset({Reason.RATE_LIMIT, Reason.LEASE_HELD})


class Repairs(Aftermath):
    """Acts for the incidents of one agent."""

    def __init__(self, parts: Parts, rule_of: Callable[[str], Rule | None], hurry: Callable[[str, float], None]) -> None:
        super().__init__(parts, rule_of, hurry)
        self._approvals = Approvals(parts)

    async def ask(
        self, incident: Incident, rule: Rule, decision: Decision, *, present: Callable[[], AsOf], view: HostView,
        is_fresh: bool,
    ) -> float:  # fmt: skip
        """Ask for the incident's action and start it if every guard agrees; return when to decide again (steady).

        What rests on an older look is not started: it is looked at first, and decided anew (R5).
        """
        parts, policy = self._parts, self._parts.policy
        judged, now = None, parts.clock.now()
        requests = self.requests(incident, rule)
        if self._approvals.may_be_asked(requests, incident):
            parts.escalation.may_ask(incident, now)
            # What was told so begins with the loop's next round, and most plans are made without one.
            await asyncio.sleep(0)
        for request in requests:
            answer = await parts.judging.judge(
                request, rule=rule, incident=incident, policy=policy, present=present, view=view
            )
            # What cannot even be planned says less than why the guards refused the one before.
            if judged is None or judged.plan is None or answer.plan is not None:
                # It is decided when its guards were asked: an action may end while another way is planned for.
                judged, now = answer, parts.clock.now()
            if answer.verdict.ruling is not Ruling.DENY:
                break
        decision = replace(decision, at=now)
        if judged is None:
            return now.steady + ASK_AGAIN_SECONDS
        # Something happened while it was planned, an acknowledgement or a reload for one: decide anew.
        if not self._is_unchanged(incident, policy) or self._is_fought_over(judged.plan, incident, rule, view, now):
            return now.steady
        if judged.verdict.ruling in (Ruling.ALLOW, Ruling.HOLD) and not is_fresh:
            for key in (incident.key, *parts.causes.of(rule)):
                self._hurry(key, now.steady)
            return now.steady
        if judged.verdict.ruling is Ruling.ALLOW:
            judged = await self._start(judged, incident, rule, decision, policy=policy)
        else:
            self._journal_refusal(incident, decision, judged)
        if judged.verdict.ruling is Ruling.HOLD:
            return self._hold(incident, rule, judged, now)
        if judged.verdict.ruling is not Ruling.ALLOW:
            return self._refused(incident, rule, judged, now)
        # Nothing is to be decided before the action has ended, which hurries it, or has had its time.
        started = parts.book.get(incident.key)
        return started.settle_until if started is not None else now.steady

    def _is_fought_over(self, plan: Plan | None, incident: Incident, rule: Rule, view: HostView, now: Instant) -> bool:
        """Tell whether somebody else has undone this too often; then it is left to people, who are told of both sides."""
        parts, limit = self._parts, self._parts.policy.recurrence
        undone = parts.planning.undone(plan) if plan is not None else ""
        if plan is None or not undone:
            return False
        turns = parts.rivals.seen(plan, undone, _who_else(view), now, limit)
        if len(turns) < MOST_TURNS or parts.escalation.holds_back(Reason.RECURRENCE):
            return False
        brake = parts.rivals.back_off(turns, incident.id, now, limit)
        parts.journal.decided(incident, Decision(DecisionKind.ESCALATE, Reason.RECURRENCE, now, brake.reason))
        parts.book.put(transitions.escalated(incident, Reason.RECURRENCE, now))
        parts.escalation.fought_over(incident, rule, now, turns, limit.retry_after_seconds)
        return True

    def _hold(self, incident: Incident, rule: Rule, judged: Judged, now: Instant) -> float:
        """Ask people, if they were not; return when to decide again (steady): at the end of the question at the latest."""
        assert judged.plan is not None  # noqa: S101  HOLD implies a plan
        asked = self._approvals.ask(judged.plan, now, incident=incident, rule=rule)
        present = self._parts.book.get(incident.key)
        if present is not None and present.state is not IncidentState.ESCALATED:
            self._parts.book.put(transitions.asked(present, now))
        return min(now.steady + ASK_AGAIN_SECONDS, max(asked.expires_at, now.steady + ASK_STALE_AGAIN_SECONDS))

    def ask_no_more(self, incident: Incident, now: Instant) -> None:
        """Take back what people were asked about an incident that is over."""
        if incident.escalated_for is not Reason.APPROVAL_PENDING:
            return
        try:
            self._approvals.withdraw("the incident is over", now, incident=incident.id)
        except StoreError as error:
            self._parts.safe_mode.store_failed(str(error))

    def hold_back(self, incident: Incident, situation: Situation, now: Instant) -> float:
        """Refuse for the storm alone, without a plan to ask guards about; return when to decide again (steady)."""
        failing, of = situation.failing_targets, situation.actionable_targets
        held = f"held back with all others: {failing} of {of} targets fail at once"
        self._parts.journal.decided(incident, Decision(DecisionKind.WAIT, Reason.STORM_BRAKE, now, held), one_of_many=True)
        self._parts.book.put(transitions.refused(incident, Reason.STORM_BRAKE, now))
        return now.steady + ASK_AGAIN_SECONDS

    async def plan_ahead(self, incidents: Sequence[Incident], view: HostView, now: Instant) -> bool:
        """Make the plans of all incidents that are to be acted for in one go; in a storm, each by itself takes too long.

        False if some are still to be made.
        """
        requests: list[ActionRequest] = []
        for incident in incidents:
            rule = self._rule_of(incident.key)
            if rule is not None and decide(incident, rule, now, flapping=False).kind is DecisionKind.ACT:
                requests += self.requests(incident, rule)
        return not requests or await self._parts.planning.plan_ahead(requests, view)

    def requests(self, incident: Incident, rule: Rule) -> Sequence[ActionRequest]:
        """Return the requests of the incident's present rung, with what is known of the attempts before them."""
        asked, unsaid = alternatives(incident, rule), self._unsaid(incident)
        return [replace(request, unsaid=unsaid) for request in asked] if unsaid else asked

    def _unsaid(self, incident: Incident) -> int:
        """Return how many attempts of the present rung ended with their engine; what cannot be read counts as begun."""
        if not incident.attempts:
            return 0
        try:
            rows = self._parts.store.actions(incident=incident.id)
        except StoreError as error:
            log.error("earlier attempts of %s cannot be read: %s", incident.id, error)
            return 0
        attempts = [row for row in rows if row.kind is not OutcomeKind.SKIPPED][: incident.attempts]
        return sum(not effect_of(row).said for row in attempts)

    def _is_unchanged(self, incident: Incident, policy: Policy) -> bool:
        return self._parts.book.get(incident.key) is incident and self._parts.policy is policy

    def _journal(self, incident: Incident, decision: Decision, judged: Judged) -> None:
        plan = plan_body(judged.plan) if judged.plan else None
        rule = self._rule_of(incident.key)
        origin = rule.origin if rule is not None else ""
        self._parts.journal.decided(incident, decision, judged.verdict, plan=plan, origin=origin)

    def _journal_refusal(self, incident: Incident, decision: Decision, judged: Judged) -> None:
        try:
            self._journal(incident, decision, judged)
        except StoreError as error:
            # Nothing is done, so nothing has to be written first; and that it lasts too long must still be told (R15).
            self._parts.safe_mode.store_failed(str(error))

    async def _start(self, judged: Judged, incident: Incident, rule: Rule, decision: Decision, *, policy: Policy) -> Judged:
        """Reserve and start; return the same judgement, or a refusal that only showed when it was reserved."""
        assert judged.plan is not None  # noqa: S101  ALLOW implies a plan
        rung = rule.ladder[incident.rung]
        self._journal(incident, decision, judged)
        # What else is known to fail has to outlive a crash with this intent: the storm brake counts it.
        for key in self._parts.book.unwritten():
            self._parts.book.write(key)
        try:
            intent = await self._parts.executor.reserve(
                judged.plan,
                policy=policy,
                verify_within_seconds=rung.verify_within_seconds,
                verified_by=rule.key,
                unchanged=lambda: self._is_unchanged(incident, policy),
            )
        except StoreError:
            # No refusal: an intent that cannot be written is a reason for safe mode.
            raise
        except ZenError as error:
            refusal = Judged(judged.request, judged.plan, _late_refusal(error))
            self._journal_refusal(incident, decision, refusal)
            return refusal
        self._intents[intent.id] = intent
        # Its deadline counts from its end; until that is known, from the latest end it may have.
        latest = judged.plan.timeout_seconds
        started = transitions.started(incident, intent.id, rung, intent.reserved_at, running_seconds=latest)
        self._parts.book.put(started)
        self._parts.executor.start(intent, self._done)
        return judged

    def _refused(self, incident: Incident, rule: Rule, judged: Judged, now: Instant) -> float:
        reason = judged.verdict.reason or Reason.GUARD_ERROR
        present = self._parts.book.get(incident.key)
        again_at = now.steady + ASK_AGAIN_SECONDS
        # A dry run is no refusal that people should be told of.
        if judged.verdict.ruling is not Ruling.SIMULATE and present is not None:
            refused = transitions.refused(present, reason, now)
            self._parts.book.put(refused)
            since = now.steady if refused.refused_since is None else refused.refused_since
            again_at = min(again_at, since + rule.patience_seconds)
            if reason is Reason.STALE_PLAN:
                again_at = min(again_at, _after_stale(now.steady, since))
        if reason in _UNTIL_AN_ACTION_ENDS and self._parts.executor.last_ended_at > now.steady:
            # It ended while this was being judged, and nobody waited for it yet.
            return now.steady
        deciding = judged.verdict.deciding
        return min(again_at, deciding.until) if deciding and deciding.until and deciding.until > now.steady else again_at

    def _done(self, intent: Intent, outcome: Outcome) -> None:
        """Called by the executor in the loop, when the action itself has ended."""
        key = _key(intent)
        incident, rule = self._parts.book.get(key), self._rule_of(key)
        if incident is None or rule is None or incident.action != intent.id:
            # The rule is gone (reload) or it cleared meanwhile: nothing is left to judge it by.
            self._end_unjudged(intent, outcome)
        elif outcome.kind is OutcomeKind.VERIFYING:
            rung = rule.ladder[min(incident.rung, len(rule.ladder) - 1)]
            self._parts.book.put(transitions.started(incident, intent.id, rung, outcome.at))
            self._hurry(key, outcome.at.steady + rung.settle_seconds)
            self._let_the_next(outcome.at)
            return
        else:
            self._parts.escalation.changed(intent, outcome)
            if outcome.kind is OutcomeKind.UNKNOWN:
                self._unknown(incident, rule, intent, outcome.at)
            else:
                self._attempt_failed(incident, rule, intent, outcome.at)
        self._hurry(key, outcome.at.steady)
        self._let_the_next(outcome.at)

    def _let_the_next(self, now: Instant) -> None:
        """Have decided anew, and at once, what only waited for an action to end."""
        for incident in self._parts.book:
            if incident.refused_for in _UNTIL_AN_ACTION_ENDS and self._rule_of(incident.key) is not None:
                self._hurry(incident.key, now.steady)


def _who_else(view: HostView) -> str:
    """Return which configuration management is at work, "" if none is, or that cannot be told."""
    try:
        return view.configuration_run()
    except HostError:
        return ""


def _after_stale(now: float, since: float) -> float:
    """Return when to plan again for a target that was another one a moment later, as one that was just killed often is."""
    return now + max(ASK_STALE_AGAIN_SECONDS, now - since) if now > since else now


def _key(intent: Intent) -> str:
    return intent.verified_by


def _late_refusal(error: ZenError) -> Verdict:
    if isinstance(error, StalePlanError):
        reason = Reason.STALE_PLAN
    elif isinstance(error, RefusedError) and error.reason:
        reason = Reason(error.reason)
    else:
        reason = Reason.GUARD_ERROR
    return Verdict(Ruling.DENY, reason, (Answer("reserve", Ruling.DENY, reason, str(error)),))
