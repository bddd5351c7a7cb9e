"""Who would be told, as the configuration on disk says: what `alert test` and `alert preview` share."""

from __future__ import annotations

import os
from dataclasses import replace

from zen_agents import __version__
from zen_agents.alerts.context import AlertContext
from zen_agents.alerts.policy import EMAIL, EMAIL_PREFIX, PAGERDUTY, AlertPolicy
from zen_agents.alerts.trial import route_channels
from zen_agents.cli.call import Call
from zen_agents.cli.options import config_of
from zen_agents.clock import Instant, SystemClock
from zen_agents.dataclass import dataclass
from zen_agents.errors import SettingsError, UsageError
from zen_agents.model.message import Message, MessageKind
from zen_agents.settings.loader import Loaded, load
from zen_agents.settings.policy import to_alert_policy


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways to people, and the moment."""

    loaded: Loaded
    policy: AlertPolicy
    context: AlertContext
    now: Instant

    @classmethod
    def of(cls, call: Call) -> Ways:
        """Return what the configuration says; SettingsError if it is not valid, or tells nobody at all."""
        loaded = load(str(config_of(call)), os.environ)
        settings = loaded.require()
        policy = to_alert_policy(settings, loaded, os.environ)
        if not policy.channels() and not policy.email.groups:
            raise SettingsError("nobody is told anything: set alerts.email.to, or ALERT_EMAIL, or another channel of alerts")
        name = settings.host.name or call.host_names()[0]
        context = AlertContext(name, __version__, loaded.digest[:6], settings.alerts.timezone, settings.host.labels)
        return cls(loaded, policy, context, SystemClock().now())

    def channels(self, call: Call, message: Message) -> tuple[str, ...]:
        """Return the channels that are asked for, else those that a message like this would take.

        UsageError for a channel or route that there is not.
        """
        if wanted := call.arguments.channel:
            if not self.policy.is_reachable(wanted):
                raise UsageError(f"{wanted}: {why_unreachable(wanted)}; there are: {', '.join(self._known())}")
            return (str(wanted),)
        try:
            return route_channels(self.as_firing(message), self.policy, call.arguments.route)
        except ValueError as error:
            raise UsageError(f"there is no route {call.arguments.route!r}: {error}") from None

    def as_firing(self, message: Message) -> Message:
        """Return a trial as the message that it stands for: routes and quiet hours judge that one."""
        return replace(message, kind=MessageKind.FIRING) if message.kind is MessageKind.TEST else message

    def _known(self) -> tuple[str, ...]:
        return (*self.policy.channels(), *(f"{EMAIL_PREFIX}{name}" for name in self.policy.email.groups))


def why_unreachable(channel: str) -> str:
    """Return why a channel cannot be used."""
    if channel == PAGERDUTY:
        return "it is switched off; set alerts.pagerduty.enabled"
    if channel == EMAIL:
        return "it has no address; set alerts.email.to, or ALERT_EMAIL"
    return "there is no such channel"
