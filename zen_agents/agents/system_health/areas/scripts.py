"""Monitoring plugins: programs of one's own, or of the packages that people already have, that say how something is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from zen_agents.agents.system_health.areas.argv import PluginArgv
from zen_agents.agents.system_health.areas.base import Area
from zen_agents.agents.system_health.rule_maker import RuleMaker, now_above
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.script import ScriptCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.scalars import Account, ActionReference, Line, PositiveDuration
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.ports.host_plugins import PluginCall
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Hold, Rule

#: Exit statuses of the contract lie below and above this.
_CRITICAL_FROM = 1.5


#: A label as expressions can name it.
Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class MonitoringPlugin(Section):
    """One program that keeps the contract of Nagios' plugins: exit status 0 to 3, a line of text, performance data."""

    command: PluginArgv = Field(
        description="program and arguments, each an item of the list; no shell reads them; only root may write the program"
    )
    user: Account = Field(
        "nobody", description="account it runs as, without groups and capabilities (an engine that is root)"
    )
    timeout: PositiveDuration = Field(
        timedelta(seconds=10), description="after this long it is killed, and nothing is known"
    )
    every: PositiveDuration = Field(timedelta(minutes=1), description="how often it is run")
    fail_after: Annotated[int, Field(ge=1, le=1000)] = Field(3, description="bad answers in a row that make it a problem")
    recover_after: Annotated[int, Field(ge=1, le=1000)] = Field(2, description="good answers in a row that end it")
    values: tuple[Label, ...] = Field(
        (), description="labels of its performance data to keep, as script.NAME.LABEL, for rules of your own"
    )
    on_failure: tuple[ActionReference, ...] = Field(
        (), description="actions to take, in order, like restart_service:web; empty: people are told"
    )
    severity: Severity = Field(Severity.WARNING, description="of WARNING; what it calls CRITICAL is critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")


class Scripts(Area[Mapping[str, MonitoringPlugin]]):
    """`scripts`: told, or repaired by what is named."""

    def checks(self, section: Mapping[str, MonitoringPlugin], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what runs each."""
        del settings
        for name, plugin in section.items():
            call = PluginCall(plugin.command, plugin.user, seconds_in(plugin.timeout))
            yield ScriptCheck(name, call, every_seconds=seconds_in(plugin.every), labels=plugin.values)

    def rules(self, section: Mapping[str, MonitoringPlugin], make: RuleMaker) -> Iterable[Rule]:
        """Return a rule for each, and one for what it calls critical."""
        for name, plugin in section.items():
            target, at = f"script:{name}", f"scripts.{name}"
            every = seconds_in(plugin.every)
            stale = seconds_in(plugin.every, STALE_AFTER_SAMPLES) + seconds_in(plugin.timeout)
            rule = make.rule(
                name,
                target,
                StatusIs(f"script.{name}", target, stale),
                at=at,
                summary=f"{plugin.command[0].rpartition('/')[2]} says that {name} is not well",
                severity=plugin.severity,
                hold=Hold(fail_after=plugin.fail_after, recover_after=plugin.recover_after),
                ladder=make.named_ladder(plugin.on_failure, target=target, at=f"{at}.on_failure"),
                runbook=plugin.runbook,
            )
            yield rule
            if plugin.severity is not Severity.CRITICAL:
                critical = now_above(f"script.{name}", target, _CRITICAL_FROM, every)
                yield make.rule(
                    f"{name}.critical",
                    target,
                    critical,
                    at=at,
                    summary=f"{plugin.command[0].rpartition('/')[2]} says that {name} is critical",
                    severity=Severity.CRITICAL,
                    hold=rule.hold,
                    runbook=plugin.runbook,
                )
