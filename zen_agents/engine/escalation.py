"""Level 3: telling people, once for each fact, with what they need to act."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from zen_agents.alerts.facts import Facts
from zen_agents.clock import Instant
from zen_agents.engine.journal import Journal
from zen_agents.engine.messages import URGENT, Messages, subject_of
from zen_agents.engine.rivals import MOST_TURNS, Turn
from zen_agents.model.action import Intent, Outcome
from zen_agents.model.approval import Approval
from zen_agents.model.duration import duration
from zen_agents.model.ids import ALERT, new_id
from zen_agents.model.incident import Incident
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.reason import Reason
from zen_agents.model.severity import Severity
from zen_agents.model.way_back import way_back
from zen_agents.ports.notifier import Notifier
from zen_agents.ports.store import Store
from zen_agents.rules.rule import Rule, Window

log = logging.getLogger("zen_agents.escalation")

#: So many steps of a plan that is asked about stand in the message.
_MOST_STEPS = 5


class Escalation:
    """Turns what happened into messages; how they are sent is the notifier's."""

    def __init__(
        self, *, notifier: Notifier, store: Store, journal: Journal, host_name: str, mode_line: Callable[[], str],
        evidence: Callable[[Incident], Mapping[str, Any]] = lambda _: {},
    ) -> None:  # fmt: skip
        self._notifier, self._journal = notifier, journal
        self._messages = Messages(
            store=store, host_name=host_name, mode_line=mode_line, evidence=evidence, redaction=journal.redaction
        )
        self._message, self._host_name = self._messages.message, host_name
        #: Set while the storm brake is open: one message told it all.
        self.storm = False

    def sees(self, window: Window) -> None:
        """Tell from now on what an agent's window has of what a rule judged."""
        self._messages.windows.append(window)

    def holds_back(self, reason: Reason) -> bool:
        """Tell whether an incident is not told now: within a storm, unless it is urgent."""
        return self.storm and reason not in URGENT

    def incident(
        self, incident: Incident, rule: Rule | None, reason: Reason, at: Instant, *, next_step: str = "",
        explained: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Tell that an incident needs a person, and in the same message what is down for its sake (`explained`)."""
        self._tell(self._messages.firing(incident, rule, reason, at, next_step=next_step, explained=explained))

    def approval(self, asked: Approval, incident: Incident | None, rule: Rule | None, at: Instant) -> None:
        """Ask people whether this may be done, with the command that answers."""
        what = f"{asked.action} {asked.target}"
        wait = f"Nothing, until somebody answers; after {duration(asked.expires_at - at.steady)} that means no."
        summary = f"{self._host_name}: may {what} be done? {asked.because}".rstrip() + f" ({asked.incident or asked.id})"
        facts: Facts = self._messages.facts(incident, rule, wait, at) if incident else {"why": asked.because, "next": wait}
        facts["approval"] = asked.id
        facts["asks"] = _asks(asked)
        severity = incident.severity if incident else Severity.WARNING
        key = incident.key if incident else f"approval|{asked.action}|{asked.target}"
        self._tell(self._message(MessageKind.FIRING, severity, at, key, summary, facts, incident=incident, urgent=True))

    def may_ask(self, incident: Incident, at: Instant) -> None:
        """Say that people may be asked about an incident in a moment, while it is still judged whether they are."""
        if self.storm:
            return
        try:
            self._notifier.expect(
                Message(
                    id="", kind=MessageKind.FIRING, severity=incident.severity, at=at, dedup_key="", summary="",
                    agent=incident.agent, rule=incident.rule, target=incident.target, urgent=True,
                )
            )  # fmt: skip
        except Exception:  # as in `_send`
            log.exception("nobody got ready to ask about %s", incident.id)

    def resolved(self, incident: Incident, rule: Rule | None, at: Instant) -> None:
        """Tell that an incident is over, if people had been told that it began."""
        if incident.escalated_for is None:
            return
        self._tell(self._messages.resolved(incident, rule, at))

    def changed(self, intent: Intent, outcome: Outcome) -> None:
        """Tell that an action was done: a change event and a line of the digest, no page."""
        request = intent.plan.request
        summary = f"{self._host_name}: {request.action} {request.target} -> {outcome.kind.value} ({intent.id})"
        did = [self._messages.did_line(row) for row in self._messages.rows(intent.id)]
        facts: Facts = {
            "action": intent.id, "did": did, "why": request.because,
            "outcome": outcome.kind.value, "by": request.requested_by.name,
        }  # fmt: skip
        message = Message(
            id=new_id(ALERT), kind=MessageKind.CHANGE, severity=Severity.INFO, at=outcome.at,
            dedup_key=self._messages.key(f"change|{intent.id}"), summary=summary, facts=facts, incident=request.incident,
            agent=request.agent, rule=request.rule or "", target=request.target,
        )  # fmt: skip
        self._send(self._messages.redacted(message))

    def keeps_coming_back(self, incident: Incident, rule: Rule, at: Instant, times: int) -> None:
        """Tell that the same fault was repaired again and again."""
        summary = f"{self._host_name}: {subject_of(incident)} keeps coming back, repaired {times} times ({incident.id})"
        facts = self._messages.facts(incident, rule, "Look for the cause: repairing it again only hides it.", at)
        self._tell(
            self._message(
                MessageKind.FIRING, Severity.WARNING, at, f"{incident.key}|recurs", summary, facts, incident=incident
            )
        )

    def fought_over(self, incident: Incident, rule: Rule, at: Instant, turns: Sequence[Turn], calm_seconds: float) -> None:
        """Tell that somebody else undoes what the engine does, with both sides.

        It is a fact of its own: that the target is well again, which may be the other one's doing, does not take it back.
        """
        wait = f"The engine leaves it alone, for {duration(calm_seconds)} at least. Find who else changes it; let one do it."
        facts = self._messages.facts(incident, rule, wait, at)
        facts["fight"] = [line for turn in turns[-MOST_TURNS:] for line in turn.lines]
        what = f"somebody else undid the last {len(turns)} repairs. {Reason.RECURRENCE.sentence}"
        summary = f"{self._host_name}: {subject_of(incident)}: {what} ({incident.id})"
        self._tell(
            self._message(
                MessageKind.FIRING, incident.severity, at, _fight(incident.target), summary, facts, incident=incident
            )
        )

    def fight_over(self, target: str, by: str, at: Instant) -> None:
        """Tell that a person let the engine act again on what was fought over."""
        summary = f"{self._host_name}: {target.partition(':')[2]} is no longer fought over, says {by}"
        self._tell(self._message(MessageKind.RESOLVED, Severity.INFO, at, _fight(target), summary, {"state": summary}))

    def engine(self, what: str, detail: str, at: Instant, *, severity: Severity = Severity.CRITICAL) -> None:
        """Tell something about the engine itself: safe mode, emergency stop, configuration not applied."""
        summary = f"{self._host_name}: zen-agents {what.replace('_', ' ')}: {detail}"
        facts: Facts = {
            "state": f"{what.replace('_', ' ').upper()}: {detail}",
            "why": detail,
            "mode": self._messages.mode_line(),
        }
        self._tell(self._message(MessageKind.ENGINE, severity, at, f"engine|{what}", summary, facts, urgent=True))

    def engine_resolved(self, what: str, detail: str, at: Instant) -> None:
        """Tell that a state of the engine itself is over."""
        summary = f"{self._host_name}: zen-agents {what.replace('_', ' ')} is over: {detail}"
        self._tell(
            self._message(
                MessageKind.RESOLVED, Severity.INFO, at, f"engine|{what}", summary, {"state": summary}, urgent=True
            )
        )

    def _tell(self, message: Message) -> None:
        try:
            asked = {"approval": message.facts["approval"]} if "approval" in message.facts else {}
            self._journal.alerted(
                message.at, message.id, {"kind": message.kind.value, "summary": message.summary, **asked},
                incident=message.incident,
            )  # fmt: skip
        except Exception as error:  # telling people goes on when writing is broken (R15)
            log.error("the ledger does not take an alert: %s", error)
        self._send(message)

    def _send(self, message: Message) -> None:
        try:
            self._notifier.tell(message)
        except Exception:  # a notifier's fault never reaches the tick (R15)
            log.exception("a message could not be handed over: %s", message.summary)


def _fight(target: str) -> str:
    return f"fight|{target}"


def _asks(asked: Approval) -> list[str]:
    """Return what it could cost, then what would be done: what is too long for a message loses steps alone."""
    steps = [str(step) for step in asked.plan.get("steps", ())]
    rest = len(steps) - _MOST_STEPS
    more = [f"and {rest} more: zen-agents approvals show {asked.id}"] if rest > 0 else []
    return [_stakes(asked), *steps[:_MOST_STEPS], *more]


def _stakes(asked: Approval) -> str:
    plan = asked.plan
    warning = f"; {plan['warning']}" if plan.get("warning") else ""
    people = ", two people have to agree" if asked.needed > 1 else ""
    return f"risk {plan.get('risk')}, reversible {way_back(plan.get('reversible'))}{people}{warning}"
