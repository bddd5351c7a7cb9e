"""What `leaks` of a listed service asks for: its check, its rules, and the parameters of its remedy.

Imported where a service has it only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from zen_agents.agents.system_health.areas.leak_settings import ServiceLeaks
from zen_agents.agents.system_health.areas.service_settings import Service
from zen_agents.agents.system_health.remedies import AGENT
from zen_agents.agents.system_health.rule_maker import RuleMaker, now_above
from zen_agents.checks.leak import LeakCheck
from zen_agents.checks.process import Finder
from zen_agents.model.action import ActionRequest
from zen_agents.model.duration import seconds_in
from zen_agents.model.incident import incident_key
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Condition, Hold, Rule

#: What a restart does not end, a second one does not end either; but a first one may have come to nothing, as where the
#: engine was killed in the middle of it.
_ATTEMPTS = 2


def leak_check(name: str, leaks: ServiceLeaks, find: Finder) -> LeakCheck:
    """Return the check of one service."""
    return LeakCheck(
        name, find, every_seconds=seconds_in(leaks.every), memory_bytes=leaks.memory,
        over_seconds=seconds_in(leaks.over), ahead_seconds=seconds_in(leaks.ahead),
    )  # fmt: skip


def leak_rules(name: str, service: Service, leaks: ServiceLeaks, make: RuleMaker) -> Iterable[Rule]:
    """Return the rules about its memory, its descriptors and its zombies."""
    target, every = f"service:{name}", seconds_in(leaks.every)
    memory = StatusIs(f"leak.{name}.memory", target, seconds_in(leaks.every, STALE_AFTER_SAMPLES))
    descriptors = now_above(f"leak.{name}.descriptors_percent", target, leaks.descriptors, every)
    zombies = now_above(f"leak.{name}.zombies", target, float(leaks.zombies), every)
    table: tuple[tuple[str, Condition, str], ...] = (
        ("memory", memory, f"{name} takes ever more memory"),
        ("descriptors", descriptors, f"{name} has nearly all the files open that it may"),
        ("zombies", zombies, f"{name} leaves ended children behind"),
    )
    for label, condition, summary in table:
        rule = make.rule(
            f"{name}.{label}",
            target,
            condition,
            at=f"services.{name}.leaks",
            summary=summary,
            severity=leaks.severity,
            hold=Hold(fail_after=service.fail_after, recover_after=service.recover_after),
            ladder=make.ladder(
                _requests(name, label, leaks, make), attempts=_ATTEMPTS,
                settle_seconds=seconds_in(service.settle), bake_seconds=seconds_in(service.bake),
            ),
            runbook=leaks.runbook,
            depends_on=frozenset(incident_key(f"{AGENT}.{other}", f"service:{other}") for other in service.depends_on),
        )  # fmt: skip
        # A trend of a process that was there before the engine needs its time.
        over = seconds_in(leaks.over)
        patience = rule.unknown_patience_seconds + over
        yield replace(rule, unknown_patience_seconds=patience, known_after_seconds=over if label == "memory" else 0.0)


def _requests(name: str, label: str, leaks: ServiceLeaks, make: RuleMaker) -> Sequence[ActionRequest]:
    target, find = f"service:{name}", make.remedies.of
    if leaks.on_breach is not None:
        at = f"agents.{AGENT}.services.{name}.leaks.on_breach"
        return make.remedies.ladder(leaks.on_breach, target=target, at=at)
    first = [find("signal_parent", target)] if label == "zombies" else []
    return make.unasked([*first, find("restart_service", target)])


def signal_params(name: str, service: Service, user: str) -> Mapping[str, Any]:
    """Return the parameters of `signal_parent` for one service."""
    return {
        "service": name,
        "unit": service.unit,
        "pidfile": service.pidfile,
        "user": user,
        "executable": service.executable or "",
    }
