"""The weekly trial of every way to people: when it is due, what is sent, and what is told when one of them fails."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from zen_agents.adapters.outbox_memory import Memory
from zen_agents.alerts.context import AlertContext, zone
from zen_agents.alerts.plain_text import one_line
from zen_agents.alerts.policy import EMAIL_PREFIX, PAGERDUTY, AlertPolicy
from zen_agents.alerts.quiet import WEEKDAYS
from zen_agents.alerts.trial import trial_message, trial_over
from zen_agents.clock import Instant
from zen_agents.model.ids import ALERT, new_id
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.severity import Severity

_WHY = "alerts.self_test: once a week every way to people is tried. If this stops coming, look: zen-agents alert test"


def is_self_test_due(policy: AlertPolicy, now: Instant, memory: Memory) -> bool:
    """Tell whether this week's trial has still to be made, and note that it is.

    An engine that starts for the first time after the hour waits for the next week's.
    """
    if (weekly := policy.self_test) is None:
        return False
    local = now.wall.astimezone(zone(weekly.timezone))
    back = (local.weekday() - WEEKDAYS.index(weekly.day)) % 7
    if back == 0 and local.time() < weekly.at:
        back = 7
    due_day = (local.date() - timedelta(days=back)).isoformat()
    first_time, is_new = not memory.self_test_day, memory.self_test_day < due_day
    if is_new:
        memory.self_test_day, memory.changed = due_day, True
    return is_new and not first_time


def trials(policy: AlertPolicy, context: AlertContext, now: Instant) -> Mapping[str, Message]:
    """Return what is sent over each channel; PagerDuty hears that something is over which never began: nobody wakes."""
    groups = (f"{EMAIL_PREFIX}{name}" for name, addresses in policy.email.groups.items() if addresses)
    channels = (*policy.channels(), *groups)
    made = {channel: trial_message(Severity.INFO, context, now, why=_WHY) for channel in channels}
    return {channel: trial_over(trial, now) if channel == PAGERDUTY else trial for channel, trial in made.items()}


def failed_key(channel: str, context: AlertContext) -> str:
    """Return the key under which people are told that a channel fails."""
    return f"{context.host_name}/engine|channel_failed:{channel}"


def channel_failed(channel: str, detail: str, context: AlertContext, now: Instant) -> Message:
    """Return the message that a channel did not take its trial, for the others to carry."""
    summary = f"nobody hears of anything by {channel}: {one_line(detail, 200)}"
    return Message(
        id=new_id(ALERT), kind=MessageKind.ENGINE, severity=Severity.ERROR, at=now, dedup_key=failed_key(channel, context),
        summary=f"{context.host_name}: {summary}",
        facts={
            "state": f"ALERTING BROKEN: {summary}",
            "why": "The weekly trial of every channel (alerts.self_test) failed here.",
            "next": f"Messages by {channel} are tried again for a day; the next trial that gets through ends this.",
        },
    )  # fmt: skip


def channel_works(channel: str, context: AlertContext, now: Instant) -> Message:
    """Return the message that a channel that had failed took its trial."""
    summary = f"{channel} takes messages again"
    return Message(
        id=new_id(ALERT), kind=MessageKind.RESOLVED, severity=Severity.INFO, at=now, dedup_key=failed_key(channel, context),
        summary=f"{context.host_name}: {summary}", facts={"state": f"RECOVERED: {summary}."},
    )  # fmt: skip
