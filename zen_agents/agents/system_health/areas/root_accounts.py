"""Accounts with the rights of root, of which everyone that is not listed is told at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from pydantic import Field

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.root_accounts import RootAccountsCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.scalars import Account, ActionReference, Line, PositiveDuration
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Rule

_TARGET = "root_accounts:system"


class RootAccountSettings(Section):
    """Who may have the rights of root. `root_accounts: {}` is enough."""

    known: tuple[Account, ...] = Field(("root",), description="accounts that may have user id 0")
    every: PositiveDuration = Field(
        timedelta(minutes=1),
        description="how often accounts are looked at; a change of their files wakes the engine at once",
    )
    on_failure: tuple[ActionReference, ...] | None = Field(
        None, description="not given: lock_account, after a yes, if the allow-list has it; empty list: only tell"
    )
    severity: Severity = Field(Severity.CRITICAL, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")


class RootAccounts(Area[RootAccountSettings]):
    """`root_accounts`: told at once, and locked once somebody agreed."""

    def checks(self, section: RootAccountSettings, settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what looks at the accounts."""
        del settings
        yield RootAccountsCheck(known=section.known, every_seconds=seconds_in(section.every))

    def remedies(self, section: RootAccountSettings) -> Iterable[Remedy]:
        """Return what may be done about one that is not listed."""
        yield "lock_account", _TARGET.partition(":")[2], {"known": list(section.known)}

    def rules(self, section: RootAccountSettings, make: RuleMaker) -> Iterable[Rule]:
        """Return the one rule."""
        yield make.rule(
            "root_accounts",
            _TARGET,
            StatusIs("root_accounts", _TARGET, seconds_in(section.every, STALE_AFTER_SAMPLES), certain=True),
            at="root_accounts",
            summary="an account that nobody listed has the rights of root",
            severity=section.severity,
            ladder=make.ladder_or(
                "lock_account", section.on_failure, target=_TARGET, at="root_accounts.on_failure", attempts=1
            ),
            runbook=section.runbook,
        )
