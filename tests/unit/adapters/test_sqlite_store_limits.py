"""Whatever the order of acts, restarts, lost batches, pruning and clock jumps: limits and leases hold."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support.state import an_entry, an_intent, an_outcome
from zen_agents.adapters.ledger_audit import verify
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.adapters.sqlite_store_actions import BUDGET_SECONDS
from zen_agents.clock import Instant, ManualClock
from zen_agents.errors import RefusedError
from zen_agents.model.action import Budget, OutcomeKind
from zen_agents.model.principal import Principal

LIMIT = 3
TARGETS = st.sampled_from(["service:a", "service:b", "service:c", "service:d"])
FINAL = st.sampled_from([kind for kind in OutcomeKind if kind.is_final])


class Host(RuleBasedStateMachine):
    """A host whose engine acts, dies and comes back; `real` is the time that truly passed."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "state.db"
        self.store = SqliteStore(self.path)
        self.clock = ManualClock(datetime(2026, 1, 4, tzinfo=UTC), 10_000.0)
        self.real = 0.0
        #: (real time, budget) of every reservation by the engine.
        self.spent: list[tuple[float, Budget]] = []
        #: target -> real time until which a running action holds it.
        self.held: dict[str, tuple[str, float]] = {}
        self.running: list[str] = []
        self.number = 0

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            found = verify(self.path)
            assert found.ok, found.problem
            shutil.rmtree(self.folder)

    @rule(on=TARGETS, budget=st.sampled_from(Budget), person=st.booleans(), lease=st.floats(1.0, 5000.0))
    def reserve(self, on: str, budget: Budget, person: bool, lease: float) -> None:
        self.number += 1
        id, now = f"act-{self.number:04d}", self.clock.now()
        by = Principal("alice", 1000) if person else Principal("engine")
        intent = an_intent(id, now, target=on, budget=budget, by=by, lease_seconds=lease)
        try:
            self.store.reserve(intent, hourly_limit=None if person else LIMIT)
        except RefusedError:
            assert self.store.action(id) is None
            return
        holder = self.held.get(on)
        assert holder is None or holder[1] <= self.real + 1e-6, "two actions on one target"
        self.held[on] = (id, self.real + lease)
        self.running.append(id)
        if not person:
            self.spent.append((self.real, budget))

    @precondition(lambda self: getattr(self, "running", None))
    @rule(data=st.data(), kind=FINAL)
    def finish(self, data: st.DataObject, kind: OutcomeKind) -> None:
        id = data.draw(st.sampled_from(self.running))
        self.running.remove(id)
        self.store.finish(an_outcome(id, kind, self.clock.now()))
        self.held = {target: held for target, held in self.held.items() if held[0] != id}

    @rule(seconds=st.floats(0.0, 3000.0))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.real += seconds

    @rule(seconds=st.floats(-200_000.0, 200_000.0))
    def somebody_sets_the_clock(self, seconds: float) -> None:
        self.clock.jump_wall(seconds)

    @rule(seconds=st.floats(0.0, 5000.0))
    def the_anchor_was_old(self, seconds: float) -> None:
        """A reboot with the clock set back continues the timeline from an earlier point, never from a later one."""
        now = self.clock.now()
        self.clock = ManualClock(now.wall, max(0.0, now.steady - seconds))

    @rule()
    def restart(self) -> None:
        self.store.append(an_entry("dec-lost", at=self.clock.now()))
        self.store.close()
        self.store = SqliteStore(self.path)

    @rule()
    def decide(self) -> None:
        self.store.append(an_entry(f"dec-{self.number}", at=self.clock.now()))

    @rule()
    def prune(self) -> None:
        before = max(0.0, self.clock.now().steady - 2 * BUDGET_SECONDS)
        self.store.prune(metrics_before=before, decisions_before=before, actions_before=before)

    @invariant()
    def no_hour_holds_more_than_the_limit(self) -> None:
        for budget in Budget:
            times = sorted(at for at, of in getattr(self, "spent", []) if of is budget)
            for first, last in zip(times, times[LIMIT:], strict=False):
                assert last - first >= BUDGET_SECONDS - 1e-6

    @invariant()
    def what_runs_is_known(self) -> None:
        if hasattr(self, "store"):
            assert {row.id for row in self.store.unfinished()} == set(self.running)


Host.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestHost = Host.TestCase


def test_the_token_is_free_again_after_exactly_an_hour(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "state.db")
    wall = datetime(2026, 1, 4, tzinfo=UTC)
    store.reserve(an_intent("act-1", Instant(wall, 0.0), target="service:a"), hourly_limit=1)
    assert store.spent(Budget.REPAIR, 3599.0 - BUDGET_SECONDS) == 1
    assert store.spent(Budget.REPAIR, 3600.0 - BUDGET_SECONDS) == 0
    store.reserve(an_intent("act-2", Instant(wall, 3600.0), target="service:a"), hourly_limit=1)
    store.close()
