from __future__ import annotations

import pytest

from tests.support.guarding import by_alice, policy, question
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.auto_mitigate import AutoMitigate
from zen_agents.guards.mode import Mode
from zen_agents.guards.pipeline import assess
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Ruling


@pytest.mark.parametrize("mode", ["approve", "enforce"])
def test_modes_that_may_act_are_allowed_here(store: SqliteStore, mode: str) -> None:
    assert Mode().assess(question(store, policy=policy(mode=mode))).ruling is Ruling.ALLOW


def test_observe_never_acts(store: SqliteStore) -> None:
    asked = question(store, policy=policy(mode="observe", origins={"mode": "zen.yaml:1:7"}))
    answer = Mode().assess(asked)
    assert (answer.reason, answer.origin) == (Reason.MODE_OBSERVE, "zen.yaml:1:7")


def test_a_person_acts_in_observe(store: SqliteStore) -> None:
    asked = question(store, request=by_alice(), policy=policy(mode="observe"))
    assert assess(asked, [Mode()]).answers[0].value == "passed by alice: observe"


def test_a_mode_nobody_knows_refuses_everyone(store: SqliteStore) -> None:
    for asked in (None, by_alice()):
        verdict = assess(question(store, request=asked, policy=policy(mode="enforced")), [Mode()])
        assert verdict.reason is Reason.GUARD_ERROR


def test_an_agent_that_may_act_is_allowed(store: SqliteStore) -> None:
    assert AutoMitigate().assess(question(store)).value == "system_health: true"


@pytest.mark.parametrize("said", [{"system_health": False}, {}, {"system_health": None}, {"other": True}])
def test_an_agent_that_is_not_told_to_act_only_tells(store: SqliteStore, said: dict[str, bool]) -> None:
    answer = AutoMitigate().assess(question(store, policy=policy(auto_mitigate=said)))
    assert answer.reason is Reason.AUTO_MITIGATE_OFF


def test_a_person_acts_where_the_agent_only_tells(store: SqliteStore) -> None:
    asked = question(store, request=by_alice(), policy=policy(auto_mitigate={"system_health": False}))
    assert assess(asked, [AutoMitigate()]).ruling is Ruling.ALLOW
