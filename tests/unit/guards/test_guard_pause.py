from __future__ import annotations

import pytest

from tests.support.guarding import NOW, by_alice, question, request
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.pause import Pause
from zen_agents.guards.pipeline import assess
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling
from zen_agents.ports.store import Brake


def _pause(scope: str, *, until: float | None = None, kind: str = "pause") -> Brake:
    return Brake(kind, scope, "manual debugging", "alice", NOW, until)


def test_allows_while_nothing_is_paused(store: SqliteStore) -> None:
    assert Pause().assess(question(store)) == Answer("pause", Ruling.ALLOW, None, "none active")


@pytest.mark.parametrize("scope", ["host", "agent:system_health", "rule:system_health.web", "target:service:web"])
def test_each_scope_that_covers_the_question_refuses(store: SqliteStore, scope: str) -> None:
    store.set_brake(_pause(scope, until=NOW.steady + 7200))
    answer = Pause().assess(question(store))
    assert (answer.reason, answer.until) == (Reason.PAUSED, NOW.steady + 7200)
    assert "2h left" in answer.value


@pytest.mark.parametrize("scope", ["agent:log_analysis", "rule:system_health.we", "target:service:webmail"])
def test_a_pause_of_something_else_does_not_matter(store: SqliteStore, scope: str) -> None:
    store.set_brake(_pause(scope))
    assert Pause().assess(question(store)).ruling is Ruling.ALLOW


@pytest.mark.parametrize("scope", ["the left half", "", "agent", "agent:", "rule:", "target:"])
def test_a_scope_nobody_understands_covers_everything(store: SqliteStore, scope: str) -> None:
    store.set_brake(_pause(scope))
    assert Pause().assess(question(store)).reason is Reason.PAUSED


def test_a_pause_ends_by_itself(store: SqliteStore) -> None:
    store.set_brake(_pause("host", until=NOW.steady - 1))
    assert Pause().assess(question(store)).ruling is Ruling.ALLOW


def test_a_rule_that_an_undo_paused_is_paused(store: SqliteStore) -> None:
    store.set_brake(_pause("rule:system_health.web", kind="rule_paused"))
    assert Pause().assess(question(store)).reason is Reason.PAUSED


def test_an_unknown_outcome_closes_its_target_to_the_engine_alone(store: SqliteStore) -> None:
    store.set_brake(_pause("target:service:web", kind="target_closed", until=NOW.steady + 60))
    answer = Pause().assess(question(store))
    assert (answer.reason, answer.until) == (Reason.UNKNOWN_OUTCOME, NOW.steady + 60)
    assert answer.value == "target:service:web by alice: manual debugging (1m left)"
    assert assess(question(store, request=by_alice()), [Pause()]).ruling is Ruling.ALLOW


@pytest.mark.parametrize("scope", ["agent:system_health", "rule:system_health.web"])
def test_a_request_that_does_not_say_whose_it_is_is_its_incidents(store: SqliteStore, scope: str) -> None:
    store.set_brake(_pause(scope))
    unsigned = request(agent="", rule="")
    assert Pause().assess(question(store, request=unsigned)).reason is Reason.PAUSED
    assert Pause().assess(question(store, request=unsigned, incident=None)).ruling is Ruling.ALLOW


def test_one_brake_that_ended_or_is_elsewhere_does_not_hide_the_next(store: SqliteStore) -> None:
    store.set_brake(_pause("agent:system_health", until=NOW.steady))
    store.set_brake(_pause("target:service:mail"))
    store.set_brake(_pause("target:service:web"))
    assert Pause().assess(question(store)).value == "target:service:web by alice: manual debugging (until lifted)"


def test_a_pause_without_a_reason_says_who_set_it(store: SqliteStore) -> None:
    store.set_brake(Brake("pause", "host", "", "alice", NOW, None))
    said = Answer("pause", Ruling.DENY, Reason.PAUSED, "host by alice (until lifted)")
    assert Pause().assess(question(store)) == said
