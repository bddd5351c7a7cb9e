"""What comes of a service's `config_files`: tested, kept while it is well, and given back when a bad one keeps it down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zen_agents.actions.config_test import ConfigTestParams
from zen_agents.agents.system_health.areas.service_settings import Service
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.checks.base import Check, Probe
from zen_agents.checks.config import ConfigCheck
from zen_agents.checks.process import Finder
from zen_agents.model.duration import seconds_in
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, AllOf, StatusIs
from zen_agents.rules.rule import Condition, Hold, Rule

#: What did not help the second time is a person's.
_ATTEMPTS = 2


def config_check(name: str, service: Service, *, find: Finder, probe: Probe | None) -> Check:
    """Return what tests and keeps the files; `probe` asks whether the service is well."""
    test = ConfigTestParams.model_validate(_test(service))
    return ConfigCheck(
        name,
        tests={path: test.command(path) for path in service.config_files},
        find=find,
        unit=service.unit or "",
        probe=probe,
        good_after_seconds=seconds_in(service.good_after),
        every_seconds=seconds_in(service.every),
    )


def restore_params(service: Service) -> Mapping[str, Any]:
    """Return the parameters of `restore_last_good`."""
    return {"files": list(service.config_files), "test": _test(service)}


def config_rule(name: str, service: Service, down: Condition, make: RuleMaker) -> Rule:
    """Return the rule: the service is down, and its configuration does not pass its own test."""
    target = f"service:{name}"
    stale = seconds_in(service.every, STALE_AFTER_SAMPLES)
    return make.rule(
        config_label(name),
        target,
        AllOf((StatusIs(f"config.{name}", target, stale, certain=True), down)),
        at=f"services.{name}",
        summary=f"{name} is down, and its configuration does not pass its own test",
        severity=service.severity,
        hold=Hold(fail_after=service.fail_after),
        ladder=make.ladder(make.unasked([make.remedies.of("restore_last_good", target)]), attempts=_ATTEMPTS),
        runbook=service.runbook,
    )


def config_label(name: str) -> str:
    """Return the name of that rule, below the agent's."""
    return f"{name}.config"


def _test(service: Service) -> Mapping[str, Any]:
    return {"run": list(service.config_test or ()), "user": service.config_test_user or ""}
