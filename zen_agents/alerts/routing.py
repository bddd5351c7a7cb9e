"""Which channels hear of a message, and when: pure functions over the message, the policy and the moment.

Routes pick the first channels; the escalation only adds later ones. What is fixed alone wakes nobody: it is a change event
and a line of the digest.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from zen_agents.alerts.facts import AGEING
from zen_agents.alerts.policy import PAGERDUTY, AlertPolicy, EscalationStep, Match, Route, is_email
from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.severity import Severity


@dataclass(frozen=True, slots=True)
class Dispatch:
    """These channels, not before this steady time; whether quiet hours or a window hold it then is seen then."""

    channels: tuple[str, ...]
    not_before: float


def dispatches(message: Message, policy: AlertPolicy, now: Instant, *, incidents_open: bool = False) -> tuple[Dispatch, ...]:
    """Return where a message goes, at once and later; nothing for one that no channel is to hear of.

    Args:
        message: Any message but a resolved one, which goes where its trigger went: see `resolved_dispatch`.
        policy: Who is to be told.
        now: The moment of telling.
        incidents_open: People have been told of an incident that is not over; the engine's own troubles then page too.
    """
    first = first_channels(message, policy, incidents_open=incidents_open)
    found: dict[float, list[str]] = {}
    for channel in first:
        found.setdefault(now.steady + _wait(message, channel, policy), []).append(channel)
    if message.kind is MessageKind.FIRING:
        told = set(first)
        for step in policy.escalation:
            added = [channel for channel in step.channels if channel not in told and policy.is_reachable(channel)]
            told.update(added)
            if added:
                found.setdefault(now.steady + step.after_seconds, []).extend(added)
    return tuple(Dispatch(tuple(channels), at) for at, channels in sorted(found.items()))


def resolved_dispatches(channels: tuple[str, ...], policy: AlertPolicy, now: Instant) -> tuple[Dispatch, ...]:
    """Return where those that heard of the trigger hear that it is over, pages first."""
    reachable = _reachable(channels, policy)
    others = tuple(channel for channel in reachable if channel != PAGERDUTY)
    found = [Dispatch((PAGERDUTY,), now.steady)] if PAGERDUTY in reachable else []
    return (*found, Dispatch(others, now.steady)) if others else tuple(found)


def first_channels(message: Message, policy: AlertPolicy, *, incidents_open: bool = False) -> tuple[str, ...]:
    """Return the channels told at once."""
    if message.kind is MessageKind.CHANGE:
        return (PAGERDUTY,) if policy.pagerduty.enabled and policy.pagerduty.change_events else ()
    if message.kind is MessageKind.DIGEST:
        return _reachable(policy.digest.channels if policy.digest else (), policy)
    if message.kind is MessageKind.ENGINE:
        return _of_engine(policy, incidents_open=incidents_open)
    route = matching_route(message, policy)
    channels = route.channels if route else _default(message, policy)
    at_once = tuple(channel for step in policy.escalation if step.after_seconds <= 0 for channel in step.channels)
    reachable = _reachable((*channels, *at_once), policy)
    # A route whose channels are all switched off must not swallow a message: a notifier that cannot tell speaks (R4).
    return reachable or _default(message, policy)


def matching_route(message: Message, policy: AlertPolicy) -> Route | None:
    """Return the first route that takes the message, None if none does."""
    return next((route for route in policy.routes if _matches(route.match, message)), None)


def because(message: Message, channel: str, policy: AlertPolicy) -> str:
    """Return why a channel gets a message, for the foot of a mail."""
    if later_step(message, channel, policy):
        return f"the escalation adds {channel}"
    route = matching_route(message, policy)
    if route is None or channel not in route.channels:
        return f"{channel} is told of this by default"
    number = policy.routes.index(route) + 1
    return f"route {number}{f' ({route.origin})' if route.origin else ''} names {channel}"


def later_step(message: Message, channel: str, policy: AlertPolicy) -> EscalationStep | None:
    """Return the escalation step by which a channel hears of a message, None if it was told at once."""
    if message.kind is not MessageKind.FIRING or channel in first_channels(message, policy):
        return None
    return next((step for step in policy.escalation if channel in step.channels), None)


def fact_digest(message: Message) -> str:
    """Return a digest of what is news about a message: facts that only age do not count, nor does a measured number."""
    facts: Mapping[str, Any] = {name: value for name, value in message.facts.items() if name not in AGEING}
    if "state" in facts:
        facts = {**facts, "state": re.sub(r"\d+", "#", str(facts["state"]))}
    told = [message.kind.value, message.severity.value, message.incident, message.urgent, facts]
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]


def _wait(message: Message, channel: str, policy: AlertPolicy) -> float:
    """Return how long a channel waits for more of the same: pages, the urgent and the critical do not."""
    waits = is_email(channel) and message.kind is MessageKind.FIRING
    return policy.group_wait_seconds if waits and not is_pressing(message) else 0.0


def is_pressing(message: Message) -> bool:
    """Tell whether a message waits for nothing."""
    return message.urgent or message.severity is Severity.CRITICAL


def _default(message: Message, policy: AlertPolicy) -> tuple[str, ...]:
    """Return all channels; a mere warning pages only where there is no other way to tell."""
    channels = _everybody(policy)
    if message.urgent or message.severity.rank >= Severity.ERROR.rank or message.kind is MessageKind.TEST:
        return channels
    return tuple(channel for channel in channels if channel != PAGERDUTY) or channels


def _of_engine(policy: AlertPolicy, *, incidents_open: bool) -> tuple[str, ...]:
    channels = _everybody(policy)
    quietly = tuple(channel for channel in channels if channel != PAGERDUTY)
    return channels if incidents_open or not any(is_email(channel) for channel in quietly) else quietly


def _everybody(policy: AlertPolicy) -> tuple[str, ...]:
    """Return every channel there is; where addresses are given in groups only, those that the routes name."""
    named = (channel for route in policy.routes for channel in route.channels if is_email(channel))
    return policy.channels() if policy.email.to else _reachable((*policy.channels(), *named), policy)


def _matches(match: Match, message: Message) -> bool:
    return (
        (not match.severity or message.severity in match.severity)
        and (not match.agent or match.agent == message.agent)
        and _like(match.rule, message.rule)
        and _like(match.target, message.target)
    )


def _like(pattern: str, name: str) -> bool:
    if pattern.endswith("*"):
        return name.startswith(pattern[:-1])
    return not pattern or pattern == name


def _reachable(channels: tuple[str, ...], policy: AlertPolicy) -> tuple[str, ...]:
    return tuple(dict.fromkeys(channel for channel in channels if policy.is_reachable(channel)))
