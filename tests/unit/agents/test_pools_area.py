"""`pools:` what may be written, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from zen_agents.actions.base import ActionPolicy
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


def test_a_pgbouncer_is_only_watched() -> None:
    of = agent(PGBOUNCER, "reset_pool")
    assert ladder(of) == []
    assert [remedy for remedy in of.remedies() if remedy.target == "pool:orders"] == []
    (check,) = [check for check in of.checks() if check.target == "pool:orders"]
    assert check.observes == ("pool.orders.percent_used", "pool.orders.sessions")
    assert WatchedPool.model_validate(PGBOUNCER).asked.login_database == "pgbouncer"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"postgres": None}, "exactly one of"),
        ({"pgbouncer": {"server": "127.0.0.1:6432"}}, "exactly one of"),
        ({"user": "zen_agents"}, "engine's own role"),
        ({"user": ""}, "too_short"),
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
