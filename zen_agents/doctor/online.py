"""What is asked of the host and the network: whether there is what the configuration names, and answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from zen_agents import __version__
from zen_agents.adapters.delivery_now import deliver_now
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.alerts.context import AlertContext
from zen_agents.alerts.items import item_for
from zen_agents.alerts.policy import EMAIL, PAGERDUTY, AlertPolicy
from zen_agents.alerts.trial import trial_message, trial_over
from zen_agents.clock import SystemClock
from zen_agents.doctor.examination import Check, Finding, Site, State, fine
from zen_agents.jobs.alert_delivery import DeliveryOutcome, EmailItem, Item
from zen_agents.model.severity import Severity
from zen_agents.ports.store import OutboxRow
from zen_agents.settings.loader import effective_values
from zen_agents.settings.policy import to_alert_policy

#: What systemd calls a unit of which it finds no file.
_NOT_FOUND = "not-found"


def units(site: Site) -> Finding:
    """Does systemd know every unit that the configuration names?"""
    assert site.loaded is not None  # noqa: S101  only a valid configuration is asked about
    named = sorted(set(_units(effective_values(site.loaded.require()))))
    if not named:
        return fine("no unit is named")
    view = LinuxHost(site.state_dir).look()
    found = {name: view.unit(name) for name in named}
    missing = [name for name, unit in found.items() if unit is None or unit.load_state == _NOT_FOUND]
    if missing:
        how = f"systemctl list-unit-files '{missing[0].partition('.')[0]}*'"
        return Finding(State.FAILED, f"systemd does not know {', '.join(missing)}", how)
    return fine(f"systemd knows all {len(named)}")


def _units(values: Any) -> Iterator[str]:
    for key, value in values.items() if isinstance(values, Mapping) else ():
        if key == "unit" and isinstance(value, str) and value:
            yield value
        else:
            yield from _units(value)


def mail(site: Site) -> Finding:
    """Does the mail server greet, encrypt and take the password? No mail is sent."""

    def greeting(item: Item) -> Item:
        return replace(item, recipients=()) if isinstance(item, EmailItem) else item

    return _asked(site, EMAIL, lambda policy: bool(policy.email.to), greeting, "the mail server answers", "mail is off")


def pagerduty(site: Site) -> Finding:
    """Does PagerDuty take the key? It is told that something is over which never began, and shows nothing of it."""
    return _asked(
        site, PAGERDUTY, lambda policy: policy.pagerduty.enabled, lambda item: item, "PagerDuty accepts the routing key",
        "PagerDuty is off",
    )  # fmt: skip


def _asked(
    site: Site, channel: str, is_on: Callable[[AlertPolicy], bool], question: Callable[[Item], Item], well: str, off: str
) -> Finding:
    if site.loaded is None or site.loaded.settings is None:
        return Finding(State.UNKNOWN, "the configuration is not valid")
    if not site.online:
        return Finding(State.UNKNOWN, "not asked (--offline)")
    settings = site.loaded.settings
    policy = to_alert_policy(settings, site.loaded, site.environ)
    if not is_on(policy):
        return fine(off)
    now = SystemClock().now()
    name = settings.host.name or "check-config"
    context = AlertContext(name, __version__, site.loaded.digest[:6], settings.alerts.timezone, settings.host.labels)
    over = trial_over(trial_message(Severity.INFO, context, now), now)
    item = question(item_for([OutboxRow(1, over, channel, 0, 0.0, "pending")], policy, context, now))
    answer = deliver_now([item]).get(item.ref)
    if answer is not None and answer.outcome is DeliveryOutcome.OK:
        return fine(well)
    return Finding(
        State.FAILED, answer.detail if answer else "no answer", f"look at alerts.{channel}, then: zen-agents alert test"
    )


#: What `check-config --online` asks, in the order in which it is told.
ONLINE: Mapping[str, Check] = {"units": units, "mail": mail, "pagerduty": pagerduty}
