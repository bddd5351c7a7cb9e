"""An agent whose settings do not say that it may act only tells."""

from __future__ import annotations

from types import SimpleNamespace

from tests.support.settings import loaded
from zen_agents.settings.policy import to_policy


def test_an_agent_that_is_not_told_that_it_may_act_only_tells() -> None:
    result = loaded("agents: {system_health: {enabled: true}}\n")
    silent = SimpleNamespace(name="from_a_package", settings=SimpleNamespace(), scope=frozenset, keep_running=frozenset)
    policy = to_policy(result.require(), result, [silent])  # type: ignore[list-item]
    assert policy.auto_mitigate == {"from_a_package": False}
