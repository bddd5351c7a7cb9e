"""Pools of connections: what an application forgot is given back before nobody gets in any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from zen_agents.agents.system_health.areas.argv import account_of
from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.areas.pool_settings import WatchedPool
from zen_agents.agents.system_health.rule_maker import RuleMaker, now_above
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.pool import PluginPoolCheck, PoolCheck
from zen_agents.model.duration import seconds_in
from zen_agents.ports.host_plugins import PluginCall
from zen_agents.rules.rule import Hold, Rule, Rung

#: Each ends a few sessions; where as many are forgotten again at once, somebody has to mend the application.
_ATTEMPTS = 3


class Pools(Area[Mapping[str, WatchedPool]]):
    """`pools`: counted; at a PostgreSQL what one user forgot is ended, elsewhere the application is told to."""

    def checks(self, section: Mapping[str, WatchedPool], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what asks each."""
        del settings
        for name, pool in section.items():
            every, within = seconds_in(pool.every), seconds_in(pool.timeout)
            if pool.plugin is not None:
                yield PluginPoolCheck(name, PluginCall(pool.plugin.command, pool.plugin.user, within), every_seconds=every)
            else:
                yield PoolCheck(name, pool.asked, every_seconds=every, answer_within_seconds=within)

    def remedies(self, section: Mapping[str, WatchedPool]) -> Iterable[Remedy]:
        """Return what ends forgotten sessions; those behind a PgBouncer are its server's, which is a pool of its own."""
        for name, pool in section.items():
            if pool.postgres is not None and pool.user is not None:
                yield "reset_pool", name, _postgres_params(pool)
            if pool.reset is not None:
                argv, account = list(pool.reset.run), account_of(pool.reset.user)
                params = {"argv": argv, "user": account, "timeout_seconds": seconds_in(pool.reset.timeout)}
                yield "recycle_pool", name, params

    def rules(self, section: Mapping[str, WatchedPool], make: RuleMaker) -> Iterable[Rule]:
        """Return one rule for each."""
        for name, pool in section.items():
            target, at = f"pool:{name}", f"pools.{name}"
            yield make.rule(
                name,
                target,
                now_above(f"pool.{name}.percent_used", target, pool.above, seconds_in(pool.every)),
                at=at,
                summary=_summary(name, pool),
                severity=pool.severity,
                hold=Hold(held_for_seconds=seconds_in(pool.held_for)),
                ladder=_ladder(pool, target, at, make),
                runbook=pool.runbook,
            )


def _postgres_params(pool: WatchedPool) -> Mapping[str, Any]:
    asked = asdict(pool.asked)
    for key in ("kind", "url", "used_at", "limit_at"):
        del asked[key]
    limits = {"above_percent": pool.above, "at_most": pool.at_most}
    return {**asked, **limits, "timeout_seconds": seconds_in(pool.timeout)}


def _summary(name: str, pool: WatchedPool) -> str:
    whose = f"that {pool.user} can have" if pool.user is not None else f"of {name}"
    return f"the connections {whose} are nearly used up"


def _ladder(pool: WatchedPool, target: str, at: str, make: RuleMaker) -> tuple[Rung, ...]:
    if pool.on_breach is not None:
        return make.named_ladder(pool.on_breach, target=target, at=f"{at}.on_breach", attempts=_ATTEMPTS)
    requests = [make.remedies.of(action, target) for action in ("reset_pool", "recycle_pool")]
    return make.ladder(make.unasked(requests), attempts=_ATTEMPTS)
