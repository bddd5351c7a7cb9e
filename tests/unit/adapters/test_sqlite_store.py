"""The store's face: what is written comes back, in batches that are whole or not there."""

from __future__ import annotations

import stat
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.state import a_message, an_entry, an_incident, an_intent, an_observation, an_outcome
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import Anchor, Instant, ManualClock
from zen_agents.errors import RefusedError, StoreError
from zen_agents.model.action import Budget, OutcomeKind
from zen_agents.model.agent import AgentState
from zen_agents.model.entry import EntryKind
from zen_agents.model.incident import IncidentState, incident_key
from zen_agents.model.message import MessageKind
from zen_agents.model.principal import ENGINE, Principal
from zen_agents.model.reason import Reason
from zen_agents.ports.store import Brake, BreakerRow, Lease, Ran, Usage

START = datetime(2026, 1, 4, 3, 20, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


def test_state_is_made_for_its_owner_alone(path: Path) -> None:
    store = SqliteStore(path)
    store.put("host_name", "web-07")
    store.commit()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for name in ("state.db", "state.db-wal", "state.db-shm"):
        assert stat.S_IMODE((path.parent / name).stat().st_mode) == 0o600
    store.close()


def test_facts_and_anchor_survive_a_reopening(path: Path) -> None:
    store = SqliteStore(path)
    anchor = Anchor("boot", 12.5, 1.7e9, 400.25)
    assert store.get("host_name") is None and store.anchor() is None
    store.put("host_name", "web-07")
    store.put("host_name", "web-08")
    store.save_anchor(anchor)
    store.commit()
    store.close()
    store = SqliteStore(path)
    assert store.get("host_name") == "web-08"
    assert store.anchor() == anchor
    store.close()


def test_what_was_not_committed_is_not_there(path: Path) -> None:
    store = SqliteStore(path)
    store.put("a", "1")
    store.append(an_entry("dec-000001"))
    store.close()
    store = SqliteStore(path)
    assert store.get("a") is None
    assert store.entries() == []
    store.close()


def test_incident_comes_back_as_it_was(path: Path) -> None:
    clock = ManualClock(START, 100.0)
    store = SqliteStore(path)
    plain = an_incident("inc-1", clock.now())
    full = replace(
        an_incident("inc-2", clock.advance(1.123456)),
        state=IncidentState.ESCALATED,
        opened_at=clock.now(),
        value=99.5,
        good_since=1.0,
        unknown_since=2.0,
        action="act-1",
        outcome_unknown=True,
        refused_since=3.0,
        refused_for=Reason.COOLDOWN,
        escalated_for=Reason.LADDER_EXHAUSTED,
        escalated_at=clock.now(),
        acknowledged_by="alice",
        acknowledged_until=9.0,
        keep_acting=True,
    )
    over = replace(
        an_incident("inc-3", clock.now()), state=IncidentState.RESOLVED, resolved_at=clock.now(), resolved_by="engine"
    )
    for incident in (plain, full, over):
        store.save_incident(incident)
    store.commit()
    assert list(store.live_incidents()) == [plain, full]
    assert {i.id for i in store.incidents(since=101.0)} == {"inc-2", "inc-3"}
    assert store.incidents(limit=1)[0].id in {"inc-2", "inc-3"}
    assert list(store.openings(full.key, 0.0)) == [full.opened_at.steady if full.opened_at else None]
    store.save_incident(replace(full, state=IncidentState.RESOLVED))
    assert list(store.live_incidents()) == [plain]
    store.close()


def test_reserve_and_finish(path: Path) -> None:
    clock = ManualClock(START, 100.0)
    store = SqliteStore(path)
    intent = an_intent("act-1", clock.now(), lease_seconds=60.0)
    store.put("pending", "yes")
    store.reserve(intent, hourly_limit=5)
    store.close()

    store = SqliteStore(path)
    assert store.get("pending") == "yes"
    assert store.lease("service:web") == Lease("service:web", "act-1", 160.0)
    (row,) = store.unfinished()
    assert (row.id, row.kind, row.ended_at, row.reserved_at) == ("act-1", OutcomeKind.RUNNING, None, clock.now())
    assert row.plan["digest"] == intent.plan.digest
    assert store.spent(Budget.REPAIR, 0.0) == 1 and store.spent(Budget.HOUSEKEEPING, 0.0) == 0

    store.finish(an_outcome("act-1", OutcomeKind.VERIFYING, clock.advance(2.0)))
    assert [r.kind for r in store.unfinished()] == [OutcomeKind.VERIFYING]
    assert store.lease("service:web") is not None
    store.finish(an_outcome("act-1", OutcomeKind.VERIFIED, clock.advance(2.0)))
    assert store.unfinished() == [] and store.lease("service:web") is None
    row = store.actions(target="service:web")[0]
    assert row == store.action("act-1")
    assert row.kind is OutcomeKind.VERIFIED and row.ended_at == clock.now() and row.effect["detail"] == "restarted"
    assert [e.entry.kind for e in store.entries(action="act-1")] == [EntryKind.INTENT, EntryKind.OUTCOME, EntryKind.OUTCOME]
    with pytest.raises(StoreError, match="has ended"):
        store.finish(an_outcome("act-1", OutcomeKind.VERIFYING, clock.now()))
    with pytest.raises(StoreError, match="no intent"):
        store.finish(an_outcome("act-9", OutcomeKind.FAILED, clock.now()))
    store.close()


def _acted(store: SqliteStore, clock: ManualClock, times: int) -> None:
    """Let the engine act on two services in turn, with large plans."""
    for number in range(times):
        intent = an_intent(f"act-{number:04}", clock.advance(10.0), target=f"service:{number % 2}")
        store.reserve(replace(intent, plan=replace(intent.plan, detail={"lines": "x" * 1000})), hourly_limit=None)
        store.finish(an_outcome(intent.id, OutcomeKind.VERIFIED, clock.advance(1.0)))


def test_a_repair_counts_from_its_outcome_on(path: Path) -> None:
    """Whatever becomes of its incident: the engine may die before that is written."""
    clock, key = ManualClock(START, 100.0), incident_key("web", "service:web")
    store = SqliteStore(path)
    for id, kind, by in (
        ("act-1", OutcomeKind.VERIFIED, ENGINE), ("act-2", OutcomeKind.FAILED, ENGINE),
        ("act-3", OutcomeKind.VERIFIED, ENGINE),
        ("act-4", OutcomeKind.VERIFIED, Principal("alice", 1000)), ("act-5", OutcomeKind.VERIFYING, ENGINE),
    ):  # fmt: skip
        store.reserve(an_intent(id, clock.advance(10.0), by=by), hourly_limit=None)
        store.finish(an_outcome(id, kind, clock.advance(5.0)))
    assert [store.repairs(key, since) for since in (0.0, 115.0, 115.1, 145.0, 145.1)] == [2, 2, 1, 1, 0]
    assert (
        store.repairs(incident_key("other", "service:web"), 0.0)
        == store.repairs(incident_key("web", "service:db"), 0.0)
        == 0
    )
    store.close()


def test_what_limits_count_of_actions_is_counted_in_the_store(path: Path) -> None:
    clock = ManualClock(START, 100.0)
    store = SqliteStore(path)
    _acted(store, clock, 100)
    now = clock.now().steady
    assert store.ran(since=0.0, most=3) == Ran(100, now - 23.0)
    assert store.ran(since=0.0, most=100) == Ran(100, now - 1.0 - 99 * 11.0)
    assert store.ran(since=0.0, most=101) == Ran(100, None)
    assert store.ran(since=now - 12.5, most=1) == Ran(2, now - 1.0)
    assert store.ran(since=0.0, most=1, action="restart_service", budget=Budget.REPAIR).times == 100
    assert store.ran(since=0.0, most=1, action="clear_cache") == store.ran(since=0.0, most=1, budget=Budget.HOUSEKEEPING)
    assert store.ran_on("service:0", since=now - 40.0, most=2) == Ran(2, now - 34.0)
    assert store.ran_on("service:2", since=0.0, most=1) == Ran(0, None)
    assert store.last_on("service:0", since=0.0, not_for=None) == ("act-0098", now - 11.0)
    assert store.last_on("service:0", since=0.0, not_for="inc-1") is None
    assert store.last_on("service:0", since=now, not_for=None) is None
    store.reserve(an_intent("act-last", clock.advance(10.0), target="service:0"), hourly_limit=None)
    assert store.last_on("service:0", since=0.0, not_for="inc-2") == ("act-last", None)
    store.close()


def test_asking_for_limits_takes_no_more_memory_the_more_was_done(path: Path) -> None:
    clock = ManualClock(START, 100.0)
    store = SqliteStore(path)

    def peak() -> int:
        def ask() -> None:
            store.ran(since=0.0, most=1_000_000, action="restart_service")
            store.ran_on("service:0", since=0.0, most=1_000_000)
            store.last_on("service:0", since=0.0, not_for="inc-2")

        def once() -> int:
            tracemalloc.start()
            try:
                ask()
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        # A table of the interpreter's own that happens to grow meanwhile is no matter of limits.
        return min(once() for _ in range(5))

    _acted(store, clock, 10)
    few = peak()
    for number in range(300):
        intent = an_intent(f"act-more-{number}", clock.advance(10.0), target="service:0")
        store.reserve(intent, hourly_limit=None)
        store.finish(an_outcome(intent.id, OutcomeKind.VERIFIED, clock.advance(1.0)))
    assert store.ran_on("service:0", since=0.0, most=1).times == 305
    # Three hundred rows take a hundred thousand bytes.
    assert peak() < few + 10_000
    store.close()


def test_a_leased_target_is_refused_until_the_lease_ends(path: Path) -> None:
    clock = ManualClock(START, 100.0)
    store = SqliteStore(path)
    store.reserve(an_intent("act-1", clock.now(), lease_seconds=60.0), hourly_limit=5)
    store.put("pending", "kept")
    with pytest.raises(RefusedError, match="lease_held"):
        store.reserve(an_intent("act-2", clock.advance(59.0)), hourly_limit=5)
    assert store.action("act-2") is None and store.spent(Budget.REPAIR, 0.0) == 1
    store.commit()
    assert store.get("pending") == "kept"
    store.reserve(an_intent("act-3", clock.advance(1.0)), hourly_limit=5)
    assert [r.id for r in store.unfinished()] == ["act-1", "act-3"]
    store.close()


def test_a_persons_act_spends_no_token_and_is_never_counted(path: Path) -> None:
    clock = ManualClock(START, 100.0)
    store = SqliteStore(path)
    by = Principal("alice", 1000)
    store.reserve(an_intent("act-1", clock.now(), target="service:a", by=by), hourly_limit=None)
    store.reserve(an_intent("act-2", clock.now(), target="service:b"), hourly_limit=1)
    with pytest.raises(RefusedError, match="rate_limit"):
        store.reserve(an_intent("act-3", clock.now(), target="service:c"), hourly_limit=1)
    store.reserve(an_intent("act-4", clock.now(), target="service:c", budget=Budget.HOUSEKEEPING), hourly_limit=1)
    store.reserve(an_intent("act-5", clock.now(), target="service:d", by=by), hourly_limit=None)
    (entry,) = store.entries(action="act-1")
    assert entry.entry.actor == "alice" and entry.entry.body["requested_uid"] == 1000
    store.reserve(an_intent("act-6", clock.advance(3600.0), target="service:e"), hourly_limit=1)
    assert store.spent(Budget.REPAIR, 0.0) == 2
    store.close()


def test_entries_are_chained_and_filtered(path: Path) -> None:
    store = SqliteStore(path)
    for number in range(1, 6):
        store.append(an_entry(f"dec-{number}", incident="inc-1" if number % 2 else None))
    store.append(an_entry("pause", kind=EntryKind.HUMAN))
    store.commit()
    entries = store.entries()
    assert [e.seq for e in entries] == [1, 2, 3, 4, 5, 6]
    assert [e.prev_hash for e in entries[1:]] == [e.hash for e in entries[:-1]]
    assert store.head() == (6, entries[-1].hash)
    assert [e.seq for e in store.entries(since=4)] == [5, 6]
    assert [e.seq for e in store.entries(incident="inc-1", newest_first=True)] == [5, 3, 1]
    assert [e.entry.id for e in store.entries(kinds=[EntryKind.HUMAN])] == ["pause"]
    assert [e.seq for e in store.entries(limit=2, newest_first=True)] == [6, 5]
    assert entries[0].entry == an_entry("dec-1", incident="inc-1")
    assert list(store.find_ids("dec-")) == ["dec-1", "dec-2", "dec-3", "dec-4", "dec-5"]
    store.close()


def test_breakers_brakes_and_agents(path: Path) -> None:
    store = SqliteStore(path)
    now = Instant(START, 5.0)
    row = BreakerRow("restart_service|service:web", "open", 2, 0, 5.0, (3.0, 5.0))
    store.save_breaker(row)
    assert store.breaker(row.name) == row and store.breaker("other") is None and list(store.breakers()) == [row]
    brake = Brake("pause", "host", "upgrade", "alice", now, 99.0)
    store.set_brake(brake)
    store.set_brake(replace(brake, reason="longer", until=None))
    assert list(store.brakes()) == [replace(brake, reason="longer", until=None)]
    assert store.lift_brake("pause", "host") and not store.lift_brake("pause", "host")
    assert store.agent_state("system_health") is None
    store.save_agent_state("system_health", AgentState.RUNNING, "started", now)
    store.save_agent_state("system_health", AgentState.PAUSED, "by alice", now)
    store.commit()
    assert store.agent_state("system_health") is AgentState.PAUSED
    store.close()


def test_measurements(path: Path) -> None:
    clock = ManualClock(START, 5.0)
    store = SqliteStore(path)
    usage = Usage("system_health", "tick", clock.now(), 0.01, 0.002, 40_000_000, 11)
    store.record_usage(usage)
    first = an_observation("cpu.percent", clock.now(), value=10.0)
    second = an_observation("cpu.percent", clock.advance(5.0), value=None)._replace(facts={"load": "9"})
    store.record_observations([first, second, an_observation("load1", clock.now(), value=1.0)])
    store.commit()
    assert list(store.usage(since=0.0)) == [usage] and store.usage(since=6.0) == []
    assert list(store.observations("cpu.percent", "host", since=0.0)) == [first, second]
    assert list(store.observations("cpu.percent", "host", since=0.0, limit=1)) == [second]
    assert store.observations("nothing", "host", since=0.0) == []
    store.close()


def test_a_series_that_was_rolled_back_is_written_again(path: Path) -> None:
    store = SqliteStore(path)
    store.record_observations([an_observation("cpu.percent", Instant(START, 5.0), value=1.0)])
    store._file.rollback()
    store.record_observations([an_observation("cpu.percent", Instant(START, 6.0), value=2.0)])
    store.commit()
    assert [o.value for o in store.observations("cpu.percent", "host", since=0.0)] == [2.0]
    store.close()


def test_outbox(path: Path) -> None:
    clock = ManualClock(START, 5.0)
    store = SqliteStore(path)
    firing = a_message("alr-1", MessageKind.FIRING, clock.now())
    store.enqueue(firing, ["pagerduty", "email"], 5.0)
    store.enqueue(firing, ["email"], 5.0)
    store.enqueue(a_message("alr-2", MessageKind.DIGEST, clock.now()), ["email"], 50.0)
    store.commit()
    assert store.due_messages(4.0) == []
    due = store.due_messages(5.0)
    assert [(row.channel, row.message) for row in due] == [("pagerduty", firing), ("email", firing)]
    store.mark_sent(due[0].id, clock.now())
    store.mark_failed(due[1].id, "refused", not_before=20.0, give_up=False)
    assert store.due_messages(19.0) == []
    assert [(row.attempts, row.last_error) for row in store.due_messages(20.0)] == [(1, "refused")]
    store.mark_failed(due[1].id, "refused", not_before=40.0, give_up=True)
    assert store.due_messages(45.0) == []
    assert store.open_pages() == {"web-07/web": "inc-1"}
    assert store.sent_since("pagerduty", 5.0) == 1 and store.sent_since("email", 0.0) == 0
    store.enqueue(a_message("alr-3", MessageKind.RESOLVED, clock.now()), ["pagerduty"], 5.0)
    store.mark_sent(store.due_messages(6.0)[0].id, clock.now())
    store.commit()
    assert store.open_pages() == {}
    store.close()


def test_text_that_is_no_utf_8_is_kept_as_escapes(path: Path) -> None:
    odd = b"caf\xe9".decode("utf-8", "surrogateescape")
    store = SqliteStore(path)
    store.record_observations(
        [an_observation("path.x", Instant(START, 5.0), value=None)._replace(detail=odd, facts={"name": odd})]
    )
    store.append(an_entry("dec-1", body={"name": odd, "number": float("nan"), "set": frozenset({"b", "a"})}))
    store.commit()
    (seen,) = store.observations("path.x", "host", since=0.0)
    assert seen.detail == "caf\\udce9"
    (entry,) = store.entries()
    assert (
        entry.entry.body == {"name": odd, "number": "nan", "set": "frozenset({'a', 'b'})"}
        or entry.entry.body["number"] == "nan"
    )
    store.close()


def test_volatile_state_lets_watch_but_never_act() -> None:
    store = SqliteStore.volatile()
    store.put("a", "1")
    store.append(an_entry("dec-1"))
    store.commit()
    assert store.get("a") == "1" and not store.writable()
    store.close()
