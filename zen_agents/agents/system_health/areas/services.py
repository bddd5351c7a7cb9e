"""Services: what runs, watched and started again. One rule, and so one incident, for all that is looked at of each.

The exit of its main process, or systemd's word that it is down, is certain and needs no hold; a probe may flicker, so
`fail_after` bad ones in a row are needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from importlib import import_module
from types import ModuleType
from typing import Any

from zen_agents.agents.system_health.areas.argv import account_of
from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.areas.service_settings import Service, ServiceCommand, ServiceProbe
from zen_agents.agents.system_health.remedies import AGENT
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.network_probe import HttpProbe, ServiceProbeCheck, SocketProbe, TcpProbe
from zen_agents.checks.process import METRICS, ByPidfile, ByRecord, ByUnit, Finder, ProcessCheck
from zen_agents.checks.unit import UnitCheck
from zen_agents.model.action import ActionRequest
from zen_agents.model.duration import seconds_in
from zen_agents.model.incident import incident_key
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, Either, StatusIs
from zen_agents.rules.rule import Condition, Hold, Rule, Rung

#: After a stale pidfile was removed nothing runs yet; the restart that follows is not kept waiting longer (seconds).
_AFTER_A_STALE_PIDFILE = 10.0


class Services(Area[Mapping[str, Service]]):
    """`services`: restarted when they are down."""

    def checks(self, section: Mapping[str, Service], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what looks at the unit or process of each, and asks its probe."""
        texts = " ".join(text for rule in settings.rules.values() for text in (rule.when, rule.clear or ""))
        for name, service in section.items():
            every = seconds_in(service.every)
            metrics = [metric for metric in METRICS if f"process.{name}.{metric}" in texts]
            unit = UnitCheck(name, service.unit, every_seconds=every) if service.unit is not None else None
            if unit is not None:
                yield unit
            if service.unit is None or metrics:
                yield ProcessCheck(name, _finder(name, service), every_seconds=every, metrics=metrics)
            probe = _probe_check(name, service.check, every, unit) if service.check is not None else None
            if probe is not None:
                yield probe
            if service.wakes_within is not None:
                yield _wakes_check(name, service, service.wakes_within, every)
            if service.config_files:
                yield _configuration().config_check(name, service, find=_finder(name, service), probe=probe)
            if service.leaks is not None:
                yield _leaks().leak_check(name, service.leaks, _finder(name, service))

    def remedies(self, section: Mapping[str, Service]) -> Iterable[Remedy]:
        """Return what starts each, and takes a stale pidfile out of its way."""
        for name, service in section.items():
            if service.can_be_started:
                yield "restart_service", name, _restart_params(name, service)
            if service.pidfile is not None:
                params = {"service": name, "path": service.pidfile, "executable": service.executable or ""}
                yield "remove_stale_pidfile", name, params
            if service.config_files:
                yield "restore_last_good", name, _configuration().restore_params(service)
            if service.leaks is not None:
                user = account_of(service.command.user) if service.command is not None else ""
                yield "signal_parent", name, _leaks().signal_params(name, service, user)

    def rules(self, section: Mapping[str, Service], make: RuleMaker) -> Iterable[Rule]:
        """Return one rule for each, and those about its configuration and its leaks."""
        for name, service in section.items():
            down = _condition(name, service)
            if service.config_files:
                yield _configuration().config_rule(name, service, down, make)
            rule = make.rule(
                name,
                f"service:{name}",
                down,
                at=f"services.{name}",
                summary=f"{name} is down",
                severity=service.severity,
                hold=Hold(fail_after=service.fail_after, recover_after=service.recover_after),
                ladder=_ladder(name, service, make),
                runbook=service.runbook,
                depends_on=_depends_on(name, service),
            )
            yield _with_time_to_wake(rule, service.wakes_within) if service.wakes_within is not None else rule
            if service.leaks is not None:
                yield from _leaks().leak_rules(name, service, service.leaks, make)

    def keep_running(self, section: Mapping[str, Service]) -> Iterable[str]:
        """Return what the engine itself starts, and the units that say `keep: running`."""
        return (f"service:{name}" for name, service in section.items() if _is_kept_running(service))


def _depends_on(name: str, service: Service) -> frozenset[str]:
    """Return the incidents that come first: those of other services, and that of its own configuration."""
    others = {incident_key(f"{AGENT}.{other}", f"service:{other}") for other in service.depends_on}
    if service.config_files:
        others.add(incident_key(f"{AGENT}.{_configuration().config_label(name)}", f"service:{name}"))
    return frozenset(others)


