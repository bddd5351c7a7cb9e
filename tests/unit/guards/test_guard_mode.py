from __future__ import annotations

import pytest

from tests.support.guarding import by_alice, policy, question, request
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.auto_mitigate import AutoMitigate
from zen_agents.guards.mode import Mode
from zen_agents.guards.pipeline import assess
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling

WRITTEN = {"agents.system_health.auto_mitigate": "zen.yaml:5:5"}


@pytest.mark.parametrize("mode", ["approve", "enforce"])
def test_modes_that_may_act_are_allowed_here(store: SqliteStore, mode: str) -> None:
    answer = Mode().assess(question(store, policy=policy(mode=mode, origins={"mode": "zen.yaml:1:7"})))
    assert (answer.ruling, answer.value, answer.origin) == (Ruling.ALLOW, mode, "zen.yaml:1:7")


def test_a_default_is_written_nowhere(store: SqliteStore) -> None:
    assert Mode().assess(question(store)) == Answer("mode", Ruling.ALLOW, None, "enforce", "")


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
        assert (verdict.reason, verdict.answers[0].value) == (Reason.GUARD_ERROR, "ValueError: unknown mode 'enforced'")


def test_an_agent_that_may_act_is_allowed(store: SqliteStore) -> None:
    answer = AutoMitigate().assess(question(store, policy=policy(origins=WRITTEN)))
    assert (answer.ruling, answer.value, answer.origin) == (Ruling.ALLOW, "system_health: true", "zen.yaml:5:5")


@pytest.mark.parametrize(
    ("set_to", "said"),
    [
        ({"system_health": False}, "system_health: false"),
        ({}, "no agent 'system_health' is configured"),
        ({"system_health": None}, "no agent 'system_health' is configured"),
        ({"other": True}, "no agent 'system_health' is configured"),
    ],
)
def test_an_agent_that_is_not_told_to_act_only_tells(store: SqliteStore, set_to: dict[str, bool], said: str) -> None:
    answer = AutoMitigate().assess(question(store, policy=policy(auto_mitigate=set_to, origins=WRITTEN)))
    assert (answer.reason, answer.value, answer.origin) == (Reason.AUTO_MITIGATE_OFF, said, "zen.yaml:5:5")


def test_a_request_that_does_not_say_whose_it_is_is_its_incidents_agents(store: SqliteStore) -> None:
    unsigned = request(agent="")
    assert AutoMitigate().assess(question(store, request=unsigned)).ruling is Ruling.ALLOW
    nobodys = AutoMitigate().assess(question(store, request=unsigned, incident=None))
    assert (nobodys.reason, nobodys.value) == (Reason.AUTO_MITIGATE_OFF, "no agent '' is configured")


def test_a_person_acts_where_the_agent_only_tells(store: SqliteStore) -> None:
    asked = question(store, request=by_alice(), policy=policy(auto_mitigate={"system_health": False}))
    assert assess(asked, [AutoMitigate()]).ruling is Ruling.ALLOW
