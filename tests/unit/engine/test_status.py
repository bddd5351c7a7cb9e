"""What `status` shows of very many checks: the worst first, and no more rows than anybody reads."""

from pathlib import Path

from tests.support.rig import Rig
from tests.unit.engine.test_engine import engine_of
from zen_agents.engine.status import MOST_ROWS, status_of

NAMES = [f"s{number:03}" for number in range(MOST_ROWS + 30)]


async def rows_of(rig: Rig) -> list[tuple[str, str]]:
    status = status_of(engine_of(rig))
    assert len(status["checks"]) + status["checks_more"] == len(NAMES)
    return [(row["target"], row["state"]) for row in status["checks"]]


async def test_what_is_broken_comes_before_all_that_is_well(tmp_path: Path) -> None:
    rig = Rig(tmp_path, NAMES)
    await rig.tick.run(everything=True, act=False)
    for name in (NAMES[-1], NAMES[-2]):
        rig.host.crash(name)
    await rig.tick.run(everything=True, act=False)
    rows = await rows_of(rig)
    assert rows[:2] == [(f"service:{NAMES[-2]}", "DOWN"), (f"service:{NAMES[-1]}", "DOWN")]
    assert rows[2:] == [(f"service:{name}", "ok") for name in NAMES[: MOST_ROWS - 2]]


async def test_of_very_many_that_are_broken_those_are_shown_that_have_been_so_the_longest(tmp_path: Path) -> None:
    rig = Rig(tmp_path, NAMES)
    await rig.tick.run(everything=True, act=False)
    rig.host.crash(NAMES[-1])
    await rig.tick.run(everything=True, act=False)
    for name in NAMES[:-1]:
        rig.host.crash(name)
    await rig.tick.run(everything=True, act=False)
    rows = await rows_of(rig)
    assert rows[0] == (f"service:{NAMES[-1]}", "DOWN")
    assert {state for _, state in rows} == {"DOWN"}
    assert len(rows) == MOST_ROWS