def _configuration() -> ModuleType:
    """Return what `config_files` asks for; loaded where a service has some."""
    return import_module(f"{__package__}.service_configuration")


def _leaks() -> ModuleType:
    """Return what `leaks` asks for; loaded where a service has it."""
    return import_module(f"{__package__}.service_leaks")


def _wakes_check(name: str, service: Service, within: timedelta, every: float) -> Check:
    """Return what `wakes_within` asks for; loaded where a service has it."""
    made = import_module("zen_agents.checks.wakes").WakesCheck
    check: Check = made(name, _finder(name, service), within_seconds=within.total_seconds(), every_seconds=every)
    return check


def _with_time_to_wake(rule: Rule, within: timedelta) -> Rule:
    """Return a rule that waits for the first time that its service is seen to wake up."""
    seconds = within.total_seconds()
    patience = rule.unknown_patience_seconds + seconds
    return replace(rule, unknown_patience_seconds=patience, known_after_seconds=seconds)


def _condition(name: str, service: Service) -> Condition:
    target, stale = f"service:{name}", seconds_in(service.every, STALE_AFTER_SAMPLES)
    lives = f"unit.{name}" if service.unit is not None else f"process.{name}"
    parts = [StatusIs(lives, target, stale, certain=True)]
    if service.check is not None:
        parts.append(StatusIs(f"probe.{name}", target, stale + seconds_in(service.check.timeout)))
    if service.wakes_within is not None:
        parts.append(StatusIs(f"wakes.{name}", target, stale))
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


def _finder(name: str, service: Service) -> Finder:
    if service.unit is not None:
        return ByUnit(service.unit)
    if service.pidfile is not None:
        user = account_of(service.command.user) if service.command is not None else ""
        return ByPidfile(service.pidfile, user=user, executable=service.executable or "")
    return ByRecord(name)


def _probe_check(name: str, probe: ServiceProbe, every: float, unit: UnitCheck | None) -> ServiceProbeCheck:
    within, send, contains = seconds_in(probe.timeout), probe.send.encode("latin-1"), probe.contains.encode()
    asked_while = unit.is_running if unit is not None and probe.unix is not None else None
    if probe.request is not None:
        return HttpProbe(name, probe.request, every_seconds=every, answer_within_seconds=within, asked_while=asked_while)
    if probe.unix is not None:
        return SocketProbe(
            name, path=probe.unix, every_seconds=every, answer_within_seconds=within, asked_while=asked_while,
            send=send, contains=contains,
        )  # fmt: skip
    host, _, port = (probe.tcp or "").rpartition(":")
    return TcpProbe(
        name, host_name=host.strip("[]"), port=int(port), every_seconds=every, answer_within_seconds=within,
        send=send, contains=contains,
    )  # fmt: skip


def _restart_params(name: str, service: Service) -> Mapping[str, Any]:
    """Return the parameters of `restart_service` for one service."""
    return {
        "service": name,
        "unit": service.unit,
        "command": _command(service.command) if service.command is not None else None,
        "pidfile": service.pidfile,
        "executable": service.executable or "",
        "stop_timeout_seconds": service.stop_timeout.total_seconds(),
        "keep_running": _is_kept_running(service),
        "probe": _probe_params(service.check) if service.command is not None and service.check is not None else None,
    }


def _is_kept_running(service: Service) -> bool:
    """Tell whether a service is to run whoever stopped it: what the engine itself starts, and units that say so (R28)."""
    return service.command is not None or service.keep == "running"


def _command(command: ServiceCommand) -> Mapping[str, Any]:
    return {
        "start": list(command.start),
        "stop": list(command.stop) if command.stop is not None else None,
        "restart": list(command.restart) if command.restart is not None else None,
        "user": account_of(command.user),
        "directory": command.cwd,
        "environment": dict(command.env),
    }


def _probe_params(check: ServiceProbe) -> Mapping[str, Any]:
    http = asdict(check.request) if check.request is not None else None
    spoken = {"send": check.send, "contains": check.contains} if check.http is None else {}
    where = {"tcp": check.tcp, "unix": check.unix if check.http is None else None, "http": http}
    return {**where, "timeout_seconds": seconds_in(check.timeout), **spoken}
