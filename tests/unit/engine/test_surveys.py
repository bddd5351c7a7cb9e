"""A look that takes long, before an action is planned: others are decided about meanwhile, and it is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path

import pytest

from tests.support.rig import Restart, Rig
from zen_agents.engine.surveys import HOLDS_FOR
from zen_agents.errors import HostError
from zen_agents.model.action import ActionRequest
from zen_agents.model.reason import Reason
from zen_agents.ports.host import HostView
from zen_agents.ports.host_datasets import LookTold


class LookingLong(Restart):
    """Looks at one service until it is let go on."""

    def __init__(self) -> None:
        self.go_on, self.looks, self.fails = asyncio.Event(), 0, False

    def survey(self, request: ActionRequest, host: HostView, told: LookTold) -> Awaitable[None] | None:
        return self._look(told) if request.target == "service:web" else None

    async def _look(self, told: LookTold) -> None:
        self.looks += 1
        told("web", 0.5)
        await self.go_on.wait()
        if self.fails:
            raise HostError("it cannot be told")


@pytest.fixture
def looking() -> LookingLong:
    return LookingLong()


@pytest.fixture
def rig(looking: LookingLong, tmp_path: Path) -> Rig:
    """Return two services that are down; of the first the look takes long."""
    made = Rig(tmp_path, ["web", "mail"], actions={"restart_service": looking})
    made.host.crash("web")
    made.host.crash("mail")
    return made


async def test_others_of_the_agent_are_repaired_while_one_is_looked_at(rig: Rig, looking: LookingLong) -> None:
    await rig.run(60)
    assert rig.starts("mail") == 2 and rig.starts("web") == 1
    assert rig.reasons().count(Reason.LOOKING) == 1 and looking.looks == 1
    (survey,) = rig.parts.planning.surveys
    assert (survey.request.target, survey.doing, survey.share) == ("service:web", "web", 0.5)
    looking.go_on.set()
    await rig.run(120)
    assert rig.starts("web") == 2 and looking.looks == 2  # it is looked at anew right before it is done
    assert [*rig.parts.planning.surveys] == [] and rig.outcomes() == ["verified", "verified"]


async def test_a_look_that_fails_is_a_refusal_with_its_words(rig: Rig, looking: LookingLong) -> None:
    looking.fails = True
    await rig.turn()
    looking.go_on.set()
    await rig.run(10)
    assert Reason.UNKNOWN_OBSERVATION in rig.reasons() and rig.starts("web") == 1


async def test_a_pause_ends_it_and_is_the_reason(rig: Rig, looking: LookingLong) -> None:
    await rig.turn()
    rig.parts.planning.surveys.give_up(Reason.PAUSED)
    await rig.run(5)
    assert Reason.PAUSED in rig.reasons() and rig.starts("web") == 1


async def test_what_was_found_long_ago_is_not_used(rig: Rig, looking: LookingLong) -> None:
    await rig.turn()
    looking.go_on.set()
    await asyncio.gather(*(each.task for each in rig.parts.planning.surveys))
    rig.host.advance(HOLDS_FOR)
    await rig.run(60)
    assert looking.looks >= 3 and rig.starts("web") == 2


async def test_the_end_of_the_engine_ends_it(rig: Rig, looking: LookingLong) -> None:
    await rig.turn()
    await rig.parts.planning.surveys.close()
    assert [*rig.parts.planning.surveys] == []
