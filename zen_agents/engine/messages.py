"""What is told about an incident or an action, put into a message; whom it reaches is the notifier's."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

from zen_agents.alerts.facts import Facts
from zen_agents.clock import Instant
from zen_agents.errors import StoreError
from zen_agents.guards.base import Policy
from zen_agents.model.action import Budget, OutcomeKind
from zen_agents.model.duration import duration
from zen_agents.model.ids import ALERT, new_id
from zen_agents.model.incident import Incident
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.observation import Observation, lines_in
from zen_agents.model.reason import Reason
from zen_agents.model.redaction import Redaction
from zen_agents.model.severity import Severity
from zen_agents.ports.store import ActionRow, Store
from zen_agents.rules.rule import Rule, Window

if TYPE_CHECKING:
    from zen_agents.rules.correlation import Related

log = logging.getLogger("zen_agents.escalation")

#: Reasons that no quiet hours and no no_alerts window hold back.
URGENT = frozenset({Reason.UNKNOWN_OUTCOME, Reason.SAFE_MODE, Reason.EMERGENCY_STOP, Reason.APPROVAL_PENDING})

#: What was done within this long before (seconds) may have to do with it, and so much of what may is told.
_LATELY, _MOST_RELATED = 86_400.0, 4
#: Of so many incidents a minute it is told what belongs to them, and so much of each.
_MOST_CORRELATED, _MOST_BELONG = 6, 2
#: So many actions of one incident are counted, and the newest so many of them told one by one.
_MOST_COUNTED, _MOST_DID = 50, 6
#: Of so much of what a rule reads the recent past is told, drawn from so many that are kept: a state is where it changes.
_MOST_SIGNALS, _MOST_SEEN = 3, 64
#: Never ran, so nothing was tried.
_NOT_TRIED = frozenset({OutcomeKind.DENIED, OutcomeKind.EXPIRED, OutcomeKind.SKIPPED})


class Messages:
    """Composes messages from what the store knows; tells nobody and writes nothing."""

    def __init__(
        self, *, store: Store, host_name: str, mode_line: Callable[[], str],
        evidence: Callable[[Incident], Mapping[str, Any]] = lambda _: {}, redaction: Redaction | None = None,
    ) -> None:  # fmt: skip
        """Compose for this host.

        Args:
            store: The state.
            host_name: What messages call the host.
            mode_line: Returns one line about mode and budget for the foot of a message.
            evidence: Returns the facts that were taken before an incident was repaired.
            redaction: What is left out.
        """
        self._store, self.host_name, self.mode_line = store, host_name, mode_line
        self._evidence, self._redaction = evidence, redaction or Redaction()
        #: When it was looked for what belongs to an incident, the last times.
        self._correlated_at: deque[float] = deque(maxlen=_MOST_CORRELATED)
        #: What the agents saw last; without any, only what is kept of it is told.
        self.windows: list[Window] = []

    def firing(
        self, incident: Incident, rule: Rule | None, reason: Reason, at: Instant, *, next_step: str = "",
        explained: Sequence[str] = (),
    ) -> Message:  # fmt: skip
        """Return that an incident needs a person, and what is down for its sake (`explained`)."""
        rows = self._rows_of(incident)
        facts = self._facts(incident, rule, next_step or _what_next(incident, reason), at, rows)
        facts["explains"] = list(explained)
        self._correlate(incident, at, facts)
        return self.message(
            MessageKind.FIRING, incident.severity, at, incident.key, self._summary(incident, reason, at, rows), facts,
            incident=incident, urgent=reason in URGENT,
        )  # fmt: skip

    def resolved(self, incident: Incident, rule: Rule | None, at: Instant) -> Message:
        """Return that an incident is over."""
        seconds = at.steady - incident.began_at.steady
        summary = f"{self.host_name}: {subject_of(incident)} recovered after {duration(seconds)} ({incident.id})"
        facts = self.facts(incident, rule, "Nothing; it is over.", at)
        facts["state"] = f"RECOVERED after {duration(seconds)}, by {_by(incident)}."
        return self.message(MessageKind.RESOLVED, incident.severity, at, incident.key, summary, facts, incident=incident)

    def message(
        self, kind: MessageKind, severity: Severity, at: Instant, key: str, summary: str, facts: Facts, *,
        incident: Incident | None = None, urgent: bool = False,
    ) -> Message:  # fmt: skip
        """Return a message with an id of its own; `key` is what the same is known by on this host."""
        return self.redacted(Message(
            id=new_id(ALERT), kind=kind, severity=severity, at=at, dedup_key=self.key(key), summary=summary, facts=facts,
            incident=incident.id if incident else None, agent=incident.agent if incident else "",
            rule=incident.rule if incident else "", target=incident.target if incident else "", urgent=urgent,
        ))  # fmt: skip

    def redacted(self, message: Message) -> Message:
        """Return a message without what is left out."""
        return self._redaction.message(message)

    def key(self, key: str) -> str:
        """Return a key as it is known outside of this host."""
        return f"{self.host_name}/{key}"

    def facts(self, incident: Incident, rule: Rule | None, next_step: str, at: Instant) -> Facts:
        """Return what is known about an incident, for a message of that moment."""
        return self._facts(incident, rule, next_step, at, self._rows_of(incident))

    def _facts(
        self, incident: Incident, rule: Rule | None, next_step: str, at: Instant, rows: Sequence[ActionRow]
    ) -> Facts:  # fmt: skip
        evidence = self._evidence_of(incident)
        return {
            "state": f"{incident.detail or incident.last_status.value}",
            "since": incident.began_at.wall.isoformat(),
            "did": [self.did_line(row) for row in rows[-_MOST_DID:]],
            "why": rule.summary if rule else "",
            "next": next_step,
            "runbook": rule.runbook if rule else "",
            "origin": rule.origin if rule else "",
            "undo": [row.id for row in rows if row.effect.get("undo") and row.kind is not OutcomeKind.UNDONE],
            "lasting": [row.action for row in rows if row.plan.get("reversible") == "no"],
            "mode": self.mode_line(),
            "signal": self._signal(incident, rule, at, rows),
            **self._lines(rule),  # type: ignore[typeddict-item]  # `log`, `log_source`; next, the names of `evidence.FACTS`
            **evidence,
            "related": sorted((*evidence.get("related", ()), *self._done_lately(incident)), reverse=True)[:_MOST_RELATED],
        }

    def _correlate(self, incident: Incident, at: Instant, facts: Facts) -> None:
        """Add what belongs to an incident, and what it is about; in a storm of messages for the first of a minute only."""
        if len(self._correlated_at) == _MOST_CORRELATED and at.steady - self._correlated_at[0] < 60.0:
            return
        self._correlated_at.append(at.steady)
        from zen_agents.engine.correlated import Correlated  # noqa: PLC0415  only who tells people looks for it

        try:
            correlated = Correlated(self._store, self.windows)
            together = sorted(f"{kind} {value}" for kind, value in correlated.keys(incident) if kind != "target")
            found = [_belongs(related) for related in correlated.about(incident, at.steady)]
        except Exception as error:  # the message goes out without it (R15)
            log.error("what belongs to %s cannot be read: %s", incident.id, error)
            return
        if together:
            facts["together"] = together
        more = [f"and {len(found) - _MOST_BELONG} more: zen-agents why {incident.id}"] if len(found) > _MOST_BELONG else []
        facts["related"] = [*found[-_MOST_BELONG:], *more, *facts.get("related", ())][:_MOST_RELATED]

    def _lines(self, rule: Rule | None) -> Mapping[str, Any]:
        """Return the lines of a log that the rule judged last, and what they were found by; nothing for other rules."""
        for name, target in sorted(rule.condition.names) if rule is not None else ():
            newest = self._newest(name, target)
            lines = [line.text for line in lines_in(newest.facts) if line.kind == "line"] if newest is not None else []
            if lines:
                return {"log": lines, "log_source": name}
        return {}

    def _evidence_of(self, incident: Incident) -> Mapping[str, Any]:
        try:
            return self._evidence(incident)
        except Exception as error:  # the message goes out without it (R15)
            log.error("the evidence of %s cannot be read: %s", incident.id, error)
            return {}

    def _rows_of(self, incident: Incident) -> list[ActionRow]:
        try:
            return list(reversed(self._store.actions(incident=incident.id, limit=_MOST_COUNTED)))
        except Exception as error:  # the message goes out without this list (R15)
            log.error("the actions of %s cannot be read: %s", incident.id, error)
            return []

    def _signal(self, incident: Incident, rule: Rule | None, at: Instant, rows: Sequence[ActionRow]) -> list[str]:
        """Return what the rule judged, as it was seen of late: a line for each of what it reads."""
        from zen_agents.alerts.signal import Signal, signal_lines  # noqa: PLC0415  only who tells people draws

        pairs = sorted(rule.condition.names)[:_MOST_SIGNALS] if rule is not None else ()
        try:
            signals = [
                Signal(name if target == incident.target else f"{name} of {target}", self._seen(name, target))
                for name, target in pairs
            ]
            return signal_lines(signals, [row.reserved_at.steady for row in rows], at.steady)
        except Exception as error:  # the message goes out without it (R15)
            log.error("what was seen of %s cannot be read: %s", incident.id, error)
            return []

    def _seen(self, name: str, target: str) -> list[Observation]:
        kept = list(self._store.observations(name, target, since=0.0, limit=_MOST_SEEN))
        newest = self._newest(name, target)
        if newest is not None and (not kept or newest.at.steady > kept[-1].at.steady):
            kept.append(newest)
        return kept

    def _newest(self, name: str, target: str) -> Observation | None:
        return next((last for window in self.windows if (last := window.last(name, target)) is not None), None)

    def _done_lately(self, incident: Incident) -> list[str]:
        """Return what the engine did for others in the day before, a line each: an ISO time comes first."""
        try:
            rows = self._store.actions(since=incident.began_at.steady - _LATELY, limit=2 * _MOST_RELATED)
        except Exception as error:  # as above
            log.error("what was done before %s cannot be read: %s", incident.id, error)
            return []
        return [_by_the_engine(row) for row in rows if row.incident != incident.id]

    def rows(self, id: str) -> list[ActionRow]:
        """Return an action, nothing if it cannot be read."""
        try:
            row = self._store.action(id)
        except Exception as error:  # as above
            log.error("%s cannot be read: %s", id, error)
            return []
        return [row] if row else []

    def did_line(self, row: ActionRow) -> str:
        """Return one line about an action: when, what, on what, how it ended."""
        detail = str(row.effect.get("detail", ""))
        began = row.reserved_at.wall.isoformat(timespec="seconds")
        return f"{began}  {row.action} {row.target} -> {row.kind.value.upper()}  {row.id}  {detail}".rstrip()

    def _summary(self, incident: Incident, reason: Reason, at: Instant, rows: Sequence[ActionRow]) -> str:
        seconds = at.steady - incident.began_at.steady
        # A rule about the last five minutes has been bad for no time when it opens, and for five minutes to whoever reads.
        bad = f"bad for {duration(seconds)}" if seconds >= 1 else "bad"
        # The incident counts those of its present rung alone; where the actions cannot be read that is what is known.
        times = max(incident.attempts, sum(row.kind not in _NOT_TRIED for row in rows))
        tried = f", {times or 'no'} repair{'s' if times != 1 else ''} tried"
        return f"{self.host_name}: {subject_of(incident)} {bad}{tried}: {reason.sentence} ({incident.id})"


def mode_line(policy: Policy, store: Store, now: Instant) -> str:
    """Return one line about mode and budget, for the foot of a message."""
    try:
        spent = store.spent(Budget.REPAIR, now.steady - policy.repairs.within_seconds)
    except StoreError:  # people are told all the same
        return f"{policy.mode}, how many of {policy.repairs.most} repairs were used this hour cannot be read"
    return f"{policy.mode}, {spent} of {policy.repairs.most} repairs used this hour"


def _belongs(related: Related) -> str:
    incident = related.incident
    at = incident.began_at.wall.astimezone(UTC).isoformat(timespec="seconds")
    return f"{at}  {incident.id} {incident.rule} on {incident.target}: {related.why}"


def _by_the_engine(row: ActionRow) -> str:
    at = row.reserved_at.wall.astimezone(UTC).isoformat(timespec="seconds")
    return f"{at}  zen-agents: {row.action} {row.target} -> {row.kind.value} ({row.id})"


def subject_of(incident: Incident) -> str:
    """Return the short name of what is bad."""
    name = incident.target if incident.target != "host" else incident.rule.rpartition(".")[2]
    return name.partition(":")[2] or name


def _by(incident: Incident) -> str:
    return {"engine": "the engine", "itself": "itself, not by the engine"}.get(incident.resolved_by, incident.resolved_by)


def _what_next(incident: Incident, reason: Reason) -> str:
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
