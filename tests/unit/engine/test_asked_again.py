"""When an action that found nothing to do is asked for again: soon at first, and seldom in the end."""

from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.rig import Restart, Rig
from zen_agents.engine.repairs import ASK_AGAIN_SECONDS, ASK_STALE_AGAIN_SECONDS
from zen_agents.errors import StalePlanError
from zen_agents.model.action import ActionRequest, Plan
from zen_agents.ports.host import HostView


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def _nothing_to_do_until(rig: Rig, monkeypatch: pytest.MonkeyPatch, steady: float) -> list[float]:
    """Have every plan before that time find nothing to do; return a list that fills with the times at which it was asked."""
    plan, asked = Restart.plan, []

    def planned(self: Restart, request: ActionRequest, host: HostView) -> Plan:
        asked.append(rig.clock.now().steady)
        if asked[-1] < steady:
            raise StalePlanError("nothing to do yet")
        return plan(self, request, host)

    monkeypatch.setattr(Restart, "plan", planned)
    return asked


async def test_what_can_be_done_a_moment_later_is_done_a_moment_later(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a log that fills a disk and is deleted in the next moment: only then there is something to truncate."""
    await rig.turn()
    rig.host.crash("web")
    _nothing_to_do_until(rig, monkeypatch, rig.clock.now().steady + 7.0)
    await rig.run(20)
    assert rig.outcomes() == ["verified"]


async def test_what_was_another_thing_for_a_moment_is_planned_for_again_at_once_and_then_a_little_later(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a unit that was just killed, of which systemd says one thing and in the next moment another."""
    await rig.turn()
    rig.host.crash("web")
    asked = _nothing_to_do_until(rig, monkeypatch, float("inf"))
    while len(asked) < 3:
        rig.host.advance(max(0.0, rig.tick.next_at() - rig.clock.now().steady))
        await rig.turn()
    assert asked[1] == asked[0]
    assert asked[2] == pytest.approx(asked[0] + ASK_STALE_AGAIN_SECONDS)


async def test_what_cannot_be_done_for_long_is_asked_for_no_more_often_than_any_other_refusal(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.turn()
    rig.host.crash("web")
    asked = _nothing_to_do_until(rig, monkeypatch, float("inf"))
    await rig.run(600)
    assert rig.outcomes() == []
    last = asked[-4:]
    assert min(later - earlier for earlier, later in pairwise(last)) >= ASK_AGAIN_SECONDS
