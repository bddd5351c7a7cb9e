"""Name servers: asked themselves, their cache flushed, others standing in for them until they answer again."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.resolver import ResolverCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import AbsolutePath, ActionReference, Duration, Line, PositiveDuration
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import STALE_AFTER_SAMPLES, StatusIs
from zen_agents.rules.rule import Hold, Rule, Rung

#: What did not help at first seldom helps again, and a host without names waits. But a last one may have come to nothing,
#: as where the engine was killed in the middle of it.
_ATTEMPTS, _LAST_ATTEMPTS = 1, 2


def _address(value: str) -> str:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        raise refuse("address", f"is an IP address, got `{value}`") from None
    return value


#: An address of IPv4 or IPv6, without a port.
Address = Annotated[str, AfterValidator(_address)]


class WatchedResolver(Section):
    """The name servers of one resolv.conf."""

    file: AbsolutePath = Field("/etc/resolv.conf", description="the resolv.conf that names them")
    asks: Line = Field(min_length=1, description="a name that must be known, best one of your own network")
    expects: tuple[Address, ...] = Field((), description="addresses of which the answer must have one; empty: any will do")
    timeout: PositiveDuration = Field(timedelta(seconds=2), description="how long each name server may take to answer")
    fallbacks: Annotated[tuple[Address, ...], Field(max_length=3)] = Field(
        (), description="name servers that may stand in for those of the file (switch_resolver), the best one first"
    )
    revert_after: Duration = Field(
        timedelta(minutes=5), description="how long the file's own first one must answer again before it comes back"
    )
    every: PositiveDuration = Field(timedelta(seconds=30), description="how often the first one is asked")
    fail_after: Annotated[int, Field(ge=1, le=1000)] = Field(3, description="bad answers in a row that make it a problem")
    recover_after: Annotated[int, Field(ge=1, le=1000)] = Field(2, description="good answers in a row that end it")
    on_failure: tuple[ActionReference, ...] | None = Field(
        None,
        description="not given: flush_resolver_cache, then switch_resolver; empty list: only tell; "
        "or like [restart_service:unbound]",
    )
    severity: Severity = Field(Severity.ERROR, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")


class Resolvers(Area[Mapping[str, WatchedResolver]]):
    """`resolvers`: the first name server must know a name that it has to know."""

    def checks(self, section: Mapping[str, WatchedResolver], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what asks each."""
        del settings
        for name, resolver in section.items():
            yield ResolverCheck(
                name,
                file=resolver.file,
                asks=resolver.asks,
                expects=resolver.expects,
                fallbacks=resolver.fallbacks,
                every_seconds=seconds_in(resolver.every),
                answer_within_seconds=seconds_in(resolver.timeout),
            )

    def remedies(self, section: Mapping[str, WatchedResolver]) -> Iterable[Remedy]:
        """Return what may be done about each."""
        for name, resolver in section.items():
            yield "flush_resolver_cache", name, {"resolver": name}
            if resolver.fallbacks:
                params = {
                    "file": resolver.file, "asks": resolver.asks, "expects": list(resolver.expects),
                    "timeout_seconds": resolver.timeout.total_seconds(),
                }  # fmt: skip
                yield "switch_resolver", name, {**params, "fallbacks": list(resolver.fallbacks)}
                yield "restore_resolver", name, params

    def rules(self, section: Mapping[str, WatchedResolver], make: RuleMaker) -> Iterable[Rule]:
        """Return the rules about each."""
        for name, resolver in section.items():
            target = f"resolver:{name}"
            stale = seconds_in(resolver.every, STALE_AFTER_SAMPLES) + seconds_in(resolver.timeout)
            yield make.rule(
                name,
                target,
                StatusIs(f"resolver.{name}", target, stale),
                at=f"resolvers.{name}",
                summary=f"the name servers of {resolver.file} do not answer as they should",
                severity=resolver.severity,
                hold=Hold(fail_after=resolver.fail_after, recover_after=resolver.recover_after),
                ladder=_ladder(name, resolver, make),
                runbook=resolver.runbook,
            )
            if resolver.fallbacks:
                yield _way_back(name, resolver, stale, make)


def _ladder(name: str, resolver: WatchedResolver, make: RuleMaker) -> tuple[Rung, ...]:
    target = f"resolver:{name}"
    if resolver.on_failure is not None:
        at = f"resolvers.{name}.on_failure"
        return _last_again(make.named_ladder(resolver.on_failure, target=target, at=at, attempts=_ATTEMPTS))
    first, second = make.remedies.of("flush_resolver_cache", target), make.remedies.of("switch_resolver", target)
    return _last_again(make.ladder(make.unasked([first, second]), attempts=_ATTEMPTS))


def _last_again(rungs: tuple[Rung, ...]) -> tuple[Rung, ...]:
    return (*rungs[:-1], *(replace(rung, attempts=_LAST_ATTEMPTS) for rung in rungs[-1:]))


def _way_back(name: str, resolver: WatchedResolver, stale: float, make: RuleMaker) -> Rule:
    """Return the rule by which others stand in no longer than they must."""
    target = f"resolver:{name}"
    return make.rule(
        f"{name}.switched",
        target,
        StatusIs(f"resolver.{name}.switched", target, stale),
        at=f"resolvers.{name}.revert_after",
        summary=f"the own name servers of {resolver.file} answer again, and others still stand in",
        severity=Severity.WARNING,
        hold=Hold(held_for_seconds=seconds_in(resolver.revert_after)),
        ladder=make.ladder(make.unasked([make.remedies.of("restore_resolver", target)]), attempts=_LAST_ATTEMPTS),
        runbook=resolver.runbook,
    )
