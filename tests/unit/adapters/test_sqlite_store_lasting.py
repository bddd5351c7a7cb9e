"""What must not be lost with a batch: incidents, brakes and breakers are written again when the state can be."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.support.state import START, a_message, an_entry, an_incident, an_intent
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import Instant
from zen_agents.errors import RefusedError, StoreError
from zen_agents.model.incident import Incident
from zen_agents.model.message import MessageKind
from zen_agents.ports.store import Brake, BreakerRow

NOW = Instant(START, 100.0)
CLOSED = Brake("target_closed", "target:service:web", "the outcome of act-1 is unknown", "engine", NOW, None)


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "state.db")


def lock(tmp_path: Path) -> sqlite3.Connection:
    holder = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    return holder


def write_all(store: SqliteStore) -> Incident:
    incident = an_incident("inc-1", NOW)
    store.save_incident(incident)
    store.set_brake(CLOSED)
    store.save_breaker(BreakerRow("restart_service|service:web", "open", 4, 0, 90.0, (90.0,)))
    return incident


def is_all_there(path: Path) -> bool:
    other = SqliteStore.open_read_only(path)
    there = (
        [incident.id for incident in other.live_incidents()], [brake.kind for brake in other.brakes()],
        [row.state for row in other.breakers()],
    )  # fmt: skip
    other.close()
    return there == (["inc-1"], ["target_closed"], ["open"])


def test_a_state_that_cannot_be_written_is_no_error_for_them(store: SqliteStore, tmp_path: Path) -> None:
    holder = lock(tmp_path)
    write_all(store)
    assert not store.writable()
    with pytest.raises(StoreError):
        store.commit()
    holder.close()
    store.commit()
    assert store.writable()
    store.close()
    assert is_all_there(tmp_path / "state.db")


def test_a_lost_batch_takes_the_rest_and_not_them(store: SqliteStore, tmp_path: Path) -> None:
    write_all(store)
    store.append(an_entry("dec-1"))
    with pytest.raises(StoreError):
        # A number that fits no column: the batch is gone.
        store._file.write("take_lease", {"target": "x", "action": "y", "until": 2**80})
    store.put("a", "1")
    store.commit()
    assert list(store.entries()) == []
    store.close()
    assert is_all_there(tmp_path / "state.db")


def test_a_refused_reservation_loses_none_of_them(store: SqliteStore, tmp_path: Path) -> None:
    holder = lock(tmp_path)
    write_all(store)
    holder.close()
    with pytest.raises(RefusedError):
        store.reserve(an_intent("act-1", NOW), hourly_limit=0)
    store.commit()
    store.close()
    assert is_all_there(tmp_path / "state.db")


def test_the_newest_of_two_is_what_is_written(store: SqliteStore, tmp_path: Path) -> None:
    holder = lock(tmp_path)
    write_all(store)
    store.save_breaker(BreakerRow("restart_service|service:web", "closed", 0, 0, None))
    holder.close()
    store.commit()
    assert [row.state for row in store.breakers()] == ["closed"]


def test_the_newest_is_what_is_written_also_where_what_is_owed_fails_once_more(store: SqliteStore, tmp_path: Path) -> None:
    """A batch that begins and then does not take what is owed: the older one stood in the newer one's place."""
    holder = lock(tmp_path)
    write_all(store)
    holder.execute("ROLLBACK")
    holder.execute("ALTER TABLE breakers RENAME TO away")
    store.save_breaker(BreakerRow("restart_service|service:web", "closed", 0, 0, None))
    assert not store.writable()
    holder.execute("ALTER TABLE away RENAME TO breakers")
    store.commit()
    assert [row.state for row in store.breakers()] == ["closed"]


def test_what_can_never_be_written_does_not_stop_the_rest(store: SqliteStore) -> None:
    store.save_breaker(BreakerRow("odd", "closed", 2**80, 0, None))
    store.set_brake(CLOSED)
    store.commit()
    assert [brake.kind for brake in store.brakes()] == ["target_closed"]
    assert store.writable()


def test_a_state_opened_for_looking_takes_none(store: SqliteStore, tmp_path: Path) -> None:
    view = SqliteStore.open_read_only(tmp_path / "state.db")
    with pytest.raises(StoreError, match="for reading only"):
        view.set_brake(CLOSED)
    view.close()


def test_a_message_comes_back_together_with_the_incident_that_it_tells_of(store: SqliteStore, tmp_path: Path) -> None:
    """Else an incident is left to people of which nobody was told, if the engine dies before the outbox looks again."""
    store.save_incident(an_incident("inc-1", NOW))
    store.enqueue(a_message("alr-1", MessageKind.FIRING, NOW), ["email"], 0.0)
    store._file.rollback()
    store.commit()
    store.close()
    other = SqliteStore.open_read_only(tmp_path / "state.db")
    assert [incident.id for incident in other.live_incidents()] == ["inc-1"]
    assert [row.message.id for row in other.due_messages(1.0)] == ["alr-1"]
    other.close()
