"""Every decision is written down, also each "no"; an unchanged "no" only once, so that it does not fill the disk."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from zen_agents.clock import Instant
from zen_agents.model.action import Intent, Outcome, OutcomeKind
from zen_agents.model.decision import Decision
from zen_agents.model.entry import Entry, EntryKind
from zen_agents.model.ids import DECISION, new_id
from zen_agents.model.incident import Incident
from zen_agents.model.principal import Principal
from zen_agents.model.redaction import Redaction
from zen_agents.model.verdict import Answer, Ruling, Verdict
from zen_agents.ports.store import Store

log = logging.getLogger("zen_agents")
#: What was meant, done and told: shown on a terminal without -v.
done = logging.getLogger("zen_agents.done")

#: What a ruling is called where people read it (interface vocabulary).
OUTCOME_WORDS = {Ruling.ALLOW: "act", Ruling.HOLD: "ask", Ruling.SIMULATE: "skip", Ruling.DENY: "skip"}


_RULING_WORDS = {ruling: ruling.name.lower() for ruling in Ruling}
#: Too long for a log line; `zen-agents why ID` shows them.
_IN_THE_LEDGER_ALONE = frozenset({"guards", "plan"})


#: What is logged is called so by collectors; human acts and what the engine does about itself have a name of their own.
_EVENTS = {EntryKind.DECISION: "zen_agents.decision.made", EntryKind.ALERT: "zen_agents.alert.told"}


class ActionLog(Protocol):
    """The plain-text log of intents, outcomes and human acts that is read without Python."""

    def write(
        self, at: Instant, kind: str, id: str, *, action: str, target: str, by: str, outcome: str, detail: str
    ) -> None:
        """Append one line; never raises: the ledger is the truth."""
        ...


class Journal:
    """Writes entries into the store's pending batch, and a structured log line for each, or one for many."""

    def __init__(self, store: Store, action_log: ActionLog, redaction: Redaction | None = None) -> None:
        self._store = store
        #: What is left out of everything that is written.
        self.redaction = redaction or Redaction()
        store.redact_with(self.redaction)
        self._action_log = action_log
        #: Incident key -> what was last written about it, and the lost batches of which that takes account.
        self._last: dict[str, tuple[Any, ...]] = {}
        self._lost_batches = store.lost_batches()
        #: Decisions without a log line of their own, since the last summing up.
        self._many = 0

    def decided(
        self, incident: Incident, decision: Decision, verdict: Verdict | None = None, *,
        plan: Mapping[str, Any] | None = None, one_of_many: bool = False, origin: str = "",
    ) -> str | None:  # fmt: skip
        """Write a decision with every guard's answer; return its id, or None if nothing changed since the last one.

        `origin` is where the rule stands in the configuration. For `one_of_many` that share their reason there is one log
        line together: `sum_up`.
        """
        deciding = verdict.deciding if verdict else None
        reason = deciding.reason if deciding and deciding.reason else decision.reason
        # An attempt is always news; a wait or refusal only when its kind, cause or guard changed.
        gist = (incident.id, decision.kind, reason, deciding.guard if deciding else "", incident.attempts, incident.rung)
        if self._is_written(incident.key, gist):
            return None
        id = new_id(DECISION)
        outcome = OUTCOME_WORDS[verdict.ruling] if verdict else _word(decision)
        body: dict[str, Any] = {
            "rule": incident.rule,
            "target": incident.target,
            "outcome": outcome,
            "reason": reason.value,
            "detail": decision.detail,
            "seen": incident.detail,
            "status": incident.last_status.value,
            "value": incident.value,
        }
        if origin:
            body["origin"] = origin
        if decision.request:
            body["action"] = decision.request.action
        if verdict:
            body["guards"] = [answer_body(answer) for answer in verdict.answers]
        if plan is not None:
            body["plan"] = plan
        entry = Entry(EntryKind.DECISION, id, decision.at, incident.agent, incident.id, None, self.redaction.value(body))
        if one_of_many:
            self._store.append(entry)
            self._many += 1
        else:
            self._append(entry)
        self._last[incident.key] = gist
        return id

    def _is_written(self, key: str, gist: tuple[Any, ...]) -> bool:
        """Tell whether this was the last that was written of a key; what went with a lost batch never was."""
        if self._lost_batches != self._store.lost_batches():
            self._lost_batches = self._store.lost_batches()
            self._last.clear()
        return self._last.get(key) == gist

    def sum_up(self) -> None:
        """Log in one line how many decisions had none of their own since the last time."""
        if self._many:
            log.info("%d decisions that share one reason are in the ledger: zen-agents decisions", self._many)
            self._many = 0

    def forget(self, key: str) -> None:
        """Let the next decision about this key be written whatever it is; called when its incident is over."""
        self._last.pop(key, None)

    def intended(self, intent: Intent) -> None:
        """Write the plain log line of an intent; the store's `reserve` has written the ledger entry."""
        request = intent.plan.request
        self._line(intent.reserved_at, "INTENT", intent, "-", request.because or "; ".join(intent.plan.steps))

    def ended(self, intent: Intent, outcome: Outcome) -> None:
        """Write the plain log line of an outcome; the store's `finish` has written the ledger entry."""
        self._line(outcome.at, "OUTCOME", intent, outcome.kind.value, outcome.effect.detail)

    def human(self, at: Instant, who: Principal, what: str, body: Mapping[str, Any], *, incident: str | None = None) -> None:
        """Write what a person did."""
        body = self.redaction.value(body)
        self._append(Entry(EntryKind.HUMAN, what, at, who.name, incident, None, {"uid": who.uid, **body}))
        self._action_log.write(
            at, "HUMAN", what, action=what, target=str(body.get("scope") or body.get("target") or "host"), by=who.name,
            outcome="-", detail=str(body.get("reason", "")),
        )  # fmt: skip

    def engine(self, at: Instant, what: str, *, incident: str | None = None, **body: Any) -> None:
        """Write what the engine did about itself: start, stop, reload, safe mode, agent states, questions to people."""
        self._append(Entry(EntryKind.ENGINE, what, at, "engine", incident, None, self.redaction.value(body)))

    def alerted(self, at: Instant, id: str, body: Mapping[str, Any], *, incident: str | None) -> None:
        """Write that people were told."""
        body = self.redaction.value(body)
        done.info("told: %s", body.get("summary", id))
        self._append(Entry(EntryKind.ALERT, id, at, "engine", incident, None, body))

    def _append(self, entry: Entry) -> None:
        self._store.append(entry)
        if log.isEnabledFor(logging.INFO):
            gist = {name: value for name, value in entry.body.items() if name not in _IN_THE_LEDGER_ALONE}
            told = {"id": entry.id, "actor": entry.actor, "incident": entry.incident, **gist}
            event = _EVENTS.get(entry.kind) or f"zen_agents.{entry.kind.value}.{entry.id}"
            log.info("%s %s", entry.kind.value, entry.id, extra={"zen": told, "event": event})

    def _line(self, at: Instant, kind: str, intent: Intent, outcome: str, detail: str) -> None:
        request, detail = intent.plan.request, self.redaction.text(detail)
        word = outcome.upper() if kind == "OUTCOME" else "starts"
        facts = {"action_id": intent.id, "action": request.action, "target": request.target, "rule": request.rule,
                 "incident": request.incident, "outcome": outcome}  # fmt: skip
        event = "started" if kind == "INTENT" else "finished" if OutcomeKind(outcome).is_final else "executed"
        extra = {"zen": facts, "event": f"zen_agents.action.{event}"}
        done.info("%s  %s %s %s: %s", intent.id, request.action, request.target, word, detail, extra=extra)
        self._action_log.write(
            at, kind, intent.id, action=request.action, target=request.target, by=request.requested_by.name,
            outcome=outcome, detail=detail,
        )  # fmt: skip


def answer_body(answer: Answer) -> dict[str, Any]:
    """Return a guard's answer as plain JSON, without what is empty."""
    body: dict[str, Any] = {"guard": answer.guard, "ruling": _RULING_WORDS[answer.ruling]}
    if answer.reason is not None:
        body["reason"] = answer.reason.value
    if answer.value:
        body["value"] = answer.value
    if answer.origin:
        body["origin"] = answer.origin
    if answer.until is not None:
        body["until"] = answer.until
    return body


def _word(decision: Decision) -> str:
    return {"act": "act", "escalate": "alert", "resolve": "resolve", "fail_rung": "failed"}.get(decision.kind.value, "skip")
