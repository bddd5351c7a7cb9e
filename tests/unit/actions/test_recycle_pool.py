"""recycle_pool, over a simulated host."""

from __future__ import annotations

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.actions.pool_scope import PoolsPolicy
from zen_agents.actions.recycle_pool import RecyclePool
from zen_agents.adapters.null_control import NullControl
from zen_agents.errors import RefusedError
from zen_agents.model.action import ActionRequest, Plan, ResourceKind, Reversible
from zen_agents.ports.host_commands import Command, CommandResult

PARAMS = {"argv": ["/srv/renew", "a b"], "user": "web", "timeout_seconds": 7.0}


def planned(host: SimulatedHost, target: str = "pool:orders") -> Plan:
    return RecyclePool().plan(ActionRequest("recycle_pool", target, PARAMS), host.look())


@pytest.mark.parametrize(("exit_code", "timed_out", "ok"), [(0, False, True), (3, False, False), (-9, True, False)])
async def test_the_listed_command_is_run_and_its_end_told(exit_code: int, timed_out: bool, ok: bool) -> None:
    host, run = SimulatedHost(), list[Command]()

    def renew(command: Command) -> CommandResult:
        run.append(command)
        return CommandResult(exit_code, "what it said", timed_out, 0.1)

    host.programs["/srv/renew"] = renew
    plan = planned(host)
    assert plan.steps == ('run ["/srv/renew", "a b"] as web',)
    effect = await RecyclePool().execute(plan, host.control())
    assert [(each.argv, each.user, each.timeout_seconds) for each in run] == [(("/srv/renew", "a b"), "web", 7.0)]
    assert (effect.ok, effect.output) == (ok, "what it said")


async def test_a_dry_run_runs_nothing() -> None:
    host = SimulatedHost()
    with pytest.raises(RefusedError, match="Dry run"):
        await RecyclePool().execute(planned(host), NullControl(host))


@pytest.mark.parametrize("target", ["", "pool:", "orders", "service:orders"])
def test_a_target_that_names_nothing_is_refused(target: str) -> None:
    with pytest.raises(RefusedError):
        planned(SimulatedHost(), target)


def test_its_scope_is_a_list_of_pools_with_a_budget_of_its_own() -> None:
    plan = planned(SimulatedHost())
    assert [(touched.kind, touched.name) for touched in plan.touches] == [(ResourceKind.POOL, "orders")]
    assert plan.reversible is Reversible.NO
    assert PoolsPolicy.model_validate({"pools": ["other"]}).permits(plan) == "orders is not in pools"
    assert PoolsPolicy.model_validate({"pools": ["orders"]}).permits(plan) == ""
    assert (PoolsPolicy().cooldown.total_seconds(), PoolsPolicy().max_per_hour) == (300.0, 6)
    assert RecyclePool().postcondition(plan) == ("pool.orders.percent_used", "pool:orders")
