"""From "act" to a judged outcome: asks for the action, follows it, and moves the incident along."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from zen_agents.clock import Instant
from zen_agents.engine.approvals import Approvals
from zen_agents.engine.demotion import demote
from zen_agents.engine.judged import Judged, plan_body
from zen_agents.engine.parts import Parts
from zen_agents.engine.rivals import MOST_TURNS
from zen_agents.errors import HostError, RefusedError, StalePlanError, StoreError, ZenError
from zen_agents.guards.base import Policy, Situation
from zen_agents.model.action import ActionRequest, Budget, Effect, Intent, Outcome, OutcomeKind, Plan, Reversible, Risk
from zen_agents.model.decision import Decision, DecisionKind
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling, Verdict
from zen_agents.ports.host import HostView
from zen_agents.ports.store import ActionRow, Brake, Store
from zen_agents.rules import transitions
from zen_agents.rules.decide import alternatives, decide
from zen_agents.rules.ladder import is_exhausted
from zen_agents.rules.rule import Rule

log = logging.getLogger("zen_agents.repairs")

#: A refused action is asked again no later than this (seconds), when a guard says that its answer may differ, and when the
#: rule's patience is over.
ASK_AGAIN_SECONDS = 30.0
#: What finds nothing to do (yet) may do so in a moment: it is asked again after as long as it was refused, but not sooner
#: than this (seconds).
ASK_STALE_AGAIN_SECONDS = 0.05
#: Told as "keeps coming back" from this many repairs within a day.
COMES_BACK_TIMES, COMES_BACK_WITHIN = 3, 86400.0

TARGET_CLOSED = "target_closed"
#: What is refused for these may only have to wait until another action ends.
_UNTIL_AN_ACTION_ENDS = frozenset({Reason.RATE_LIMIT, Reason.LEASE_HELD})


class Repairs:
    """Acts for the incidents of one agent."""

    def __init__(self, parts: Parts, rule_of: Callable[[str], Rule | None], hurry: Callable[[str, float], None]) -> None:
        #: `hurry` has a rule looked at, and decided about, by a steady time.
        self._parts, self._rule_of, self._hurry = parts, rule_of, hurry
        self._approvals = Approvals(parts)
        #: Intents of this agent that are not finally judged, by action id.
        self._intents: dict[str, Intent] = {}

    async def ask(
        self, incident: Incident, rule: Rule, decision: Decision, *, situation: Situation, view: HostView, now: Instant,
        is_fresh: bool,
    ) -> float:  # fmt: skip
        """Ask for the incident's action and start it if every guard agrees; return when to decide again (steady).

        What rests on an older look is not started: it is looked at first, and decided anew (R5).
        """
        parts, policy = self._parts, self._parts.policy
        judged = None
        for request in self._requests(incident, rule):
            answer = await parts.judging.judge(
                request, rule=rule, incident=incident, policy=policy, situation=situation, now=now, view=view
            )
            # What cannot even be planned says less than why the guards refused the one before.
            if judged is None or judged.plan is None or answer.plan is not None:
                judged = answer
            if answer.verdict.ruling is not Ruling.DENY:
                break
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

    async def plan_ahead(self, incidents: Sequence[Incident], view: HostView, now: Instant) -> None:
        """Make the plans of all incidents that are to be acted for in one go; in a storm, each by itself takes too long."""
        requests: list[ActionRequest] = []
        for incident in incidents:
            rule = self._rule_of(incident.key)
            if rule is not None and decide(incident, rule, now, flapping=False).kind is DecisionKind.ACT:
                requests += self._requests(incident, rule)
        if requests:
            await self._parts.planning.plan_ahead(requests, view)

    def _requests(self, incident: Incident, rule: Rule) -> Sequence[ActionRequest]:
        """Return the requests of the incident's present rung, with what is known of the attempts before them."""
        asked, unsaid = alternatives(incident, rule), self._unsaid(incident)
        return [replace(request, unsaid=unsaid) for request in asked] if unsaid else asked

    def _unsaid(self, incident: Incident) -> int:
        """Return how many attempts of the present rung ended with their engine; what cannot be read counts as begun."""
        if not incident.attempts:
            return 0
        try:
            rows = self._parts.store.actions(incident=incident.id, limit=incident.attempts)
        except StoreError as error:
            log.error("earlier attempts of %s cannot be read: %s", incident.id, error)
            return 0
        return sum(not effect_of(row).said for row in rows)

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
                again_at = min(again_at, now.steady + max(ASK_STALE_AGAIN_SECONDS, now.steady - since))
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

    def _end_unjudged(self, intent: Intent, outcome: Outcome) -> None:
        """End an action that nobody is left to verify; one that has failed has its end already, and gets no second one."""
        if not outcome.kind.is_final:
            self.judge(intent, OutcomeKind.UNKNOWN, outcome.at)
            return
        self._intents.pop(intent.id, None)
        self._parts.escalation.changed(intent, outcome)

    def _let_the_next(self, now: Instant) -> None:
        """Have decided anew, and at once, what only waited for an action to end."""
        for incident in self._parts.book:
            if incident.refused_for in _UNTIL_AN_ACTION_ENDS and self._rule_of(incident.key) is not None:
                self._hurry(incident.key, now.steady)

    def verified(self, incident: Incident, now: Instant) -> bool:
        """Judge the incident's action as verified, if it has one; True if the engine repaired it."""
        intent = self._intents.get(incident.action or "")
        if intent is None:
            # An engine that died right after it had judged it so.
            row = self._row(incident.action) if incident.action else None
            return row is not None and row.kind is OutcomeKind.VERIFIED
        self.judge(intent, OutcomeKind.VERIFIED, now)
        self._count(intent, failed=False)
        rule = self._rule_of(incident.key)
        # This one is counted by its outcome already.
        times = self._times_repaired(incident.key, now)
        # Whose repairs are undone again and again is told of as a fight, once that goes on.
        fought = len(self._parts.rivals.of(incident.target)) >= MOST_TURNS - 1
        if rule is not None and times >= COMES_BACK_TIMES and not fought:
            self._parts.escalation.keeps_coming_back(incident, rule, now, times)
        return True

    def let_go(self, incident: Incident, now: Instant) -> None:
        """Judge the action of an incident whose rule is gone as unknown; one that still runs is judged when it ends."""
        intent = self._intents.get(incident.action or "")
        if intent is not None and not self._parts.executor.runs(intent.id):
            self.judge(intent, OutcomeKind.UNKNOWN, now, "its rule is gone; nobody can verify it")

    def rung_failed(self, incident: Incident, rule: Rule, now: Instant, *, could_tell: bool) -> None:
        """Judge the incident's action as not having helped by its deadline; not being able to tell is its own outcome."""
        intent = self._intents.get(incident.action or "")
        if intent is None:
            self._fail_as_written(incident, rule, now)
        elif could_tell:
            # First, so that the count is durable together with the outcome.
            self._attempt_failed(incident, rule, intent, now)
            self.judge(intent, OutcomeKind.FAILED, now, f"still bad at the deadline: {incident.detail}")
        else:
            self.judge(intent, OutcomeKind.UNKNOWN, now, "the check could not tell by the deadline")
            self._unknown(incident, rule, intent, now)

    def _fail_as_written(self, incident: Incident, rule: Rule, now: Instant) -> None:
        """Move on from an attempt whose failure is written; an engine that died right then has not counted it."""
        row = self._row(incident.action) if incident.action else None
        failed = row is not None and row.kind in (OutcomeKind.FAILED, OutcomeKind.TIMED_OUT)
        if row is not None and failed:
            self._count(intent_of(row), failed=True)
        self._move_on(incident, rule, intent_of(row) if row is not None and failed else None, now)

    def judge(self, intent: Intent, kind: OutcomeKind, at: Instant, why: str = "") -> None:
        """Write the final outcome of an action and tell it as a change.

        What the action itself said it did stays in it, with all that undoing it needs; `why` says why it did not help.
        """
        self._intents.pop(intent.id, None)
        did = effect_of(self._row(intent.id))
        if did.ok:
            self._parts.rivals.mended(intent, at)
        ok = kind is OutcomeKind.VERIFIED or (did.ok and not why)
        effect = replace(did, ok=ok, detail="; ".join(filter(None, (why, did.detail))))
        outcome = Outcome(intent.id, kind, at, at.steady - intent.reserved_at.steady, effect)
        self._parts.executor.record(intent, outcome)
        self._parts.escalation.changed(intent, outcome)

    def _row(self, id: str) -> ActionRow | None:
        try:
            return self._parts.store.action(id)
        except StoreError as error:
            log.error("what %s said that it did cannot be read: %s", id, error)
            return None

    def _times_repaired(self, key: str, now: Instant) -> int:
        try:
            return self._parts.store.repairs(key, now.steady - COMES_BACK_WITHIN)
        except StoreError as error:
            log.error("earlier repairs of %s cannot be read: %s", key, error)
            return 0

    def _count(self, intent: Intent, *, failed: bool) -> None:
        """Count an attempt with its breaker; while that cannot be read nothing is done anyway."""
        request, breakers = intent.plan.request, self._parts.breakers
        try:
            (breakers.failed if failed else breakers.succeeded)(request.action, request.target)
        except StoreError as error:
            self._parts.safe_mode.store_failed(str(error))

    def adopt(self, row: ActionRow, incident: Incident | None, rule: Rule | None, now: Instant) -> None:
        """Take over an action that an earlier engine left unfinished: it is verified, never replayed (R16)."""
        intent = intent_of(row)
        self._intents[intent.id] = intent
        did = effect_of(row)
        why = "the engine stopped before it was verified; it is not repeated"
        effect = replace(did, detail="; ".join(filter(None, (did.detail, why))))
        self._parts.executor.record(intent, Outcome(intent.id, OutcomeKind.VERIFYING, now, row.took_seconds, effect))
        if incident is None or rule is None or not rule.ladder:
            self.judge(intent, OutcomeKind.UNKNOWN, now, "its incident or rule is gone; nobody can verify it")
            close_target(self._parts.store, intent, now)
            return
        rung = rule.ladder[min(incident.rung, len(rule.ladder) - 1)]
        self._parts.book.put(transitions.started(incident, intent.id, rung, now))
        self._hurry(rule.key, now.steady)

    def _attempt_failed(self, incident: Incident, rule: Rule, intent: Intent, now: Instant) -> None:
        self._intents.pop(intent.id, None)
        self._count(intent, failed=True)
        self._move_on(incident, rule, intent, now)

    def _move_on(self, incident: Incident, rule: Rule, failed: Intent | None, now: Instant) -> None:
        """Go to the next attempt or rung; what failed on a ladder that is used up is asked for the next time."""
        after = transitions.attempt_failed(incident, rule, now, self._parts.random)
        if failed is not None and is_exhausted(rule, after.rung):
            self._demote_all(incident, failed, now)
        self._parts.book.put(after)

    def _demote_all(self, incident: Incident, last: Intent, now: Instant) -> None:
        """Let everything that failed be asked for; a state that fails meanwhile keeps nobody from being told (R15)."""
        try:
            for action, id in self._failed_for(incident, last).items():
                demote(self._parts, incident, action, OutcomeKind.FAILED, id, now)
        except StoreError as error:
            self._parts.safe_mode.store_failed(str(error))

    def _failed_for(self, incident: Incident, last: Intent) -> dict[str, str]:
        """Return each action that failed for an incident, with the newest id; the last one is not written yet."""
        found = {row.action: row.id for row in reversed(self._parts.store.actions(incident=incident.id))
                 if row.kind in (OutcomeKind.FAILED, OutcomeKind.TIMED_OUT)}  # fmt: skip
        return found | {last.plan.request.action: last.id}

    def _unknown(self, incident: Incident, rule: Rule, intent: Intent, now: Instant) -> None:
        """Close the target to the engine and tell: one unknown outcome is one too many to go on guessing."""
        self._intents.pop(intent.id, None)
        request = intent.plan.request
        self._count(intent, failed=True)
        self._parts.book.put(transitions.outcome_unknown(incident, now))
        close_target(self._parts.store, intent, now)
        demote(self._parts, incident, request.action, OutcomeKind.UNKNOWN, intent.id, now)
        self._parts.safe_mode.outcome_unknown(request.target)
        log.error("the outcome of %s is unknown; %s is closed to the engine (rule %s)", intent.id, request.target, rule.name)


