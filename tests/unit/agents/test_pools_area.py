"""`pools:` what may be written, and what comes of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from zen_agents.actions.base import ActionPolicy
from zen_agents.actions.recycle_pool import RecyclePoolParams
from zen_agents.actions.reset_pool import ResetPoolParams
from zen_agents.agents.base import AgentContext
from zen_agents.agents.system_health.agent import SystemHealthAgent
from zen_agents.agents.system_health.areas.pool_settings import WatchedPool
from zen_agents.agents.system_health.settings import SystemHealthSettings

POSTGRES: dict[str, Any] = {
    "postgres": {"server": "127.0.0.1:5432", "password_file": "/etc/zen-agents/pg"},
    "user": "app", "application": "web", "in_transaction_for": "2m", "idle_for": "1h", "at_most": 5,
}  # fmt: skip
PGBOUNCER: dict[str, Any] = {"pgbouncer": {"server": "127.0.0.1:6432"}, "user": "app", "database": "orders"}


def agent(entry: Mapping[str, Any], *allowed: str) -> SystemHealthAgent:
    settings = SystemHealthSettings.model_validate({"pools": {"orders": entry}})
    policies = {name: ActionPolicy() for name in allowed} if allowed else None
    return SystemHealthAgent(settings, AgentContext("here", policies=policies))


PLUGIN: dict[str, Any] = {
    "plugin": {"command": ["/usr/local/lib/pool", "-x"]},
    "reset": {"run": ["/srv/renew"], "user": "app"},
}
PAGE: dict[str, Any] = {"http": {"url": "https://[::1]/pool", "used": "pool.active", "token_file": "/etc/zen-agents/token"}}


def ladder(of: SystemHealthAgent) -> list[str]:
    (rule,) = [rule for rule in of.rules() if rule.target == "pool:orders"]
    return [rung.alternatives[0].action for rung in rule.ladder]


def test_a_postgresql_is_given_back_what_was_forgotten_where_the_list_allows_it() -> None:
    of = agent(POSTGRES, "reset_pool")
    assert ladder(of) == ["reset_pool"]
    assert ladder(agent(POSTGRES, "restart_service")) == []
    assert ladder(agent({**POSTGRES, "on_breach": []}, "reset_pool")) == []
    (remedy,) = [remedy for remedy in of.remedies() if remedy.target == "pool:orders"]
    params = ResetPoolParams.model_validate(dict(remedy.params))
    assert params.question == WatchedPool.model_validate(POSTGRES).asked
    assert (params.at_most, params.above_percent, params.in_transaction_seconds) == (5, 80.0, 120.0)


def test_a_postgresql_of_which_nobody_is_named_is_counted_and_has_no_remedy() -> None:
    of = agent({"postgres": POSTGRES["postgres"]}, "reset_pool")
    assert ladder(of) == []
    assert [remedy for remedy in of.remedies() if remedy.target == "pool:orders"] == []
    assert WatchedPool.model_validate({"postgres": POSTGRES["postgres"]}).asked.user == ""


def test_a_pgbouncer_is_only_watched() -> None:
    of = agent(PGBOUNCER, "reset_pool")
    assert ladder(of) == []
    assert [remedy for remedy in of.remedies() if remedy.target == "pool:orders"] == []
    (check,) = [check for check in of.checks() if check.target == "pool:orders"]
    assert check.observes == ("pool.orders.percent_used", "pool.orders.sessions")
    assert WatchedPool.model_validate(PGBOUNCER).asked.login_database == "pgbouncer"


def test_a_pool_about_which_a_plugin_tells_is_renewed_by_its_own_command() -> None:
    of = agent(PLUGIN, "reset_pool", "recycle_pool")
    assert ladder(of) == ["recycle_pool"]
    (remedy,) = [remedy for remedy in of.remedies() if remedy.target == "pool:orders"]
    params = RecyclePoolParams.model_validate(dict(remedy.params))
    assert (params.argv, params.user) == (("/srv/renew",), "app" if os.geteuid() == 0 else "")
    (check,) = [check for check in of.checks() if check.target == "pool:orders"]
    assert (check.observes, check.endpoints) == (("pool.orders.percent_used",), ())


@pytest.mark.parametrize(
    ("url", "server"),
    [("http://app/pool", "app:80"), ("https://app/pool", "app:443"), ("https://[::1]:8443/pool", "[::1]:8443")],
)
def test_a_page_is_asked_where_it_is(url: str, server: str) -> None:
    asked = WatchedPool.model_validate({"http": {**PAGE["http"], "url": url}}).asked
    assert (asked.kind, asked.server, asked.url, asked.used_at, asked.limit_at) == (
        "http",
        server,
        url,
        "pool.active",
        "limit",
    )
    assert ladder(agent(PAGE, "recycle_pool")) == []


@pytest.mark.parametrize(
    "entry",
    [
        {**PLUGIN, **PAGE}, {**PLUGIN, "user": "app"}, {**PAGE, "database": "orders"}, {**PAGE, "idle_for": "1h"},
        {"plugin": {"command": ["pool"]}}, {"plugin": {"command": []}}, {**PLUGIN, "reset": {"run": [], "user": "app"}},
        {"http": {"url": "ftp://app/pool"}}, {"http": {"url": "http://app/pool", "used": "a..b"}},
        {**POSTGRES, "reset": {"run": ["/srv/renew"], "user": "app"}}, {"pgbouncer": PGBOUNCER["pgbouncer"]},
    ],
)  # fmt: skip
def test_what_is_for_another_kind_of_pool_is_refused(entry: Mapping[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WatchedPool.model_validate(entry)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to name the account")
def test_as_root_a_command_says_who_runs_it() -> None:
    with pytest.raises(ValidationError, match="needs `user:`"):
        WatchedPool.model_validate({**PLUGIN, "reset": {"run": ["/srv/renew"]}})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"postgres": None}, "exactly one of"),
        ({"pgbouncer": {"server": "127.0.0.1:6432"}}, "exactly one of"),
        ({"user": "zen_agents"}, "engine's own role"),
        ({"user": ""}, "name of a role"),
        ({"postgres": {"server": "nowhere"}}, "127.0.0.1|HOST:PORT|port"),
        ({"postgres": {"server": "127.0.0.1:5432", "tls": "verify-full"}}, "needs `authority`"),
        ({"postgres": {"server": "127.0.0.1:5432", "password": "secret"}}, "not permitted"),
        ({"at_most": 0}, "greater than or equal to 1"),
        ({"in_transaction_for": "0s"}, "at least 1ms"),
    ],
)
def test_what_cannot_be_meant_is_refused(change: Mapping[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        WatchedPool.model_validate({**POSTGRES, **change})


@pytest.mark.parametrize("change", [{"database": ""}, {"application": "web"}, {"idle_for": "1h"}])
def test_a_pgbouncer_is_asked_only_what_its_console_says(change: Mapping[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WatchedPool.model_validate({**PGBOUNCER, **change})
