from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.guarding import NOW, by_alice, policy, question
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.guards.pipeline import assess
from zen_agents.guards.safe_mode import SafeMode
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling
from zen_agents.ports.store import Brake


def _brake(until: float | None = None) -> Brake:
    return Brake("safe_mode", "host", "odd disk errors", "alice", NOW, until)


@pytest.mark.parametrize(
    ("origins", "origin"),
    [
        ({}, ""),
        ({"safe_mode": "zen.yaml:60:1"}, "zen.yaml:60:1"),
        ({"safe_mode": "zen.yaml:60:1", "safe_mode.enter_when": "zen.yaml:61:3"}, "zen.yaml:61:3"),
    ],
)
def test_allows_while_it_is_off_and_says_what_would_set_it(store: SqliteStore, origins, origin: str) -> None:
    answer = SafeMode().assess(question(store, policy=policy(origins=origins)))
    assert answer == Answer("safe_mode", Ruling.ALLOW, None, "off", origin)


def test_refuses_while_it_is_on_and_says_why(store: SqliteStore) -> None:
    store.set_brake(_brake(until=NOW.steady + 60))
    answer = SafeMode().assess(question(store))
    assert (answer.reason, answer.until) == (Reason.SAFE_MODE, NOW.steady + 60)
    assert answer.value == "host by alice: odd disk errors (1m left)"


def test_one_whose_end_has_passed_no_longer_holds(store: SqliteStore) -> None:
    store.set_brake(_brake(until=NOW.steady))
    assert SafeMode().assess(question(store)).ruling is Ruling.ALLOW


def test_a_state_that_cannot_be_written_is_safe_mode() -> None:
    with_no_disk = SqliteStore.volatile()
    answer = SafeMode().assess(question(with_no_disk))
    assert (answer.reason, answer.value) == (Reason.SAFE_MODE, "the state cannot be written")


def test_a_state_that_cannot_be_read_is_a_refusal(tmp_path: Path) -> None:
    closed = SqliteStore(tmp_path / "state.db")
    closed.close()
    assert assess(question(closed), [SafeMode()]).reason is Reason.GUARD_ERROR


def test_a_person_with_a_reason_passes_and_that_stays_visible(store: SqliteStore) -> None:
    store.set_brake(_brake())
    verdict = assess(question(store, request=by_alice()), [SafeMode()])
    assert verdict.ruling is Ruling.ALLOW
    assert verdict.answers[0].value.startswith("passed by alice: host by alice: odd disk errors")


def test_a_person_without_a_reason_does_not_pass(store: SqliteStore) -> None:
    store.set_brake(_brake())
    assert assess(question(store, request=by_alice(because="  ")), [SafeMode()]).reason is Reason.SAFE_MODE
