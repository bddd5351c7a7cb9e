"""Make the delivery worker's items out of messages; pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from zen_agents.alerts.context import AlertContext
from zen_agents.alerts.evidence import FILE_NAME, evidence_text
from zen_agents.alerts.mail import render_email, subject
from zen_agents.alerts.pages import render_change, render_pagerduty
from zen_agents.alerts.plain_text import one_line
from zen_agents.alerts.policy import PAGERDUTY, URL_PREFIX, AlertPolicy, AppriseUrl, SubjectStyle, is_email
from zen_agents.alerts.roll_up import bundle
from zen_agents.alerts.routing import because
from zen_agents.clock import Instant
from zen_agents.jobs.alert_delivery import AppriseItem, EmailItem, EventItem, Item, PingItem
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.severity import Severity
from zen_agents.ports.store import OutboxRow

_NOTIFY_TYPES = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.ERROR: "failure", Severity.CRITICAL: "failure"}


def item_for(
    rows: Sequence[OutboxRow], policy: AlertPolicy, context: AlertContext, now: Instant, *, thread_subject: str = ""
) -> Item:
    """Return the item that carries these rows of one channel: one message, or several told as one.

    Args:
        rows: One row, or several of a mail channel.
        policy: Addresses, servers and keys.
        context: The host it is about.
        now: The moment of sending.
        thread_subject: Subject of the first mail about it on this channel; "" if this is the first.
    """
    channel, ref = rows[0].channel, str(rows[0].id)
    message = rows[0].message if len(rows) == 1 else bundle([row.message for row in rows], context, now)
    if channel == PAGERDUTY:
        return _event(ref, message, policy, context)
    if is_email(channel):
        first = thread_subject if policy.email.subject is SubjectStyle.THREAD and len(rows) == 1 else ""
        return _email(ref, message, channel, policy=policy, context=context, now=now, first_subject=first)
    return _apprise(ref, message, policy.urls.get(channel.removeprefix(URL_PREFIX)), context)


def first_subject(message: Message, context: AlertContext) -> str:
    """Return the subject that a thread about this message begins with."""
    return subject(message, context)


def ping_item(policy: AlertPolicy, head: str = "") -> PingItem | None:
    """Return the fetch of the heartbeat's address, None if there is none; `head` is the ledger's, to be kept there."""
    heartbeat = policy.heartbeat
    if heartbeat is None:
        return None
    return PingItem("heartbeat", url=heartbeat.url, url_file=heartbeat.url_file, method=heartbeat.method, head=head)


def _event(ref: str, message: Message, policy: AlertPolicy, context: AlertContext) -> EventItem:
    change = message.kind is MessageKind.CHANGE
    base = policy.pagerduty.url.rstrip("/")
    return EventItem(
        ref=ref,
        url=f"{base}/v2/change/enqueue" if change else f"{base}/v2/enqueue",
        event=render_change(message, context) if change else render_pagerduty(message, context),
        routing_key=policy.pagerduty.routing_key,
        routing_key_file=policy.pagerduty.routing_key_file,
    )


def _email(
    ref: str,
    message: Message,
    channel: str,
    *,
    policy: AlertPolicy,
    context: AlertContext,
    now: Instant,
    first_subject: str,
) -> EmailItem:
    mail = render_email(message, context, first_subject=first_subject, because=because(message, channel, policy))
    smtp = policy.email.smtp
    return EmailItem(
        ref=ref,
        host=smtp.host,
        port=smtp.port,
        encryption=smtp.starttls.value,
        sender_name=one_line(f"zen-agents on {context.host_name}", 100),
        sender=policy.email.sender or f"zen-agents@{context.domain}",
        recipients=policy.addresses(channel),
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        message_id=_message_id(message, channel, context),
        sent_at=now.wall.timestamp(),
        headers=mail.headers,
        user=smtp.user,
        password=smtp.password,
        password_file=smtp.password_file,
        timeout_seconds=smtp.timeout_seconds,
        attachments=((FILE_NAME, evidence),) if (evidence := evidence_text(message)) else (),
    )


def _message_id(message: Message, channel: str, context: AlertContext) -> str:
    """Return an id that is the same for each attempt of one message on one channel."""
    key = hashlib.blake2s(f"{message.id}|{channel}|{message.dedup_key}".encode(errors="replace"), digest_size=10).hexdigest()
    return f"zen.{key}@{context.domain}"


def _apprise(ref: str, message: Message, url: AppriseUrl | None, context: AlertContext) -> AppriseItem:
    mail = render_email(message, context)
    resolved = message.kind is MessageKind.RESOLVED
    address = url or AppriseUrl()
    return AppriseItem(
        ref=ref,
        title=mail.subject,
        body=mail.text,
        notify_type="success" if resolved else _NOTIFY_TYPES[message.severity],
        url=address.url,
        url_file=address.url_file,
    )
