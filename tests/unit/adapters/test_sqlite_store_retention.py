"""Old rows and bodies go, what is needed stays, the chain verifies, and the file stops growing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.state import START, a_message, an_entry, an_incident, an_intent, an_observation, an_outcome
from zen_agents.adapters import sqlite_store, sqlite_store_retention
from zen_agents.adapters.ledger_audit import export, verify
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import Instant, ManualClock
from zen_agents.model.action import OutcomeKind
from zen_agents.model.entry import Entry, EntryKind
from zen_agents.model.incident import IncidentState
from zen_agents.model.message import MessageKind
from zen_agents.ports.store import Usage
from zen_agents.store.ledger import PRUNED

LONGEST_LOG_BYTES = 8 * 1024 * 1024


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def test_old_rows_go_and_what_is_not_finished_stays(path: Path) -> None:
    old, new = Instant(START, 100.0), Instant(START, 900.0)
    store = SqliteStore(path)
    for at, mark in ((old, "old"), (new, "new")):
        store.record_usage(Usage(mark, "tick", at, 0.1, 0.1, 1, 1))
        store.record_observations([an_observation(f"{mark}.percent", at, value=1.0)])
        store.save_incident(an_incident(f"inc-{mark}-live", at))
        resolved = replace(an_incident(f"inc-{mark}", at), state=IncidentState.RESOLVED, resolved_at=at)
        store.save_incident(resolved)
        store.enqueue(a_message(f"alr-{mark}", MessageKind.FIRING, at), ["pagerduty", "email"], at.steady)
        store.reserve(an_intent(f"act-{mark}", at, target=f"service:{mark}"), hourly_limit=9)
        store.finish(an_outcome(f"act-{mark}", OutcomeKind.VERIFIED, at))
    store.reserve(an_intent("act-old-running", old, target="service:run"), hourly_limit=9)
    for row in store.due_messages(1000.0):
        if row.channel == "pagerduty":
            store.mark_sent(row.id, new)
    dropped = store.prune(metrics_before=500.0, decisions_before=500.0, actions_before=500.0)
    assert dropped == 7  # usage, observation, incident, action, message; bodies of an intent and an outcome
    assert [usage.agent for usage in store.usage(since=0.0)] == ["new"]
    assert store.observations("old.percent", "host", since=0.0) == []
    assert len(store.observations("new.percent", "host", since=0.0)) == 1
    assert {row.id for row in store.incidents()} == {"inc-old-live", "inc-new-live", "inc-new"}
    assert {row.id for row in store.actions()} == {"act-new", "act-old-running"}
    assert [row.message.id for row in store.due_messages(1000.0)] == ["alr-old", "alr-new"]
    assert store.open_pages() == {"web-07/web": "inc-1"}, "a page stays open however old"
    store.record_observations([an_observation("old.percent", new, value=1.0)])
    store.close()
    assert verify(path).ok


def test_bodies_go_by_kind_and_the_chain_verifies(path: Path) -> None:
    clock = ManualClock(START, 0.0)
    store = SqliteStore(path)
    for number in range(10):
        store.append(an_entry(f"dec-{number}", at=clock.advance(10.0)))
        store.append(an_entry("pause", kind=EntryKind.HUMAN, at=clock.now()))
    head = store.prune(metrics_before=0.0, decisions_before=55.0, actions_before=25.0)
    assert head == 7
    bodies = {entry.seq: dict(entry.entry.body) for entry in store.entries()}
    gone = [seq for seq, body in bodies.items() if not body]
    assert gone == [1, 2, 3, 4, 5, 7, 9]
    told = {"actions_to_seq": 4, "bodies": 7, "decisions_to_seq": 10}
    assert store.entries(since=20)[0].entry == Entry(EntryKind.ENGINE, PRUNED, clock.now(), "engine", body=told)
    assert store.prune(metrics_before=0.0, decisions_before=55.0, actions_before=25.0) == 0
    assert store.head()[0] == 21, "nothing dropped, nothing written"
    store.close()
    found = verify(path)
    assert found.ok and found.dropped_bodies == 7 and found.entries == 21
    assert json.loads(next(iter(export(path))))["body"] is None


def test_a_body_goes_that_is_older_than_the_moment_by_the_least_and_none_that_is_as_old(path: Path) -> None:
    store = SqliteStore(path)
    for number, steady in enumerate((50.0, 50.00001)):
        store.append(an_entry(f"dec-{number}", at=Instant(START, steady)))
    assert store.prune(metrics_before=0.0, decisions_before=50.00001, actions_before=0.0) == 1
    assert [bool(each.entry.body) for each in store.entries(kinds=[EntryKind.DECISION])] == [False, True]
    store.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.sampled_from(EntryKind), st.floats(0.0, 100.0), st.booleans()), min_size=1, max_size=40),
    most=st.integers(1, 10),
)
def test_whenever_pruned_the_chain_verifies(
    steps: list[tuple[EntryKind, float, bool]],
    most: int,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sqlite_store_retention, "MOST_ROWS", most)
    path = tmp_path_factory.mktemp("prune") / "state.db"
    clock = ManualClock(START, 0.0)
    store = SqliteStore(path)
    for kind, seconds, prune in steps:
        store.append(an_entry("entry", kind=kind, at=clock.advance(seconds)))
        if prune:
            now = clock.now().steady
            store.prune(metrics_before=0.0, decisions_before=now - 50.0, actions_before=now - 120.0)
    store.commit()
    while store.prune(metrics_before=0.0, decisions_before=1e6, actions_before=1e6):
        pass
    seqs = [entry.seq for entry in store.entries()]
    assert seqs == list(range(1, len(seqs) + 1)), "no entry itself ever goes"
    store.close()
    found = verify(path)
    assert found.ok, found.problem


def test_one_call_drops_a_bounded_number(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_store_retention, "MOST_ROWS", 5)
    monkeypatch.setattr(sqlite_store, "MOST_ROUNDS", 2)
    store = SqliteStore(path)
    store.record_observations([an_observation("a", Instant(START, float(n)), value=1.0) for n in range(25)])
    dropped = [store.prune(metrics_before=1e6, decisions_before=0.0, actions_before=0.0) for _ in range(4)]
    assert dropped == [10, 10, 5, 0]
    store.close()


def test_the_file_stops_growing(path: Path) -> None:
    """Forty days of measurements kept for five: the size after the tenth day is the size after the fortieth."""
    clock = ManualClock(START, 0.0)
    store = SqliteStore(path)
    sizes = []
    for _day in range(40):
        for _ in range(10):
            now = clock.advance(8640.0)
            store.record_observations([an_observation("cpu.percent", now, value=float(n)) for n in range(50)])
            store.commit()
        before = clock.now().steady - 5 * 86_400.0
        store.prune(metrics_before=before, decisions_before=before, actions_before=before)
        sizes.append(path.stat().st_size + path.with_name("state.db-wal").stat().st_size)
    assert max(sizes[10:]) <= 2.0 * max(sizes[:10])
    store.close()
    assert path.stat().st_size < 1_000_000


def test_space_of_what_was_dropped_goes_back(path: Path) -> None:
    store = SqliteStore(path)
    store.record_observations(
        [an_observation("a", Instant(START, 1.0), value=1.0)._replace(detail="x" * 1000) for _ in range(3000)]
    )
    store.commit()
    store.prune(metrics_before=1e6, decisions_before=0.0, actions_before=0.0)
    store.close()
    assert path.stat().st_size < 500_000


def test_a_log_that_a_large_batch_made_long_is_emptied_and_one_of_the_usual_size_stays(path: Path) -> None:
    store = SqliteStore(path)
    log = path.with_name("state.db-wal")
    large = [an_observation("a", Instant(START, 1.0), value=1.0)._replace(detail="x" * 1000)] * 9000
    nothing = {"metrics_before": 0.0, "decisions_before": 0.0, "actions_before": 0.0}
    store.record_observations(large)
    store.commit()
    assert log.stat().st_size > LONGEST_LOG_BYTES
    store.prune(**nothing)
    assert log.stat().st_size == 0

    store.record_observations(large)
    store.commit()
    store.record_observations(large[:1])
    store.commit()
    assert log.stat().st_size == LONGEST_LOG_BYTES, "SQLite itself cuts it with the next batch"
    store.prune(**nothing)
    assert log.stat().st_size == LONGEST_LOG_BYTES
    store.close()


def test_a_long_stretch_without_anything_to_drop_is_passed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_store_retention, "MOST_ROWS", 5)
    store = SqliteStore(path)
    for number in range(20):
        store.append(an_entry(f"dec-{number}"))
    store.append(an_entry("pause", kind=EntryKind.HUMAN))
    dropped = [store.prune(metrics_before=0.0, decisions_before=0.0, actions_before=1e6) for _ in range(6)]
    assert sum(dropped) == 1 and store.entries(kinds=[EntryKind.HUMAN])[0].entry.body == {}
    store.close()
    assert verify(path).ok


def test_a_short_stretch_without_anything_to_drop_is_not_worth_an_entry(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_store_retention, "MOST_ROWS", 5)
    clock = ManualClock(START, 0.0)
    store = SqliteStore(path)
    for _ in range(10):
        store.append(an_entry("pause", kind=EntryKind.HUMAN, at=clock.advance(10.0)))
    for before, last in ((65.0, 11), (85.0, 11)):
        store.prune(metrics_before=0.0, decisions_before=before, actions_before=0.0)
        assert store.head()[0] == last
    store.close()
