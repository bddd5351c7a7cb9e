"""Every decision is written once, with every guard's answer; a person's act carries the name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.state import an_incident, an_intent, an_outcome
from zen_agents.adapters.action_log import ActionLogFile
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import Instant, SystemClock
from zen_agents.engine.journal import Journal
from zen_agents.errors import StoreError
from zen_agents.model.action import OutcomeKind
from zen_agents.model.decision import Decision, DecisionKind
from zen_agents.model.principal import Principal
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer, Ruling, Verdict

NOW = SystemClock().now()


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "state.db")


@pytest.fixture
def journal(store: SqliteStore, tmp_path: Path) -> Journal:
    return Journal(store, ActionLogFile(tmp_path / "actions.log"))


def refusal(reason: Reason, guard: str = "rate_limit") -> Verdict:
    answers = (
        Answer("mode", Ruling.ALLOW, None, "enforce"),
        Answer(guard, Ruling.DENY, reason, "5 of 5", "config.yaml:3:1"),
    )
    return Verdict(Ruling.DENY, reason, answers)


def decision(kind: DecisionKind = DecisionKind.ACT, at: Instant = NOW) -> Decision:
    return Decision(kind, Reason.HELD, at)


def bodies(store: SqliteStore) -> list[Any]:
    store.commit()
    return [row.entry.body for row in store.entries()]


def test_a_refusal_names_the_guard_its_value_and_where_it_is_written(journal: Journal, store: SqliteStore) -> None:
    assert journal.decided(an_incident("inc-1", NOW), decision(), refusal(Reason.RATE_LIMIT)) is not None
    (body,) = bodies(store)
    assert (body["outcome"], body["reason"]) == ("skip", "rate_limit")
    assert [guard["guard"] for guard in body["guards"]] == ["mode", "rate_limit"]
    assert body["guards"][1]["value"] == "5 of 5"
    assert body["guards"][1]["origin"] == "config.yaml:3:1"


def test_the_same_no_is_written_once_and_another_no_again(journal: Journal, store: SqliteStore) -> None:
    incident = an_incident("inc-1", NOW)
    for _ in range(10):
        journal.decided(incident, decision(), refusal(Reason.RATE_LIMIT))
    journal.decided(incident, decision(), refusal(Reason.COOLDOWN, "cooldown"))
    journal.decided(replace(incident, attempts=1), decision(), refusal(Reason.COOLDOWN, "cooldown"))
    assert [body["reason"] for body in bodies(store)] == ["rate_limit", "cooldown", "cooldown"]


def test_a_decision_that_went_with_a_lost_batch_is_written_again(journal: Journal, store: SqliteStore) -> None:
    """Else the intent that follows would stand in the ledger with nothing that says why."""
    incident, allowed = an_incident("inc-1", NOW), Verdict(Ruling.ALLOW, None, (Answer("mode", Ruling.ALLOW),))
    journal.decided(incident, decision(), allowed)
    store._file.rollback()
    journal.decided(incident, decision(), allowed)
    assert [body["outcome"] for body in bodies(store)] == ["act"]


def test_a_decision_that_could_not_be_written_is_written_later(
    journal: Journal, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident = an_incident("inc-1", NOW)
    with monkeypatch.context() as broken:
        broken.setattr(store, "append", lambda entry: (_ for _ in ()).throw(StoreError("full")))
        with pytest.raises(StoreError):
            journal.decided(incident, decision(), refusal(Reason.RATE_LIMIT))
    journal.decided(incident, decision(), refusal(Reason.RATE_LIMIT))
    assert [body["reason"] for body in bodies(store)] == ["rate_limit"]


def test_when_an_incident_is_over_the_next_one_is_news(journal: Journal, store: SqliteStore) -> None:
    incident = an_incident("inc-1", NOW)
    journal.decided(incident, decision(), refusal(Reason.RATE_LIMIT))
    journal.forget(incident.key)
    journal.decided(incident, decision(), refusal(Reason.RATE_LIMIT))
    assert len(bodies(store)) == 2


def test_a_person_is_named_in_the_ledger_and_in_the_plain_log(journal: Journal, store: SqliteStore, tmp_path: Path) -> None:
    alice = Principal("alice", 1000)
    journal.human(NOW, alice, "pause", {"scope": "target:service:web", "reason": "deploy"})
    store.commit()
    entry = store.entries()[0].entry
    assert (entry.actor, entry.body["uid"], entry.body["reason"]) == ("alice", 1000, "deploy")
    columns = (tmp_path / "actions.log").read_text().rstrip("\n").split("\t")
    assert columns[2:] == ["HUMAN", "pause", "pause", "target:service:web", "alice", "-", "deploy"]


def test_intent_and_outcome_are_a_line_each(journal: Journal, tmp_path: Path) -> None:
    intent = an_intent("act-1", NOW)
    journal.intended(intent)
    journal.ended(intent, an_outcome("act-1", OutcomeKind.VERIFIED, NOW))
    lines = [line.split("\t") for line in (tmp_path / "actions.log").read_text().splitlines()]
    assert [(line[2], line[3], line[7], line[8]) for line in lines] == [
        ("INTENT", "act-1", "-", "it is down"), ("OUTCOME", "act-1", "verified", "restarted"),
    ]  # fmt: skip
