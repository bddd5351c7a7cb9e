from __future__ import annotations

import pytest

from tests.support.guarding import NOW, by_alice, question
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.pause import Pause
from zen_agents.guards.pipeline import assess
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Ruling
from zen_agents.ports.store import Brake


def _pause(scope: str, *, until: float | None = None, kind: str = "pause") -> Brake:
    return Brake(kind, scope, "manual debugging", "alice", NOW, until)


def test_allows_while_nothing_is_paused(store: SqliteStore) -> None:
    assert Pause().assess(question(store)).ruling is Ruling.ALLOW


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


def test_a_scope_nobody_understands_covers_everything(store: SqliteStore) -> None:
    store.set_brake(_pause("the left half"))
    assert Pause().assess(question(store)).reason is Reason.PAUSED


def test_a_pause_ends_by_itself(store: SqliteStore) -> None:
    store.set_brake(_pause("host", until=NOW.steady - 1))
    assert Pause().assess(question(store)).ruling is Ruling.ALLOW


def test_a_rule_that_an_undo_paused_is_paused(store: SqliteStore) -> None:
    store.set_brake(_pause("rule:system_health.web", kind="rule_paused"))
    assert Pause().assess(question(store)).reason is Reason.PAUSED


def test_an_unknown_outcome_closes_its_target_to_the_engine_alone(store: SqliteStore) -> None:
    store.set_brake(_pause("target:service:web", kind="target_closed"))
    assert Pause().assess(question(store)).reason is Reason.UNKNOWN_OUTCOME
    assert assess(question(store, request=by_alice()), [Pause()]).ruling is Ruling.ALLOW
