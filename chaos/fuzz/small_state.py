"""A small, whole state for targets to damage: an entry, row or message of every kind, and every way to look at it."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import UTC, datetime, timedelta
from functools import cache

from chaos.fuzz.given import folder
from tests.support.state import a_message, an_entry, an_incident, an_intent, an_observation, an_outcome
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import Anchor, Instant
from zen_agents.errors import StoreError
from zen_agents.model.action import Budget, OutcomeKind
from zen_agents.model.agent import AgentState
from zen_agents.model.message import MessageKind
from zen_agents.ports.store import Brake, BreakerRow, Usage

_BEGAN = datetime(2026, 1, 4, 3, 20, tzinfo=UTC)
_TARGET = "service:web"


def _moment(seconds: float) -> Instant:
    return Instant(_BEGAN + timedelta(seconds=seconds), 100.0 + seconds)


@cache
def whole_state() -> bytes:
    """Return the bytes of a state.db in which everything is in order."""
    path = folder("small-state") / "state.db"
    for file in path.parent.iterdir():
        file.unlink()
    with contextlib.closing(SqliteStore(path)) as store:
        _fill(store)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # One file without a log beside it, in which any byte can be damaged.
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")
    return path.read_bytes()


def _fill(store: SqliteStore) -> None:
    store.put("machine_id", "0123456789abcdef")
    store.save_anchor(Anchor("boot", 10.0, _BEGAN.timestamp(), 100.0))
    for number in range(3):
        store.append(an_entry(f"dec-{number}", at=_moment(number), incident="inc-1"))
    store.save_incident(an_incident("inc-1", _moment(1)))
    intent = an_intent("act-1", _moment(2))
    store.reserve(intent, hourly_limit=5)
    store.finish(an_outcome("act-1", OutcomeKind.VERIFIED, _moment(3)))
    store.reserve(an_intent("act-2", _moment(4)), hourly_limit=5)
    store.save_breaker(BreakerRow("restart_service|web", "open", 2, 0, 101.0, (100.5, 101.0)))
    store.set_brake(Brake("pause", "host", "a test", "root", _moment(5), None))
    store.save_agent_state("system_health", AgentState.RUNNING, "", _moment(5))
    store.record_usage(Usage("system_health", "tick", _moment(6), 0.1, 0.1, 1 << 25, 3))
    store.record_observations([an_observation("load1", _moment(6), value=0.5)])
    store.enqueue(a_message("alr-1", MessageKind.FIRING, _moment(6)), ["pagerduty", "email"], 0.0)
    store.commit()


def look_at_everything(store: SqliteStore) -> None:
    """Ask the store all that the engine and the command line ask; no question fails with anything but StoreError."""
    for question in (
        lambda: store.get("machine_id"), store.anchor, store.head, store.entries, store.live_incidents, store.live_ids,
        store.incidents, lambda: store.find_ids("inc"), lambda: store.openings("web|service:web", 0.0), store.unfinished,
        lambda: store.repairs("web|service:web", 0.0), lambda: store.action("act-1"), store.actions, store.breakers,
        lambda: store.spent(Budget.REPAIR, 0.0), lambda: store.ran(since=0.0, most=2), lambda: store.lease(_TARGET),
        lambda: store.ran_on(_TARGET, since=0.0, most=2), lambda: store.last_on(_TARGET, since=0.0, not_for="inc-1"),
        lambda: store.breaker("restart_service|web"), store.brakes, lambda: store.agent_state("system_health"),
        lambda: store.usage(since=0.0), lambda: store.observations("load1", "host", since=0.0), store.open_pages,
        lambda: store.due_messages(1e9), lambda: store.sent_since("email", 0.0),
    ):  # fmt: skip
        with contextlib.suppress(StoreError):
            question()
