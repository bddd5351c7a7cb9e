"""Nobody can tell about many targets at once: that has one cause, so people are told once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.rig import Rig
from zen_agents.guards.base import Limit

NAMES = ("a", "b", "c", "d", "e")
RULE = {"unknown_patience_seconds": 60.0}


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, NAMES, rule=RULE, storm=Limit(3, 300.0, 600.0))


async def test_many_are_told_once_and_its_end_too(rig: Rig) -> None:
    await rig.turn(everything=True)
    rig.host.faults.fail("up", "name_error")
    await rig.run(300.0)
    assert rig.summaries() == []
    (said,) = rig.summaries("engine")
    assert "5 of 5 targets cannot be told about" in said
    assert rig.outcomes() == []
    rig.host.faults.heal()
    await rig.run(60.0)
    assert len(rig.summaries("engine")) == 1
    (over,) = rig.summaries("resolved")
    assert "is over" in over


async def test_few_are_told_one_by_one(tmp_path: Path) -> None:
    rig = Rig(tmp_path, NAMES[:3], rule=RULE, storm=Limit(3, 300.0, 600.0))
    await rig.turn(everything=True)
    rig.host.faults.fail("up")
    await rig.run(120.0)
    assert len(rig.summaries()) == 3
    assert rig.summaries("engine") == []


async def test_a_share_of_what_could_be_acted_on_is_enough(tmp_path: Path) -> None:
    rig = Rig(tmp_path, NAMES[:4], rule=RULE, storm_share=0.5)
    await rig.turn(everything=True)
    rig.host.faults.fail("up")
    await rig.run(120.0)
    assert rig.summaries() == []
    assert len(rig.summaries("engine")) == 1


async def test_what_really_fails_meanwhile_is_still_repaired(rig: Rig) -> None:
    await rig.turn(everything=True)
    rig.host.faults.fail("up")
    await rig.run(120.0)
    rig.host.faults.heal()
    rig.host.crash("a")
    await rig.run(60.0)
    assert rig.outcomes() == ["verified"]


async def test_a_failing_one_among_those_that_cannot_be_told_about_is_told_by_itself(tmp_path: Path) -> None:
    rig = Rig(tmp_path, NAMES, rule={**RULE, "ladder": ()}, storm=Limit(3, 300.0, 600.0))
    await rig.turn(everything=True)
    rig.host.crash("a")
    await rig.run(10.0)
    assert len(rig.summaries()) == 1
    rig.host.faults.fail("up")
    await rig.run(300.0)
    assert len(rig.summaries()) == 1
    assert len(rig.summaries("engine")) == 1
