"""What is kept of measurements and costs: each change, and otherwise one a minute."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.state import an_observation
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import Instant, SystemClock
from zen_agents.engine.recorder import MOST_BETWEEN, Recorder
from zen_agents.errors import StoreError
from zen_agents.model.observation import BETWEEN, Observation, Status, samples_of

NOW = SystemClock().now()


@pytest.fixture
def store(tmp_path: Path) -> SqliteStore:
    return SqliteStore(tmp_path / "state.db")


@pytest.fixture
def kept(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> list[Observation]:
    kept: list[Observation] = []
    monkeypatch.setattr(store, "record_observations", kept.extend)
    return kept


def at(seconds: float) -> Instant:
    return NOW.after(seconds)


def test_a_measurement_is_kept_once_a_minute(store: SqliteStore, kept: list[Observation]) -> None:
    recorder = Recorder(store, lambda: 0, lambda: None)
    for second in range(0, 300, 5):
        recorder.observed([an_observation("cpu.percent", at(second), value=float(second))])
    assert [observation.value for observation in kept] == [0.0, 60.0, 120.0, 180.0, 240.0]


def test_what_is_measured_between_goes_with_the_next_that_is_kept_and_has_a_bound(
    store: SqliteStore, kept: list[Observation]
) -> None:
    recorder = Recorder(store, lambda: 0, lambda: None)
    for second in range(0, 121, 15):
        recorder.observed([an_observation("cpu.percent", at(second), value=second / 7)])
    told = [pair for one in kept[1:] for pair in samples_of(one.at.steady - NOW.steady, one.facts[BETWEEN])]
    seconds = [15, 30, 45, 75, 90, 105]
    assert [when for when, _ in told] == pytest.approx(seconds)
    assert [value for _, value in told] == pytest.approx([second / 7 for second in seconds])
    assert BETWEEN not in kept[0].facts
    for number in range(5000):
        recorder.observed([an_observation("cpu.percent", at(121 + number / 100), value=1.0)])
    recorder.observed([an_observation("cpu.percent", at(181), value=1.0)])
    assert len(kept[-1].facts[BETWEEN].split()) == MOST_BETWEEN


def test_a_change_of_status_is_always_kept_and_a_lasting_one_without_a_number_is_not(
    store: SqliteStore, kept: list[Observation]
) -> None:
    recorder = Recorder(store, lambda: 0, lambda: None)
    statuses = [Status.OK, Status.OK, Status.PROBLEM, Status.PROBLEM, Status.UNKNOWN, Status.OK]
    for second, status in enumerate(statuses):
        recorder.observed([Observation("probe.web", "service:web", status, at(second))])
    assert [observation.status for observation in kept] == [Status.OK, Status.PROBLEM, Status.UNKNOWN, Status.OK]


def test_costs_are_summed_up_and_written_once_a_minute(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    monkeypatch.setattr(store, "record_usage", written.append)
    recorder = Recorder(store, lambda: 40_000_000, lambda: None)
    for second in range(0, 121, 10):
        recorder.took("system_health", at(second), 0.5, 0.25, 2)
    assert [(usage.wall_seconds, usage.cpu_seconds) for usage in written] == [(3.5, 1.75), (3.0, 1.5)]
    assert recorder.ticks == {"system_health": 13}
    assert recorder.last_tick["system_health"] == at(120)


def test_a_state_that_refuses_is_no_reason_to_stop(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise StoreError("full")

    monkeypatch.setattr(store, "record_observations", refuse)
    monkeypatch.setattr(store, "record_usage", refuse)
    recorder = Recorder(store, lambda: 0, lambda: None)
    recorder.observed([an_observation("cpu.percent", NOW, value=1.0)])
    recorder.took("system_health", NOW, 0.1, 0.1, 1)
    recorder.took("system_health", at(61), 0.1, 0.1, 1)
    assert recorder.ticks["system_health"] == 2
