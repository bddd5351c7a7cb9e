"""Level 4: what switches it on, that it lasts, that it is told once, and what leaving it forgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.rig import Rig
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import Instant
from zen_agents.engine.safe_mode import SafeMode, SafeModeTriggers
from zen_agents.errors import StoreError
from zen_agents.model.principal import Principal

ALICE = Principal("alice", 1000)


class Watched:
    """Safe mode over a rig's state, and what it told."""

    def __init__(self, rig: Rig, triggers: SafeModeTriggers | None = None) -> None:
        self.rig, self.told = rig, list[str]()
        self.mode = self.of(rig.store, triggers or SafeModeTriggers())

    def of(self, store: SqliteStore, triggers: SafeModeTriggers) -> SafeMode:
        def entered(reason: str, at: Instant) -> None:
            self.told.append(reason)

        return SafeMode(
            store=store, journal=self.rig.parts.journal, clock=self.rig.clock, triggers=triggers, entered=entered
        )

    @property
    def is_on(self) -> bool:
        return self.mode.brake is not None


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(Rig(tmp_path))


def thrice(mode: SafeMode, count: Callable[[SafeMode, int], None], times: int = 3) -> None:
    for number in range(times):
        count(mode, number)


def test_a_crash_leaves_no_brake_that_nobody_was_told_of(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    there: list[int] = []

    def entered(reason: str, at: Instant) -> None:
        rig.store.put("told", reason)
        reader = SqliteStore.open_read_only(tmp_path / "state.db")
        there.append(len(reader.brakes()))
        reader.close()

    mode = SafeMode(
        store=rig.store, journal=rig.parts.journal, clock=rig.clock, triggers=SafeModeTriggers(), entered=entered
    )
    mode.enter("it looks odd")
    assert there == [0], "the brake is on disk before people are told"
    reader = SqliteStore.open_read_only(tmp_path / "state.db")
    assert ([brake.kind for brake in reader.brakes()], reader.get("told")) == (["safe_mode"], "it looks odd")
    reader.close()


TRIGGERS: dict[str, tuple[Callable[[SafeMode, int], None], int]] = {
    "exhausted": (lambda mode, _: mode.ladder_exhausted(), 3),
    "unknown_outcomes": (lambda mode, number: mode.outcome_unknown(f"service:s{number}"), 2),
    "engine_restarts": (lambda mode, number: mode.started([mode._clock.now().steady] * (number + 1)), 4),
    "audit_write_fails": (lambda mode, _: mode.store_failed("disk full"), 1),
    "storm": (lambda mode, _: mode.storm(8, 10), 1),
}


@pytest.mark.parametrize("trigger", sorted(TRIGGERS))
def test_each_trigger_enters_at_its_number_and_not_before(watched: Watched, trigger: str) -> None:
    count, times = TRIGGERS[trigger]
    for number in range(times):
        assert not watched.is_on
        count(watched.mode, number)
    assert watched.is_on
    assert len(watched.told) == 1


@pytest.mark.parametrize("trigger", sorted(TRIGGERS))
def test_each_trigger_can_be_switched_off(tmp_path: Path, trigger: str) -> None:
    count, times = TRIGGERS[trigger]
    off = replace(SafeModeTriggers(), **{trigger: False if trigger in ("audit_write_fails", "storm") else 0})  # type: ignore[arg-type]
    watched = Watched(Rig(tmp_path), off)
    for number in range(times * 3):
        count(watched.mode, number)
    assert not watched.is_on


def test_what_is_long_ago_does_not_count(watched: Watched) -> None:
    for _ in range(10):
        watched.mode.ladder_exhausted()
        watched.rig.clock.advance(1900.0)
    for number in range(10):
        watched.mode.outcome_unknown(f"service:s{number}")
        watched.rig.clock.advance(3700.0)
    assert not watched.is_on


def test_the_same_target_twice_is_one_target(watched: Watched) -> None:
    for _ in range(10):
        watched.mode.outcome_unknown("service:web")
    assert not watched.is_on


def test_it_is_told_once_and_keeps_its_first_reason(watched: Watched) -> None:
    watched.mode.enter("the first", ALICE)
    watched.mode.storm(8, 10)
    watched.mode.store_failed("full")
    assert watched.told == ["the first"]
    assert watched.mode.brake is not None
    assert (watched.mode.brake.reason, watched.mode.brake.by) == ("the first", "alice")


def test_it_outlives_the_engine(watched: Watched, tmp_path: Path) -> None:
    watched.mode.enter("a drill", ALICE)
    watched.rig.store.close()
    again = watched.of(SqliteStore(tmp_path / "state.db"), SafeModeTriggers())
    assert again.brake is not None
    assert again.brake.reason == "a drill"


def test_leaving_it_forgets_what_piled_up(watched: Watched) -> None:
    for _ in range(3):
        watched.mode.ladder_exhausted()
    assert watched.mode.leave(ALICE, "looked at it") is True
    assert not watched.is_on
    watched.mode.ladder_exhausted()
    watched.mode.ladder_exhausted()
    assert not watched.is_on
    assert watched.mode.leave(ALICE, "again") is False
    names = [row.entry.id for row in watched.rig.store.entries() if row.entry.id.startswith("safe_mode")]
    assert names == ["safe_mode_on", "safe_mode_off"]


def test_with_a_state_that_cannot_be_written_it_holds_and_is_told_all_the_same(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("disk full")

    monkeypatch.setattr(watched.rig.store, "set_brake", refuse)
    watched.mode.store_failed("disk full")
    watched.mode.store_failed("disk full")
    assert watched.is_on
    assert watched.told == ["audit log not writable: disk full"]
