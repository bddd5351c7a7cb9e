"""Messages that the outbox makes itself: the digest, and what it has to say about its own deliveries."""

from __future__ import annotations

from datetime import datetime, timedelta

from zen_agents.adapters.outbox_memory import Memory
from zen_agents.alerts.context import AlertContext, clock_face, zone
from zen_agents.alerts.plain_text import one_line
from zen_agents.alerts.policy import AlertPolicy
from zen_agents.alerts.roll_up import digest_message, roll_up_key, short_key
from zen_agents.clock import Instant
from zen_agents.model.ids import ALERT, new_id
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.severity import Severity
from zen_agents.ports.store import Store

_DAY = 86_400.0


def digest_due(store: Store, policy: AlertPolicy, context: AlertContext, now: Instant, memory: Memory) -> Message | None:
    """Return today's digest if its time has come and it was not made yet. Raises StoreError.

    An engine that starts for the first time after the hour waits for tomorrow's.
    """
    if policy.digest is None:
        return None
    local = now.wall.astimezone(zone(policy.digest.timezone))
    due_day = local.date() if local.time() >= policy.digest.at else local.date() - timedelta(days=1)
    if memory.digest_day >= due_day.isoformat():
        return None
    first_time = not memory.digest_day
    memory.digest_day, memory.changed = due_day.isoformat(), True
    return None if first_time else _digest(store, context, now)


def _digest(store: Store, context: AlertContext, now: Instant) -> Message:
    since = now.steady - _DAY
    done = store.actions(since=since, limit=1000)
    lines = [f"open      {_since(one.began_at.wall, context)}  {one.rule} {one.target}: {one.detail}  {one.id}"
             for one in store.live_incidents() if one.opened_at]  # fmt: skip
    lines += [f"{row.kind.value:<8}  {_since(row.reserved_at.wall, context)}  {row.action} {row.target}  {row.id}"
              for row in done]  # fmt: skip
    store.commit()
    checkpoint = store.last_checkpoint()
    head = checkpoint.head if checkpoint else ""
    return digest_message([one_line(line, 160) for line in lines], count=len(lines), context=context, now=now, head=head)


def page_not_delivered(message: Message, detail: str, context: AlertContext, now: Instant) -> Message:
    """Return the mail that says that a page did not get through, with what the page would have said."""
    return Message(
        id=new_id(ALERT),
        kind=MessageKind.ENGINE,
        severity=message.severity,
        at=now,
        dedup_key=f"{context.host_name}/engine|page_not_delivered:{short_key(message.dedup_key)}:{message.incident or ''}",
        summary=f"{context.host_name}: page not delivered: {one_line(message.summary, 300)}",
        facts={
            "state": f"PAGE NOT DELIVERED: {one_line(message.summary, 250)}",
            "why": f"PagerDuty did not take it: {detail}",
            "next": "The engine goes on trying unless PagerDuty refused the event itself.",
            "mode": str(message.facts.get("mode", "")),
        },
        incident=message.incident,
        agent=message.agent,
        rule=message.rule,
        target=message.target,
        urgent=True,
    )


def roll_up_resolved(channel: str, context: AlertContext, now: Instant) -> Message:
    """Return the message that all that a roll-up told of is over."""
    return Message(
        id=new_id(ALERT),
        kind=MessageKind.RESOLVED,
        severity=Severity.INFO,
        at=now,
        dedup_key=roll_up_key(channel, context),
        summary=f"{context.host_name}: all that was told together is over",
        facts={"state": "RECOVERED: all that was told together is over."},
    )


def resolve_of_orphan(key: str, incident: str, context: AlertContext, now: Instant) -> Message:
    """Return the resolve of a page whose incident ended while nobody could tell."""
    rule, _, target = key.rpartition("/")[2].partition("|")
    return Message(
        id=new_id(ALERT),
        kind=MessageKind.RESOLVED,
        severity=Severity.INFO,
        at=now,
        dedup_key=key,
        summary=f"{context.host_name}: {rule} {target} is over ({incident})",
        facts={"state": "RECOVERED, noticed when the page was compared with the incidents."},
        incident=incident,
        rule=rule,
        target=target,
    )


def _since(moment: datetime, context: AlertContext) -> str:
    return clock_face(moment, context)
