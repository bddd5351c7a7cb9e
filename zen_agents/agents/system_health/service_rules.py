"""Rules about services: one rule, and so one incident, for all that is looked at of a service.

The exit of its main process, or systemd's word that it is down, is certain and needs no hold; a probe may flicker, so
`fail_after` bad ones in a row are needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from zen_agents.agents.system_health.remedies import AGENT
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.service_settings import Service
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.model.action import ActionRequest
from zen_agents.model.duration import seconds_in
from zen_agents.model.incident import incident_key
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, Either, StatusIs
from zen_agents.rules.rule import Condition, Hold, Rule, Rung

#: After a stale pidfile was removed nothing runs yet; the restart that follows is not kept waiting longer (seconds).
_AFTER_A_STALE_PIDFILE = 10.0


def service_rules(settings: SystemHealthSettings, make: RuleMaker) -> Iterable[Rule]:
    """Return one rule for each service."""
    for name, service in settings.services.items():
        yield make.rule(
            name,
            f"service:{name}",
            _condition(name, service),
            at=f"services.{name}",
            summary=f"{name} is down",
            severity=service.severity,
            hold=Hold(fail_after=service.fail_after, recover_after=service.recover_after),
            ladder=_ladder(name, service, make),
            runbook=service.runbook,
            depends_on=frozenset(incident_key(f"{AGENT}.{other}", f"service:{other}") for other in service.depends_on),
        )


def _condition(name: str, service: Service) -> Condition:
    target, stale = f"service:{name}", seconds_in(service.every, STALE_AFTER_SAMPLES)
    lives = f"unit.{name}" if service.unit is not None else f"process.{name}"
    parts = [StatusIs(lives, target, stale, certain=True)]
    if service.check is not None:
        parts.append(StatusIs(f"probe.{name}", target, stale + seconds_in(service.check.timeout)))
    return Either(tuple(parts)) if len(parts) > 1 else parts[0]


def _ladder(name: str, service: Service, make: RuleMaker) -> tuple[Rung, ...]:
    target, find = f"service:{name}", make.remedies.of
    if service.on_failure is not None:
        at = f"agents.{AGENT}.services.{name}.on_failure"
        return _rungs(make.remedies.ladder(service.on_failure, target=target, at=at), service, make)
    restart = make.unasked([find("restart_service", target)])
    stale = make.unasked([find("remove_stale_pidfile", target)])
    if not restart or not stale:
        return _rungs(restart, service, make)
    return _around_a_pidfile(restart, stale, service, make)


def _around_a_pidfile(
    restart: Sequence[ActionRequest], stale: Sequence[ActionRequest], service: Service, make: RuleMaker
) -> tuple[Rung, ...]:
    """Return restart, then a stale pidfile out of the way (a restart if it is not stale), then restart again.

    Most daemons write over an old pidfile; only one that refuses to start because of it needs it gone.
    """
    (again,) = _rungs(restart, service, make)
    way = replace(
        again,
        alternatives=(*stale, *restart),
        attempts=1,
        verify_within_seconds=min(again.verify_within_seconds, _AFTER_A_STALE_PIDFILE),
    )
    return replace(again, attempts=1), way, replace(again, attempts=max(1, service.attempts - 2))


def _rungs(requests: Sequence[ActionRequest], service: Service, make: RuleMaker) -> tuple[Rung, ...]:
    within = service.verify_within
    return make.ladder(
        requests,
        attempts=service.attempts,
        settle_seconds=seconds_in(service.settle),
        verify_within_seconds=seconds_in(within) if within is not None else None,
        bake_seconds=seconds_in(service.bake),
    )
