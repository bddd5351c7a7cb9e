"""Connections: what this host needs of others, tried with patience, and told by how it fails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from zen_agents.agents.system_health.areas.base import Area
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.connection import ConnectionCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.scalars import ActionReference, HostPort, Line, PositiveDuration
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Hold, Rule


class WatchedConnection(Section):
    """One address and port that this host has to reach."""

    to: HostPort = Field(description="HOST:PORT; IPv6 in brackets")
    timeout: PositiveDuration = Field(timedelta(seconds=3), description="how long one attempt may take")
    tries: Annotated[int, Field(ge=1, le=10)] = Field(
        3, description="attempts in one look, each after a longer wait: 0.2 s, 0.4 s, up to 2 s"
    )
    every: PositiveDuration = Field(timedelta(seconds=30), description="how often it is tried")
    fail_after: Annotated[int, Field(ge=1, le=1000)] = Field(3, description="bad looks in a row that make it a problem")
    recover_after: Annotated[int, Field(ge=1, le=1000)] = Field(2, description="good looks in a row that end it")
    on_failure: tuple[ActionReference, ...] = Field(
        (), description="actions to take, in order, like restart_service:tunnel; empty: people are told"
    )
    severity: Severity = Field(Severity.ERROR, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")


class Connections(Area[Mapping[str, WatchedConnection]]):
    """`connections`: told when they cannot be made."""

    def checks(self, section: Mapping[str, WatchedConnection], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what tries each."""
        del settings
        for name, watched in section.items():
            host, _, port = watched.to.rpartition(":")
            yield ConnectionCheck(
                name,
                host_name=host.strip("[]"),
                port=int(port),
                tries=watched.tries,
                every_seconds=seconds_in(watched.every),
                answer_within_seconds=seconds_in(watched.timeout),
            )

    def rules(self, section: Mapping[str, WatchedConnection], make: RuleMaker) -> Iterable[Rule]:
        """Return one rule for each."""
        for name, watched in section.items():
            target = f"connection:{name}"
            stale = seconds_in(watched.every, STALE_AFTER_SAMPLES) + watched.tries * seconds_in(watched.timeout)
            yield make.rule(
                name,
                target,
                StatusIs(f"connection.{name}", target, stale),
                at=f"connections.{name}",
                summary=f"{watched.to} cannot be connected to",
                severity=watched.severity,
                hold=Hold(fail_after=watched.fail_after, recover_after=watched.recover_after),
                ladder=make.named_ladder(watched.on_failure, target=target, at=f"connections.{name}.on_failure"),
                runbook=watched.runbook,
            )
