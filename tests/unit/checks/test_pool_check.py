"""The check of a connection pool: how full, whose, and how many were forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.checks.pool import PluginPoolCheck, PoolCheck
from zen_agents.model.observation import Observation, Status
from zen_agents.model.pool import PoolLook, PoolQuestion
from zen_agents.ports.host_plugins import PluginCall

ASKED = PoolQuestion("postgres", "127.0.0.1:5432", "zen_agents", "postgres", "app", in_transaction_seconds=60.0)


@pytest.fixture
def host() -> SimulatedHost:
    return SimulatedHost()


async def seen(host: SimulatedHost, asked: PoolQuestion = ASKED) -> dict[str, Observation]:
    check = PoolCheck("orders", asked, every_seconds=30.0, answer_within_seconds=5.0)
    found = await check.probe(host.look(), host.clock.now())
    assert [each.name for each in found] == list(check.observes)
    assert {each.target for each in found} == {"pool:orders"}
    return {each.name.removeprefix("pool.orders."): each for each in found}


async def test_taken_meant_and_forgotten_are_counted_apart(host: SimulatedHost) -> None:
    host.pools.connect("reports")
    for _ in range(3):
        host.pools.connect("app")
    host.advance(61)
    host.pools.connect("app")
    found = await seen(host)
    assert {name: each.value for name, each in found.items()} == {"percent_used": 25.0, "sessions": 4.0, "forgotten": 3.0}
    assert found["percent_used"].detail == (
        "5 of 20 connections of the server are taken, 4 sessions are app's, 3 of them forgotten"
    )


async def test_a_session_outside_of_a_transaction_is_forgotten_only_where_that_is_asked_for(host: SimulatedHost) -> None:
    host.pools.connect("app", state="idle")
    host.pools.connect("app", state="active")
    host.advance(3600)
    assert (await seen(host))["forgotten"].value == 0.0
    assert (await seen(host, replace(ASKED, idle_seconds=600.0)))["forgotten"].value == 1.0


async def test_what_cannot_be_asked_says_nothing(host: SimulatedHost) -> None:
    host.pools.untold = "127.0.0.1:5432 does not answer: connection refused"
    found = await seen(host)
    assert {each.status for each in found.values()} == {Status.UNKNOWN}
    assert found["percent_used"].detail == host.pools.untold


async def test_a_server_without_a_connection_for_the_look_is_full(host: SimulatedHost) -> None:
    host.faults.answer("pool", PoolLook(full="sorry, too many clients already"))
    found = await seen(host)
    assert (found["percent_used"].status, found["percent_used"].value) == (Status.OK, 100.0)
    assert found["percent_used"].detail == "no connection is left: sorry, too many clients already"
    assert {found[name].status for name in ("sessions", "forgotten")} == {Status.UNKNOWN}


async def told_by_plugin(host: SimulatedHost, status: int, output: str) -> Observation:
    host.plugins["/usr/local/lib/pool"] = status, output
    check = PluginPoolCheck("orders", PluginCall(("/usr/local/lib/pool",), "nobody", 5.0), every_seconds=30.0)
    (found,) = await check.probe(host.look(), host.clock.now())
    assert (found.name, found.target) == ("pool.orders.percent_used", "pool:orders")
    return found


@pytest.mark.parametrize("status", [0, 1, 2])
async def test_a_plugin_tells_the_two_numbers_whatever_it_thinks_of_them(host: SimulatedHost, status: int) -> None:
    found = await told_by_plugin(host, status, "POOL busy|'used'=18 limit=20;;;0")
    assert (found.value, found.detail) == (90.0, "18 of 20 connections of the pool are taken")


@pytest.mark.parametrize(
    ("status", "output"),
    [(3, "no idea|used=1 limit=2"), (0, "fine"), (0, "fine|used=1"), (0, "fine|used=1 limit=0"), (0, "")],
)
async def test_a_plugin_without_the_two_numbers_tells_nothing(host: SimulatedHost, status: int, output: str) -> None:
    found = await told_by_plugin(host, status, output)
    assert (found.status, found.value) == (Status.UNKNOWN, None)


def test_a_pgbouncer_tells_nothing_of_forgotten_ones() -> None:
    asked = replace(ASKED, kind="pgbouncer", server="[::1]:6432", database="orders")
    check = PoolCheck("orders", asked, every_seconds=30.0, answer_within_seconds=5.0)
    assert check.observes == ("pool.orders.percent_used", "pool.orders.sessions")
    assert check.endpoints == (("::1", 6432),)
