"""The message that tries the way to people, and which channels it takes."""

from __future__ import annotations

from dataclasses import replace

from zen_agents.alerts.context import AlertContext
from zen_agents.alerts.policy import AlertPolicy
from zen_agents.alerts.routing import first_channels
from zen_agents.clock import Instant
from zen_agents.model.ids import ALERT, new_id
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.severity import Severity

#: Names what messages do that no route takes.
DEFAULT_ROUTE = "default"


#: Whoever gets one reads why.
BY_HAND = "Somebody on this host ran: zen-agents alert test"
_KEY = "/engine|test:"


def trial_message(severity: Severity, context: AlertContext, at: Instant, *, why: str = BY_HAND) -> Message:
    """Return a message that says it is a test, with a key of its own: it touches no page that is open."""
    id = new_id(ALERT)
    return Message(
        id=id,
        kind=MessageKind.TEST,
        severity=severity,
        at=at,
        dedup_key=f"{context.host_name}{_KEY}{id}",
        summary=f"{context.host_name}: [TEST] a message of severity {severity.value} would reach you like this",
        facts={
            "state": "TEST. Nothing is wrong, and nothing is to be done.",
            "why": why,
        },
    )


def trial_over(trial: Message, at: Instant) -> Message:
    """Return the message that closes what a trial opened."""
    summary = trial.summary.partition(": ")[0] + ": [TEST] is over"
    return replace(trial, kind=MessageKind.RESOLVED, at=at, summary=summary, facts={"state": "RECOVERED: the test is over."})


def is_trial(message: Message) -> bool:
    """Tell whether a message only tries the way, or closes what did."""
    return _KEY in message.dedup_key


def route_channels(message: Message, policy: AlertPolicy, route: str = "") -> tuple[str, ...]:
    """Return the channels of a message: those of the route that takes it, or of the one that is named.

    Args:
        message: What would be told.
        policy: Who is told what.
        route: "" for what the routes say; a number as it stands in the foot of mails; `default` for what no route takes.

    Raises:
        ValueError: there is no such route; the message says which there are.
    """
    if not route:
        return first_channels(message, policy)
    if route == DEFAULT_ROUTE:
        return first_channels(message, replace(policy, routes=()))
    number = int(route) if route.isascii() and route.isdecimal() else 0
    if not 1 <= number <= len(policy.routes):
        count = len(policy.routes)
        raise ValueError(
            f"routes have numbers, here 1 to {count}, or {DEFAULT_ROUTE}" if count else "no routes are configured"
        )
    return policy.routes[number - 1].channels
