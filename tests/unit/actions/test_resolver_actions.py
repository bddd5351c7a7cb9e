"""flush_resolver_cache."""

from __future__ import annotations

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.actions.flush_resolver_cache import FlushResolverCache
from zen_agents.errors import ActionFailedError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Plan
from zen_agents.ports.host import Command, CommandResult

TARGET = "resolver:host"


@pytest.fixture
def host() -> SimulatedHost:
    return SimulatedHost(seed=1)


def flushing(host: SimulatedHost, resolver: str = "host") -> Plan:
    request = ActionRequest("flush_resolver_cache", TARGET, {"resolver": resolver})
    return FlushResolverCache().plan(request, host.look())


def caches(host: SimulatedHost, *names: str) -> list[tuple[str, ...]]:
    """Let these run, and return where the commands go that are run."""
    ran: list[tuple[str, ...]] = []

    def program(command: Command) -> CommandResult:
        ran.append(command.argv)
        return CommandResult(0, "", False, 0.01)

    for name in names:
        host.add_service(name, unit=f"{name}.service")
        host.start(name)
    host.programs = dict.fromkeys(("resolvectl", "unbound-control", "nscd"), program)
    return ran


async def test_each_cache_that_runs_is_told_in_its_own_way(host: SimulatedHost) -> None:
    ran = caches(host, "nscd", "systemd-resolved", "unbound")
    plan = flushing(host)
    effect = await FlushResolverCache().execute(plan, host.control())
    assert ran == [("resolvectl", "flush-caches"), ("unbound-control", "flush_zone", "."), ("nscd", "--invalidate=hosts")]
    assert effect.ok and FlushResolverCache().postcondition(plan) == (TARGET.replace(":", "."), TARGET)


async def test_without_systemd_they_are_known_by_their_processes(host: SimulatedHost) -> None:
    host.systemd = False
    host.add_process("systemd-resolve")
    ran = caches(host)
    await FlushResolverCache().execute(flushing(host), host.control())
    assert ran == [("resolvectl", "flush-caches")]


def test_where_nothing_keeps_names_there_is_nothing_to_do(host: SimulatedHost) -> None:
    host.add_service("unbound", unit="unbound.service")
    with pytest.raises(StalePlanError, match="no names are kept"):
        flushing(host)


def test_the_target_has_to_be_the_one_that_is_meant(host: SimulatedHost) -> None:
    caches(host, "nscd")
    with pytest.raises(RefusedError):
        flushing(host, "other")


async def test_a_cache_that_does_not_do_it_has_failed(host: SimulatedHost) -> None:
    caches(host, "nscd")
    host.programs["nscd"] = lambda command: CommandResult(1, "permission denied", False, 0.01)
    with pytest.raises(ActionFailedError, match="permission denied"):
        await FlushResolverCache().execute(flushing(host), host.control())