def _who_else(view: HostView) -> str:
    """Return which configuration management is at work, "" if none is, or that cannot be told."""
    try:
        return view.configuration_run()
    except HostError:
        return ""


def close_target(store: Store, intent: Intent, now: Instant) -> None:
    """Close a target to the engine until a person has looked: nobody knows what its last action did."""
    why = f"the outcome of {intent.id} is unknown"
    store.set_brake(Brake(TARGET_CLOSED, f"target:{intent.plan.request.target}", why, "engine", now, None))


def intent_of(row: ActionRow) -> Intent:
    """Return the intent that a stored action row stands for, as far as judging it needs."""
    request = ActionRequest(
        row.action, row.target, dict(row.plan.get("params") or {}), because=row.because, incident=row.incident,
        rule=row.rule, agent=row.agent,
    )  # fmt: skip
    steps, detail = tuple(row.plan.get("steps", ())), dict(row.plan.get("detail") or {})
    plan = Plan(request, steps, (), "", Risk.LOW, Reversible.NO, Budget(row.budget), detail=detail)
    return Intent(row.id, plan, row.reserved_at, row.leased_until)


def effect_of(row: ActionRow | None) -> Effect:
    """Return what a stored action said that it did; one that never said anything did not succeed."""
    told = row.effect if row is not None else {}
    return Effect(
        ok=bool(told.get("ok")),
        detail=str(told.get("detail", "")),
        before=str(told.get("before", "")),
        after=str(told.get("after", "")),
        exit_code=told.get("exit_code"),
        output=str(told.get("output", "")),
        undo=dict(told.get("undo") or {}),
        said="ok" in told and bool(told.get("said", True)),
    )


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
