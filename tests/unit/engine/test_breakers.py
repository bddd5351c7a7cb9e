"""One breaker for each action and target: it opens, tries once, closes, and is as durable as the state."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import ManualClock, SystemClock
from zen_agents.engine.breakers import Breakers, breaker_name
from zen_agents.guards.base import Limit

LIMIT = Limit(3, 3600.0, 600.0)
WEB = ("restart_service", "service:web")


class Counting:
    """Breakers over a real state, on a clock that moves when told."""

    def __init__(self, path: Path, limit: Limit = LIMIT) -> None:
        self.path, self.limit = path, limit
        self.clock = ManualClock(SystemClock().now().wall)
        self.store = SqliteStore(path)
        self.breakers = Breakers(self.store, limit, self.clock.now)

    def restart(self) -> None:
        self.store.commit()
        self.store.close()
        self.store = SqliteStore(self.path)
        self.breakers = Breakers(self.store, self.limit, self.clock.now)

    @property
    def state(self) -> str:
        row = self.store.breaker(breaker_name(*WEB))
        return row.state if row else "none"


@pytest.fixture
def counting(tmp_path: Path) -> Counting:
    return Counting(tmp_path / "state.db")


def test_it_opens_at_the_last_failure_that_is_allowed(counting: Counting) -> None:
    assert [counting.breakers.failed(*WEB) for _ in range(3)] == [False, False, True]
    assert counting.state == "open"
    assert counting.breakers.failed("restart_service", "service:api") is False


def test_what_succeeded_without_a_failure_leaves_no_trace(counting: Counting) -> None:
    counting.breakers.succeeded(*WEB)
    assert counting.state == "none"


def test_failures_older_than_the_window_do_not_count(counting: Counting) -> None:
    for _ in range(10):
        assert counting.breakers.failed(*WEB) is False
        counting.clock.advance(1900.0)


def test_it_is_open_over_a_restart_and_a_clock_that_is_set(counting: Counting) -> None:
    for _ in range(3):
        counting.breakers.failed(*WEB)
    counting.restart()
    counting.clock.jump_wall(-86_400.0)
    counting.breakers.succeeded(*WEB)
    assert counting.state == "open"
    counting.clock.jump_wall(3 * 86_400.0)
    counting.breakers.succeeded(*WEB)
    assert counting.state == "open"


def test_after_the_wait_one_try_decides(counting: Counting) -> None:
    for _ in range(3):
        counting.breakers.failed(*WEB)
    counting.clock.advance(601.0)
    assert counting.breakers.failed(*WEB) is True
    assert counting.state == "open"
    counting.clock.advance(601.0)
    counting.breakers.succeeded(*WEB)
    assert counting.state == "closed"
    assert counting.breakers.failed(*WEB) is False


@settings(max_examples=50, deadline=None)
@given(steps=st.lists(st.tuples(st.booleans(), st.floats(0.0, 2000.0)), max_size=40))
def test_it_is_open_only_after_enough_failures_within_the_window(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[bool, float]]
) -> None:
    counting, failures = Counting(tmp_path_factory.mktemp("b") / "state.db"), list[float]()
    for failed, seconds in steps:
        now = counting.clock.advance(seconds).steady
        before = counting.state
        if failed:
            counting.breakers.failed(*WEB)
            failures.append(now)
        else:
            counting.breakers.succeeded(*WEB)
        if counting.state == "open" and before in ("none", "closed"):
            assert len([at for at in failures if at > now - LIMIT.within_seconds]) >= LIMIT.most
    counting.store.close()
