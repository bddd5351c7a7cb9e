"""People are told of what needs them, once, and by a way that does not depend on acting (R15)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from chaos.invariants.record import Record
from chaos.invariants.violation import Violation
from zen_agents.alerts.policy import PAGERDUTY
from zen_agents.alerts.routing import fact_digest
from zen_agents.model.entry import ChainedEntry, EntryKind
from zen_agents.model.message import MessageKind
from zen_agents.model.reason import Reason

#: What is said of a fault that is repaired again and again; one fact for its rule and target.
_RECURS = "keeps coming back"
_TRIGGERS = (MessageKind.FIRING.value, MessageKind.ENGINE.value)


def every_escalation_is_told(record: Record) -> Iterator[Violation]:
    """An incident that was left to people has an alert in the ledger."""
    told = Counter(each.entry.incident for each in _alerts(record, MessageKind.FIRING.value))
    put = {message.incident for message, _, _ in record.outbox}
    for incident in record.incidents:
        # The ledger may have refused the alert that the outbox took: telling goes on when writing is broken.
        if incident.escalated_for is not None and not told[incident.id] and incident.id not in put:
            yield Violation("R15", f"{incident.id} was left to people for {incident.escalated_for}, and nobody was told",
                            (incident.id,))  # fmt: skip


def every_alert_reaches_the_outbox(record: Record) -> Iterator[Violation]:
    """An alert waits in the outbox, was sent, was told already, or is held back to be told with others."""
    if not (record.outbox or record.spilled or record.memory.held):
        return  # nobody is configured to hear
    put = {message.id for message, _, _ in record.outbox} | record.spilled
    known = {message.incident for message, _, _ in record.outbox if message.incident}
    rolled = any(record.memory.rolled.values()) or any(
        message.kind is MessageKind.ROLL_UP for message, _, _ in record.outbox
    )
    for alert in _alerts(record, *_TRIGGERS):
        there = alert.entry.id in put or alert.entry.incident in known or rolled
        if not there and not _recurs_as_told(record, alert):
            what = f"{alert.entry.id} did not reach the outbox: {alert.entry.body.get('summary')}"
            yield Violation("R15", what, (alert.entry.id, f"entry {alert.seq}"))


def _recurs_as_told(record: Record, alert: ChainedEntry) -> bool:
    """Tell whether it only says once more that a fault keeps coming back: that is one fact over all of its incidents."""
    keys = {f"{each.key}|recurs" for each in record.incidents if each.id == alert.entry.incident}
    told = {message.dedup_key.partition("/")[2] for message, _, _ in record.outbox}
    return _fact(alert.entry.body) == _RECURS and not keys.isdisjoint(told)


def people_are_told_once(record: Record) -> Iterator[Violation]:
    """The same fact about an incident is told once, unless a person gave it back to the engine in between."""
    given_back = [each.seq for each in record.of(EntryKind.HUMAN) if each.entry.id != "act"]
    last: dict[tuple[str, str], ChainedEntry] = {}
    for alert in _alerts(record, MessageKind.FIRING.value):
        fact = (alert.entry.incident or "", _fact(alert.entry.body))
        before = last.get(fact)
        if before is not None and not any(before.seq < seq < alert.seq for seq in given_back):
            what = f"people were told twice of {fact[0]}: {fact[1]}"
            yield Violation("R15", what, (before.entry.id, alert.entry.id))
        last[fact] = alert


def a_page_is_opened_once(record: Record) -> Iterator[Violation]:
    """A pager is told a fact once under its key, until that is resolved there."""
    opened: dict[tuple[str, str, str], str] = {}
    for message, channel, _ in record.outbox:
        if not channel.startswith(PAGERDUTY):
            continue
        if message.kind is MessageKind.RESOLVED:
            opened = {page: id for page, id in opened.items() if page[:2] != (channel, message.dedup_key)}
        elif message.kind.value in _TRIGGERS:
            page = (channel, message.dedup_key, fact_digest(message))
            if page in opened:
                what = f"{message.dedup_key} was paged twice: {message.summary}"
                yield Violation("R15", what, (opened[page], message.id))
            opened[page] = message.id


def _alerts(record: Record, *kinds: str) -> Iterator[ChainedEntry]:
    return (each for each in record.of(EntryKind.ALERT) if each.entry.body.get("kind") in kinds)


def _fact(alert: Mapping[str, Any]) -> str:
    """Return what an alert is about; each question is one of its own, asked anew only for another plan."""
    if asked := alert.get("approval"):
        return f"the question {asked}"
    summary = str(alert.get("summary", ""))
    return next((reason.value for reason in Reason if reason.sentence in summary), _RECURS)
