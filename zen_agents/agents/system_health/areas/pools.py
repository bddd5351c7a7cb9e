"""Pools of connections to databases: what an application forgot is given back before nobody gets in any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.areas.pool_settings import WatchedPool
from zen_agents.agents.system_health.rule_maker import RuleMaker, now_above
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.pool import PoolCheck
from zen_agents.model.duration import seconds_in
from zen_agents.rules.rule import Hold, Rule, Rung

#: Each ends a few sessions; where as many are forgotten again at once, somebody has to mend the application.
_ATTEMPTS = 3


class Pools(Area[Mapping[str, WatchedPool]]):
    """`pools`: counted, and at a PostgreSQL given back what one user forgot."""

    def checks(self, section: Mapping[str, WatchedPool], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what asks each."""
        del settings
        for name, pool in section.items():
            every, within = seconds_in(pool.every), seconds_in(pool.timeout)
            yield PoolCheck(name, pool.asked, every_seconds=every, answer_within_seconds=within)

    def remedies(self, section: Mapping[str, WatchedPool]) -> Iterable[Remedy]:
        """Return what ends forgotten sessions; those behind a PgBouncer are its server's, which is a pool of its own."""
        for name, pool in section.items():
            if pool.postgres is not None:
                asked = asdict(pool.asked)
                del asked["kind"]
                limits = {"above_percent": pool.above, "at_most": pool.at_most}
                yield "reset_pool", name, {**asked, **limits, "timeout_seconds": seconds_in(pool.timeout)}

    def rules(self, section: Mapping[str, WatchedPool], make: RuleMaker) -> Iterable[Rule]:
        """Return one rule for each."""
        for name, pool in section.items():
            target, at = f"pool:{name}", f"pools.{name}"
            yield make.rule(
                name,
                target,
                now_above(f"pool.{name}.percent_used", target, pool.above, seconds_in(pool.every)),
                at=at,
                summary=f"the connections that {pool.user} can have are nearly used up",
                severity=pool.severity,
                hold=Hold(held_for_seconds=seconds_in(pool.held_for)),
                ladder=_ladder(pool, target, at, make),
                runbook=pool.runbook,
            )


def _ladder(pool: WatchedPool, target: str, at: str, make: RuleMaker) -> tuple[Rung, ...]:
    if pool.on_breach is not None:
        return make.named_ladder(pool.on_breach, target=target, at=f"{at}.on_breach", attempts=_ATTEMPTS)
    return make.ladder(make.unasked([make.remedies.of("reset_pool", target)]), attempts=_ATTEMPTS)
