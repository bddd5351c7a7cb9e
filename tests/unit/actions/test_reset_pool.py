"""reset_pool, over a simulated PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from chaos.simulation.host import SimulatedHost
from zen_agents.actions.reset_pool import ResetPool, ResetPoolPolicy
from zen_agents.adapters.null_control import NullControl
from zen_agents.errors import ActionFailedError, HostError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Effect, Plan, ResourceKind, Reversible, Risk

PARAMS: Mapping[str, Any] = {
    "server": "127.0.0.1:5432", "login": "zen_agents", "user": "app", "in_transaction_seconds": 60.0,
    "above_percent": 80.0, "at_most": 10,
}  # fmt: skip


class Site:
    """A server with 20 connections: 17 of them forgotten by an application, one of somebody else."""

    def __init__(self) -> None:
        self.host = SimulatedHost()
        self.pools = self.host.pools
        self.other = self.pools.connect("reports")
        self.forgotten = [self.pools.connect("app") for _ in range(17)]
        self.host.advance(61)
        self.action = ResetPool(self.host.clock)

    def plan(self, target: str = "pool:orders", **params: Any) -> Plan:
        request = ActionRequest("reset_pool", target, {**PARAMS, **params})
        return self.action.plan(request, self.host.look())

    async def act(self, plan: Plan) -> Effect:
        return await self.action.execute(plan, self.host.control())


@pytest.fixture
def site() -> Site:
    return Site()


async def test_those_forgotten_for_longest_are_ended_and_no_more_than_that_at_once(site: Site) -> None:
    plan = site.plan()
    assert [(touched.kind, touched.name) for touched in plan.touches] == [(ResourceKind.POOL, "orders")]
    assert plan.steps[0] == (
        "at 127.0.0.1:5432: end the sessions of app that waited in a transaction for 1 min, at most 10, longest first"
    )
    assert plan.steps[1].startswith(f"end session {site.forgotten[0]} (no name, from 127.0.0.1, idle in transaction since ")
    assert len(plan.steps) == 11
    effect = await site.act(plan)
    assert effect.detail == "ended 10 forgotten sessions of app"
    assert (effect.before, effect.after) == ("18 of 20 were taken", "8 of 20 are taken")
    assert set(site.pools.sessions) == {site.other, *site.forgotten[10:]}


async def test_nobody_elses_session_is_ended_however_long_it_waits(site: Site) -> None:
    others = [site.pools.connect("reports"), site.pools.connect("app", application="migration")]
    site.host.advance(3600)
    named = [site.pools.connect("app", application="web")]
    site.host.advance(61)
    await site.act(site.plan(application="web", at_most=100))
    assert set(site.pools.sessions) == {site.other, *site.forgotten, *others}
    assert named[0] not in site.pools.sessions


async def test_a_session_that_is_used_again_or_whose_number_came_again_is_spared(site: Site) -> None:
    plan = site.plan(at_most=3)
    first, second, _ = site.forgotten[:3]
    site.pools.sessions[first].state = "active"
    site.pools.sessions[second].waits_since = site.pools.now()
    effect = await site.act(plan)
    assert effect.detail == "ended 1 forgotten sessions of app; 2 were in use again"
    assert {first, second} <= set(site.pools.sessions)


async def test_with_none_left_of_those_planned_nothing_is_done(site: Site) -> None:
    plan = site.plan()
    for session in site.pools.sessions.values():
        session.state = "active"
    with pytest.raises(StalePlanError, match="none of these sessions"):
        await site.act(plan)
    assert len(site.pools.sessions) == 18


def test_a_pool_that_is_not_full_is_left_alone(site: Site) -> None:
    with pytest.raises(StalePlanError, match="18 of 20 are taken, no more than 90 %"):
        site.plan(above_percent=90.0)


def test_a_full_pool_whose_sessions_are_in_use_is_a_persons(site: Site) -> None:
    with pytest.raises(StalePlanError, match=r"no sessions of app waited .* \(17 of 18 are app's\)"):
        site.plan(in_transaction_seconds=3600.0)
    assert len(site.pools.sessions) == 18


def test_idle_outside_of_a_transaction_is_ended_only_where_that_is_written(site: Site) -> None:
    for session in site.pools.sessions.values():
        session.state = "idle"
    with pytest.raises(StalePlanError):
        site.plan()
    assert len(site.plan(idle_seconds=30.0).detail["sessions"]) == 10


def test_a_clock_that_was_set_forward_makes_nobody_forget(site: Site) -> None:
    for session in site.pools.sessions.values():
        session.waits_since = site.pools.now()
    site.host.clock.jump_wall(7200)
    for session in site.pools.sessions.values():
        session.waits_since -= 7200  # what the server, which counts by that clock, now thinks
    with pytest.raises(StalePlanError):
        site.plan()


def test_a_server_that_does_not_answer_is_not_acted_on(site: Site) -> None:
    site.pools.untold = "no answer"
    with pytest.raises(HostError, match="no answer"):
        site.plan()


async def test_what_the_server_refuses_has_failed(site: Site) -> None:
    plan = site.plan()
    site.pools.refuses = "must be a member of pg_signal_backend"
    with pytest.raises(ActionFailedError, match="pg_signal_backend"):
        await site.act(plan)


async def test_another_run_of_the_server_is_another_target_and_a_dry_run_changes_nothing(site: Site) -> None:
    plan = site.plan()
    site.pools.run = "its second run"
    assert site.plan().fingerprint != plan.fingerprint
    with pytest.raises(RefusedError, match="Dry run"):
        await site.action.execute(plan, NullControl(site.host))
    assert len(site.pools.sessions) == 18


async def test_nothing_is_ended_once_the_emergency_stop_is_set(site: Site) -> None:
    plan, control = site.plan(), site.host.control()
    control.stopped = True
    with pytest.raises(RefusedError, match="emergency stop"):
        await site.action.execute(plan, control)
    assert len(site.pools.sessions) == 18


@pytest.mark.parametrize(
    ("policy", "permitted"),
    [({}, True), ({"users": ["app"]}, True), ({"users": ["reports"]}, False), ({"pools": ["orders"]}, True),
     ({"pools": ["other"]}, False), ({"users": ["app"], "pools": ["other"]}, False)],
)  # fmt: skip
def test_the_scope_names_users_and_pools(site: Site, policy: Mapping[str, Any], permitted: bool) -> None:
    scope = ResetPoolPolicy.model_validate(policy)
    assert (scope.permits(site.plan()) == "") is permitted
    assert (scope.cooldown.total_seconds(), scope.max_per_hour) == (300.0, 6)


@pytest.mark.parametrize("target", ["", "pool:", "pool: ", "orders", "service:orders"])
def test_a_target_that_names_nothing_is_refused(site: Site, target: str) -> None:
    with pytest.raises(RefusedError):
        site.plan(target)


@pytest.mark.parametrize(
    "bad", [{"user": ""}, {"in_transaction_seconds": 0}, {"at_most": 0}, {"at_most": 101}, {"pids": [1]}]
)
def test_parameters_that_mean_all_or_come_from_elsewhere_are_refused(site: Site, bad: Mapping[str, Any]) -> None:
    with pytest.raises(ValidationError):
        site.plan(**bad)


def test_it_needs_a_list_and_says_that_it_cannot_be_undone(site: Site) -> None:
    plan = site.plan()
    assert (plan.risk, plan.reversible) == (Risk.HIGH, Reversible.NO)
    assert "rolled back" in plan.warning
    assert site.action.inverse(plan, Effect(True, "")) is None
    assert site.action.postcondition(plan) == ("pool.orders.percent_used", "pool:orders")
