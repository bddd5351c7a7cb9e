"""What came of an agent's actions: judged by the rule they were for, counted, told, and never done again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from zen_agents.clock import Instant
from zen_agents.engine.demotion import demote
from zen_agents.engine.parts import Parts
from zen_agents.engine.rivals import MOST_TURNS
from zen_agents.engine.stored_actions import effect_of, intent_of
from zen_agents.errors import StoreError
from zen_agents.model.action import Effect, Intent, Outcome, OutcomeKind
from zen_agents.model.incident import Incident
from zen_agents.ports.store import ActionRow, Brake, Store
from zen_agents.rules import transitions
from zen_agents.rules.ladder import is_exhausted
from zen_agents.rules.rule import Rule

log = logging.getLogger("zen_agents.aftermath")

#: Told as "keeps coming back" from this many repairs within a day.
COMES_BACK_TIMES, COMES_BACK_WITHIN = 3, 86400.0

TARGET_CLOSED = "target_closed"


class Aftermath:
    """Follows the actions of one agent to their outcome."""

    def __init__(self, parts: Parts, rule_of: Callable[[str], Rule | None], hurry: Callable[[str, float], None]) -> None:
        #: `hurry` has a rule looked at, and decided about, by a steady time.
        self._parts, self._rule_of, self._hurry = parts, rule_of, hurry
        #: Intents of this agent that are not finally judged, by action id.
        self._intents: dict[str, Intent] = {}

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
        """Take over an action that an earlier engine left unfinished: it is verified, never replayed (R16).

        One that has certainly not begun ends with that, and its incident is decided anew as if it had not been asked for.
        """
        intent = intent_of(row)
        if self._parts.executor.unbegun.holds(row.id):
            self._never_began(intent, incident, now)
            return
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

    def _never_began(self, intent: Intent, incident: Incident | None, now: Instant) -> None:
        effect = Effect(False, "the engine stopped before it began; nothing was done")
        self._parts.executor.record(intent, Outcome(intent.id, OutcomeKind.SKIPPED, now, 0.0, effect))
        if incident is not None and incident.action == intent.id:
            self._parts.book.put(transitions.not_begun(incident, now))

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

    def _end_unjudged(self, intent: Intent, outcome: Outcome) -> None:
        """End an action that nobody is left to verify; one that has failed has its end already, and gets no second one."""
        if not outcome.kind.is_final:
            self.judge(intent, OutcomeKind.UNKNOWN, outcome.at)
            return
        self._intents.pop(intent.id, None)
        self._parts.escalation.changed(intent, outcome)


def close_target(store: Store, intent: Intent, now: Instant) -> None:
    """Close a target to the engine until a person has looked: nobody knows what its last action did."""
    why = f"the outcome of {intent.id} is unknown"
    store.set_brake(Brake(TARGET_CLOSED, f"target:{intent.plan.request.target}", why, "engine", now, None))
