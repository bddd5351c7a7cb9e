"""Level 3: telling people, once for each fact, with what they need to act."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from zen_agents.alerts.facts import Facts
from zen_agents.clock import Clock, Instant
from zen_agents.engine.journal import Journal
from zen_agents.engine.rivals import MOST_TURNS, Turn
from zen_agents.model.action import Intent, Outcome, OutcomeKind
from zen_agents.model.approval import Approval
from zen_agents.model.duration import duration
from zen_agents.model.ids import ALERT, new_id
from zen_agents.model.incident import Incident
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.reason import Reason
from zen_agents.model.severity import Severity
from zen_agents.ports.notifier import Notifier
from zen_agents.ports.store import ActionRow, Store
from zen_agents.rules.rule import Rule

log = logging.getLogger("zen_agents.escalation")

#: Reasons that no quiet hours and no no_alerts window hold back.
URGENT = frozenset({Reason.UNKNOWN_OUTCOME, Reason.SAFE_MODE, Reason.EMERGENCY_STOP, Reason.APPROVAL_PENDING})


class Escalation:
    """Turns what happened into messages; how they are sent is the notifier's."""

    def __init__(
        self, *, notifier: Notifier, store: Store, journal: Journal, clock: Clock, host_name: str,
        mode_line: Callable[[], str],
    ) -> None:  # fmt: skip
        self._notifier, self._store, self._journal, self._clock = notifier, store, journal, clock
        self._host_name = host_name
        #: One line about mode and budget for the foot of a message.
        self._mode_line = mode_line
        #: Set while the storm brake is open: one message told it all.
        self.storm = False

    def holds_back(self, reason: Reason) -> bool:
        """Tell whether an incident is not told now: within a storm, unless it is urgent."""
        return self.storm and reason not in URGENT

    def incident(
        self, incident: Incident, rule: Rule | None, reason: Reason, at: Instant, *, next_step: str = "",
        explained: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Tell that an incident needs a person, and in the same message what is down for its sake (`explained`)."""
        facts = self._facts(incident, rule, next_step or self._what_next(incident, reason))
        facts["explains"] = list(explained)
        self._tell(
            MessageKind.FIRING, incident.severity, at, incident.key, self._summary(incident, reason), facts,
            incident=incident, urgent=reason in URGENT,
        )  # fmt: skip

    def approval(self, asked: Approval, incident: Incident | None, rule: Rule | None, at: Instant) -> None:
        """Ask people whether this may be done, with the command that answers."""
        what = f"{asked.action} {asked.target}"
        wait = f"Nothing, until somebody answers; after {duration(asked.expires_at - at.steady)} that means no."
        summary = f"{self._host_name}: may {what} be done? {asked.because}".rstrip() + f" ({asked.incident or asked.id})"
        facts: Facts = self._facts(incident, rule, wait) if incident else {"why": asked.because, "next": wait}
        facts["approval"] = asked.id
        facts["asks"] = [*(str(step) for step in asked.plan.get("steps", ())), _stakes(asked)]
        severity = incident.severity if incident else Severity.WARNING
        key = incident.key if incident else f"approval|{asked.action}|{asked.target}"
        self._tell(MessageKind.FIRING, severity, at, key, summary, facts, incident=incident, urgent=True)

    def resolved(self, incident: Incident, rule: Rule | None, at: Instant) -> None:
        """Tell that an incident is over, if people had been told that it began."""
        if incident.escalated_for is None:
            return
        seconds = at.steady - incident.began_at.steady
        summary = f"{self._host_name}: {_subject(incident)} recovered after {duration(seconds)} ({incident.id})"
        facts = self._facts(incident, rule, "Nothing; it is over.")
        facts["state"] = f"RECOVERED after {duration(seconds)}, by {_by(incident)}."
        self._tell(MessageKind.RESOLVED, incident.severity, at, incident.key, summary, facts, incident=incident)

    def changed(self, intent: Intent, outcome: Outcome) -> None:
        """Tell that an action was done: a change event and a line of the digest, no page."""
        request = intent.plan.request
        summary = f"{self._host_name}: {request.action} {request.target} -> {outcome.kind.value} ({intent.id})"
        facts: Facts = {
            "action": intent.id, "did": [self._did_line(row) for row in self._rows(intent.id)], "why": request.because,
            "outcome": outcome.kind.value, "by": request.requested_by.name,
        }  # fmt: skip
        message = Message(
            id=new_id(ALERT), kind=MessageKind.CHANGE, severity=Severity.INFO, at=outcome.at,
            dedup_key=self._key(f"change|{intent.id}"), summary=summary, facts=facts, incident=request.incident,
            agent=request.agent, rule=request.rule or "", target=request.target,
        )  # fmt: skip
        self._send(message)

    def keeps_coming_back(self, incident: Incident, rule: Rule, at: Instant, times: int) -> None:
        """Tell that the same fault was repaired again and again."""
        summary = f"{self._host_name}: {_subject(incident)} keeps coming back, repaired {times} times ({incident.id})"
        facts = self._facts(incident, rule, "Look for the cause: repairing it again only hides it.")
        self._tell(MessageKind.FIRING, Severity.WARNING, at, f"{incident.key}|recurs", summary, facts, incident=incident)

    def fought_over(self, incident: Incident, rule: Rule, at: Instant, turns: Sequence[Turn], calm_seconds: float) -> None:
        """Tell that somebody else undoes what the engine does, with both sides.

        It is a fact of its own: that the target is well again, which may be the other one's doing, does not take it back.
        """
        wait = f"The engine leaves it alone, for {duration(calm_seconds)} at least. Find who else changes it; let one do it."
        facts = self._facts(incident, rule, wait)
        facts["fight"] = [line for turn in turns[-MOST_TURNS:] for line in turn.lines]
        what = f"somebody else undid the last {len(turns)} repairs. {Reason.RECURRENCE.sentence}"
        summary = f"{self._host_name}: {_subject(incident)}: {what} ({incident.id})"
        self._tell(
            MessageKind.FIRING, incident.severity, at, _fight(incident.target), summary, facts, incident=incident
        )  # fmt: skip

    def fight_over(self, target: str, by: str, at: Instant) -> None:
        """Tell that a person let the engine act again on what was fought over."""
        summary = f"{self._host_name}: {target.partition(':')[2]} is no longer fought over, says {by}"
        self._tell(MessageKind.RESOLVED, Severity.INFO, at, _fight(target), summary, {"state": summary})

    def engine(self, what: str, detail: str, at: Instant, *, severity: Severity = Severity.CRITICAL) -> None:
        """Tell something about the engine itself: safe mode, emergency stop, configuration not applied."""
        summary = f"{self._host_name}: zen-agents {what.replace('_', ' ')}: {detail}"
        facts: Facts = {"state": f"{what.replace('_', ' ').upper()}: {detail}", "why": detail, "mode": self._mode_line()}
        self._tell(MessageKind.ENGINE, severity, at, f"engine|{what}", summary, facts, urgent=True)

    def engine_resolved(self, what: str, detail: str, at: Instant) -> None:
        """Tell that a state of the engine itself is over."""
        summary = f"{self._host_name}: zen-agents {what.replace('_', ' ')} is over: {detail}"
        self._tell(MessageKind.RESOLVED, Severity.INFO, at, f"engine|{what}", summary, {"state": summary}, urgent=True)

    def _tell(
        self, kind: MessageKind, severity: Severity, at: Instant, key: str, summary: str, facts: Facts, *,
        incident: Incident | None = None, urgent: bool = False,
    ) -> None:  # fmt: skip
        message = Message(
            id=new_id(ALERT), kind=kind, severity=severity, at=at, dedup_key=self._key(key), summary=summary, facts=facts,
            incident=incident.id if incident else None, agent=incident.agent if incident else "",
            rule=incident.rule if incident else "", target=incident.target if incident else "", urgent=urgent,
        )  # fmt: skip
        try:
            asked = {"approval": facts["approval"]} if "approval" in facts else {}
            self._journal.alerted(
                at, message.id, {"kind": kind.value, "summary": summary, **asked}, incident=message.incident
            )
        except Exception as error:  # telling people goes on when writing is broken (R15)
            log.error("the ledger does not take an alert: %s", error)
        self._send(message)

    def _send(self, message: Message) -> None:
        try:
            self._notifier.tell(message)
        except Exception:  # a notifier's fault never reaches the tick (R15)
            log.exception("a message could not be handed over: %s", message.summary)

    def _key(self, key: str) -> str:
        return f"{self._host_name}/{key}"

    def _summary(self, incident: Incident, reason: Reason) -> str:
        bad = duration(self._clock.now().steady - incident.began_at.steady)
        tried = f", {incident.attempts or 'no'} repair{'s' if incident.attempts != 1 else ''} tried"
        return f"{self._host_name}: {_subject(incident)} bad for {bad}{tried}: {reason.sentence} ({incident.id})"

    def _facts(self, incident: Incident, rule: Rule | None, next_step: str) -> Facts:
        rows = self._rows_of(incident)
        return {
            "state": f"{incident.detail or incident.last_status.value}",
            "since": incident.began_at.wall.isoformat(),
            "did": [self._did_line(row) for row in rows],
            "why": rule.summary if rule else "",
            "next": next_step,
            "runbook": rule.runbook if rule else "",
            "origin": rule.origin if rule else "",
            "undo": [row.id for row in rows if row.effect.get("undo") and row.kind is not OutcomeKind.UNDONE],
            "lasting": [row.action for row in rows if row.plan.get("reversible") == "no"],
            "mode": self._mode_line(),
        }

    def _rows_of(self, incident: Incident) -> list[ActionRow]:
        try:
            return list(reversed(self._store.actions(incident=incident.id, limit=10)))
        except Exception as error:  # the message goes out without this list (R15)
            log.error("the actions of %s cannot be read: %s", incident.id, error)
            return []

    def _rows(self, id: str) -> list[ActionRow]:
        try:
            row = self._store.action(id)
        except Exception as error:  # as above
            log.error("%s cannot be read: %s", id, error)
            return []
        return [row] if row else []

    def _did_line(self, row: ActionRow) -> str:
        detail = str(row.effect.get("detail", ""))
        began = row.reserved_at.wall.isoformat(timespec="seconds")
        return f"{began}  {row.action} {row.target} -> {row.kind.value.upper()}  {row.id}  {detail}".rstrip()

    def _what_next(self, incident: Incident, reason: Reason) -> str:
        if reason in (Reason.LADDER_EXHAUSTED, Reason.UNKNOWN_OUTCOME, Reason.RECURRENCE, Reason.FLAPPING):
            return "The engine does nothing more about this; a person is needed."
        if reason is Reason.NO_ACTION:
            return "Nothing; this rule only tells."
        if reason is Reason.APPROVAL_DENIED:
            return "The engine only watches; run it by hand if it is wanted after all."
        if reason is Reason.UNKNOWN_TOO_LONG:
            return "The engine keeps asking; it does nothing while it cannot tell."
        refused = incident.refused_for
        return f"The engine asks again; it was refused: {refused.sentence}" if refused else "The engine keeps watching."


def _fight(target: str) -> str:
    return f"fight|{target}"


def _subject(incident: Incident) -> str:
    name = incident.target if incident.target != "host" else incident.rule.rpartition(".")[2]
    return name.partition(":")[2] or name


def _stakes(asked: Approval) -> str:
    plan = asked.plan
    warning = f"; {plan['warning']}" if plan.get("warning") else ""
    people = ", two people have to agree" if asked.needed > 1 else ""
    return f"risk {plan.get('risk')}, reversible {plan.get('reversible')}{people}{warning}"


def _by(incident: Incident) -> str:
    return {"engine": "the engine", "itself": "itself, not by the engine"}.get(incident.resolved_by, incident.resolved_by)
