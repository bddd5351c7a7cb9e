"""A whole engine through random lives: whatever happens to the host, the state, the clock and itself, it stays safe."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.random_life import SERVICES, Life, Step

NAMES = st.sampled_from(SERVICES)
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("run"), st.sampled_from([1.0, 7.0, 31.0, 120.0, 600.0, 4000.0])),
    st.tuples(st.just("crash"), NAMES),
    st.tuples(st.just("crash"), NAMES),
    st.tuples(st.just("hang"), NAMES, st.booleans()),
    st.tuples(st.just("refuse"), NAMES, st.booleans()),
    st.tuples(st.just("loop"), NAMES, st.sampled_from([None, 3.0, 40.0, 400.0])),
    st.tuples(st.just("person_stops"), NAMES),
    st.tuples(st.just("person_starts"), NAMES),
    st.tuples(st.just("blind"), st.sampled_from(["up", "unit"]), st.sampled_from(["fail", "garbage", "heal"])),
    st.tuples(st.just("pause"), st.sampled_from(["host", "target:service:web", "agent:system_health"]),
              st.sampled_from([10.0, 600.0])),
    st.tuples(st.just("resume")),
    st.tuples(st.just("safe_mode"), st.booleans()),
    st.tuples(st.just("stop_flag"), st.booleans()),
    st.tuples(st.just("mode"), st.sampled_from(["observe", "enforce", "enforce"])),
    st.tuples(st.just("clock"), st.sampled_from([-86_400.0, -30.0, 30.0, 86_400.0])),
    st.tuples(st.just("kill")),
    st.tuples(st.just("kill_at_work"), st.booleans()),
    st.tuples(st.just("store_fails"), st.sampled_from(["reserve", "finish", "batch"]), st.integers(1, 3)),
)  # fmt: skip


async def live(folder: Path, steps: list[Step]) -> list[str]:
    """Live one life to its end, and return what was wrong in it."""
    life = Life(folder)
    for step in steps:
        await life.take(step)
    await life.calm_down()
    return life.end()


@given(st.lists(STEPS, min_size=1, max_size=25))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_life_makes_the_engine_unsafe(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert asyncio.run(live(Path(folder), steps)) == []


@pytest.mark.parametrize(
    "steps",
    [
        [("crash", "web"), ("kill_at_work", False), ("run", 600.0)],
        [("crash", "web"), ("kill_at_work", True), ("run", 600.0)],
        [("refuse", "web", True), ("crash", "web"), *[("run", 31.0), ("kill",)] * 12],
        [("loop", "web", 3.0), ("loop", "db", 40.0), ("crash", "web"), ("crash", "db"), ("run", 4000.0)],
        [("crash", "web"), ("store_fails", "finish", 1), ("run", 120.0), ("safe_mode", False), ("run", 600.0)],
        [("crash", "web"), ("store_fails", "reserve", 1), ("run", 120.0), ("safe_mode", False), ("run", 600.0)],
        [("person_stops", "db"), ("run", 4000.0), ("clock", -86_400.0), ("run", 600.0), ("kill",), ("run", 600.0)],
        [("crash", "mail"), ("run", 4000.0)],
        [("crash", "web"), ("kill_at_work", False), ("crash", "web"), ("crash", "db"), ("run", 1.0)],
    ],
)  # fmt: skip
async def test_lives_that_were_thought_of(tmp_path: Path, steps: list[Step]) -> None:
    assert await live(tmp_path, steps) == []
