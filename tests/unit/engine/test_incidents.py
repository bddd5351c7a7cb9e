"""Live incidents, in memory and on disk: what matters is written, streaks alone are not."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.state import an_incident
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import SystemClock
from zen_agents.engine.incidents import IncidentBook
from zen_agents.guards.base import Limit, Policy
from zen_agents.model.incident import Incident, IncidentState
from zen_agents.model.observation import Status

NOW = SystemClock().now()


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "state.db")


def opened(id: str, *, target: str = "service:web", seconds: float = 0.0) -> Incident:
    at = NOW.after(seconds)
    return replace(an_incident(id, at, target=target), opened_at=at)


def test_a_suspicion_that_does_not_last_leaves_no_trace(store: SqliteStore) -> None:
    book = IncidentBook(store)
    suspected = replace(an_incident("inc-1", NOW), state=IncidentState.SUSPECTED)
    book.put(suspected)
    assert len(book) == 1
    book.drop(suspected.key)
    store.commit()
    assert (len(book), list(store.incidents())) == (0, [])


def test_only_what_matters_is_written(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    book, written = IncidentBook(store), list[Incident]()
    monkeypatch.setattr(store, "save_incident", written.append)
    incident = opened("inc-1")
    book.put(incident)
    for streak in range(2, 50):
        incident = replace(incident, bad_streak=streak)
        book.put(incident)
    book.put(replace(incident, attempts=1))
    assert [one.attempts for one in written] == [0, 1]


def test_a_change_may_wait_for_the_next_one_and_is_then_written_with_it(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, written = IncidentBook(store), list[Incident]()
    monkeypatch.setattr(store, "save_incident", written.append)
    incident = opened("inc-1")
    book.put(incident, write=False)
    assert (written, book.unwritten()) == ([], [incident.key])
    # Nothing that matters changed any more, but the opening itself still has to be written.
    book.put(replace(incident, bad_streak=7))
    assert ([one.bad_streak for one in written], book.unwritten()) == ([7], [])
    book.write(incident.key)
    assert len(written) == 1


def test_mere_suspicions_are_not_counted_as_open(store: SqliteStore) -> None:
    book = IncidentBook(store)
    book.put(opened("inc-1"))
    book.put(replace(an_incident("inc-2", NOW, target="service:db"), state=IncidentState.SUSPECTED))
    assert (book.count_open(), len(book)) == (1, 2)


def test_it_is_there_again_after_a_restart_and_gone_once_it_is_over(store: SqliteStore) -> None:
    book, incident = IncidentBook(store), opened("inc-1")
    book.put(incident)
    store.commit()
    again = IncidentBook(store)
    found = again.get(incident.key)
    assert found is not None
    assert (found.id, found.state) == ("inc-1", IncidentState.OPEN)
    again.put(replace(found, state=IncidentState.RESOLVED, resolved_at=NOW, resolved_by="engine"))
    store.commit()
    assert len(again) == len(IncidentBook(store)) == 0


def test_openings_are_remembered_over_a_restart(store: SqliteStore) -> None:
    key = opened("inc-0").key
    for number in range(3):
        book = IncidentBook(store)
        incident = opened(f"inc-{number}", seconds=number * 100.0)
        book.put(incident)
        book.put(replace(incident, state=IncidentState.RESOLVED, resolved_at=incident.opened_at))
        store.commit()
    assert len(IncidentBook(store).openings(key, NOW.steady - 1.0)) == 3
    assert len(IncidentBook(store).openings(key, NOW.steady + 150.0)) == 1


def test_an_opening_that_is_not_written_yet_counts_once_from_the_start(store: SqliteStore) -> None:
    book, incident = IncidentBook(store), opened("inc-0", seconds=1.23456789)
    book.put(incident, write=False)
    assert len(book.openings(incident.key, NOW.steady - 1.0)) == 1
    book.write(incident.key)
    assert len(book.openings(incident.key, NOW.steady - 2.0)) == 1
    book.put(replace(incident, state=IncidentState.VERIFYING), write=False)
    assert len(book.openings(incident.key, NOW.steady - 3.0)) == 1


def test_openings_before_the_window_are_not_kept_in_memory_and_a_longer_window_finds_them_again(store: SqliteStore) -> None:
    book, key, window = IncidentBook(store), opened("inc-0").key, 1000.0

    def open_and_resolve(first: int, last: int) -> int:
        for number in range(first, last):
            incident = opened(f"inc-{number}", seconds=number * 100.0)
            book.put(incident)
            assert len(book.openings(key, NOW.steady + number * 100.0 - window)) <= 11
            book.put(replace(incident, state=IncidentState.RESOLVED, resolved_at=incident.opened_at))
            store.commit()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        early = open_and_resolve(0, 100)
        assert open_and_resolve(100, 1000) - early < 900 * sys.getsizeof(1.0)
    finally:
        tracemalloc.stop()
    assert len(book.openings(key, NOW.steady - 1.0)) == 1000


def test_a_name_that_fits_two_is_no_name(store: SqliteStore) -> None:
    book = IncidentBook(store)
    book.put(opened("inc-ab1"))
    book.put(opened("inc-ab2", target="service:api"))
    assert book.find("inc-ab") is None
    assert book.find("inc-zz") is None
    found = book.find("inc-ab2")
    assert found is not None
    assert found.target == "service:api"


def test_what_guards_may_know_of_the_host(store: SqliteStore) -> None:
    book, policy = IncidentBook(store), Policy(storm=Limit(10, 300.0, 600.0))
    book.put(opened("inc-1", seconds=-1000.0))
    book.put(opened("inc-2", target="service:api", seconds=-10.0))
    book.put(replace(opened("inc-3", target="service:db"), last_status=Status.UNKNOWN))
    situation = book.situation(policy, NOW, actionable=5, running=1, foreign="")
    assert (situation.failing_targets, situation.actionable_targets, situation.running) == (2, 5, 1)
    assert situation.present_problems == frozenset()
    asked = book.situation(policy, NOW, actionable=5, running=1, foreign="", log_only=frozenset({"seen_in_a_log"}))
    assert asked.present_problems == {"service:web", "service:api"}
    confirmed = book.situation(policy, NOW, actionable=5, running=1, foreign="", log_only=frozenset({"web"}))
    assert confirmed.present_problems == frozenset()
