"""A check that takes long is looked at beside the turns: others are repaired meanwhile, and nothing is judged early."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.rig import Rig, RigAgent, UpCheck
from zen_agents.checks.base import Check, Probe
from zen_agents.clock import Instant
from zen_agents.model.action import OutcomeKind
from zen_agents.model.incident import IncidentState
from zen_agents.model.observation import Observation, Status
from zen_agents.model.principal import Principal
from zen_agents.model.reason import Reason
from zen_agents.ports.host import HostView
from zen_agents.rules.condition import StatusIs
from zen_agents.rules.rule import Rule

ALICE = Principal("alice", 1000)


class LongUp(Probe):
    """Whether a simulated service answered when the look began, told when it is let go on."""

    kind = "long_up"
    summary = "Asks for long whether a service answers."
    is_long = True

    def __init__(self, short: UpCheck) -> None:
        super().__init__(name=short.name, target=short.target, every_seconds=short.every_seconds)
        self._short, self.began, self.go_on = short, asyncio.Event(), asyncio.Event()
        self.looks, self.ended = 0, 0

    @property
    def observes(self) -> tuple[str, ...]:
        return self._short.observes

    async def probe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        self.looks += 1
        self.began.set()
        seen = self._short.observe(host, now)
        try:
            await self.go_on.wait()
        finally:
            self.ended += 1
        return seen


def _checks(agent: RigAgent) -> Sequence[Check]:
    """Return the checks of an agent whose first service is looked at for long."""
    first, *others = (UpCheck(name, agent._host, agent._every) for name in agent._names)
    return [LongUp(first), *others]


def _rules(agent: RigAgent) -> Sequence[Rule]:
    """Return its rules, which take what was seen an hour ago for the present: looks may last that long."""
    long = {name: StatusIs(f"up.{name}", f"service:{name}", 3600.0) for name in agent._names}
    rules = (agent._rule_for(remedy) for remedy in agent.remedies())
    return [replace(rule, condition=long[rule.target.partition(":")[2]]) for rule in rules]


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """Return two services that are down, of which the first is looked at for long."""
    monkeypatch.setattr(RigAgent, "checks", _checks)
    monkeypatch.setattr(RigAgent, "rules", _rules)
    made = Rig(tmp_path, ["web", "mail"], rule={"unknown_patience_seconds": 60.0})
    made.host.crash("web")
    made.host.crash("mail")
    return made


def long_of(rig: Rig) -> LongUp:
    (check,) = (check for check in rig.tick.watchlist.checks.values() if isinstance(check, LongUp))
    return check


async def test_others_are_repaired_meanwhile_and_then_what_it_saw_counts(rig: Rig) -> None:
    await rig.run(30)
    assert (rig.starts("mail"), rig.starts("web"), long_of(rig).looks) == (2, 1, 1)
    await let_go(rig)
    await rig.run(5)
    await let_go(rig)
    await rig.run(5)
    assert rig.starts("web") == 2 and rig.outcomes() == ["verified", "verified"]


async def let_go(rig: Rig) -> None:
    """Let the look that is under way end, and the next ones be begun and wait."""
    check = long_of(rig)
    rig.host.advance(0.5)
    check.go_on.set()
    await rig.tick.outlook.long_looks.end_of([check.name])
    check.go_on = asyncio.Event()


async def test_what_is_due_meanwhile_is_looked_at_once_more_at_the_end(rig: Rig) -> None:
    await rig.run(30)
    assert long_of(rig).looks == 1  # due every five seconds
    await let_go(rig)
    await rig.run(1)
    assert long_of(rig).looks == 2


async def test_a_repair_is_not_judged_before_the_look_at_it_has_ended(rig: Rig) -> None:
    await rig.turn()
    await let_go(rig)
    await rig.turn()
    assert rig.starts("web") == 2
    await rig.run(120)  # far beyond its deadline
    assert "verifying" in rig.outcomes() and rig.starts("web") == 2 and Reason.LOOKING in rig.reasons()
    await let_go(rig)
    await rig.run(10)
    assert rig.outcomes() == ["verified", "verified"]


async def test_a_repair_that_does_not_help_has_failed_once_a_look_has_told(rig: Rig) -> None:
    await rig.turn()
    await let_go(rig)
    await rig.turn()
    rig.host.crash("web")
    await rig.run(40)
    assert "failed" not in rig.outcomes()
    long_of(rig).go_on.set()
    await rig.run(40)
    assert "failed" in rig.outcomes() and rig.starts("web") >= 3


async def test_what_was_looked_at_while_an_action_worked_on_it_is_unknown_and_looked_at_anew(rig: Rig) -> None:
    check = long_of(rig)
    await rig.turn()
    await let_go(rig)
    await rig.turn()
    await rig.run(5)
    (look,) = rig.tick.outlook.long_looks
    look.began_at = look.began_at.after(-10)  # it began before the action
    await let_go(rig)
    await rig.turn()
    newest = rig.tick.latest.last(check.name, check.target)
    assert newest is not None and newest.status is Status.UNKNOWN and "worked on it" in newest.detail
    await rig.run(1)
    assert check.looks == 3


async def test_nobody_is_told_that_nothing_is_known_while_the_first_look_lasts(rig: Rig) -> None:
    await rig.turn(everything=True)
    rig.host.advance(30)
    await rig.turn(everything=True)
    await rig.run(300)
    key = next(rule.key for rule in rig.tick.watchlist.rules.values() if rule.target == "service:web")
    incident = rig.parts.book.get(key)
    assert incident is not None and incident.state is IncidentState.SUSPECTED and incident.last_status is Status.UNKNOWN
    assert Reason.LOOKING in rig.reasons() and Reason.UNKNOWN_TOO_LONG not in rig.reasons()


async def test_an_act_by_hand_waits_for_what_the_look_after_it_says(rig: Rig) -> None:
    asked = asyncio.create_task(rig.by_hand.act("restart_service", "web", who=ALICE, reason="a try", override=frozenset()))
    check = long_of(rig)
    async with asyncio.timeout(30):
        await check.began.wait()
    rig.host.advance(200)  # far beyond its deadline
    await asyncio.sleep(0.005)
    assert not asked.done() and long_of(rig).looks == 1
    while not asked.done():
        await let_go(rig)
        await asyncio.sleep(0.005)
    assert (await asked)[1].kind is OutcomeKind.VERIFIED


async def test_a_reload_and_the_end_of_the_agent_end_it(rig: Rig) -> None:
    await rig.turn()
    check = long_of(rig)
    await rig.tick.swap(rig.agent)
    await asyncio.sleep(0)
    assert check.ended == 1 and [*rig.tick.outlook.long_looks] == []
    await rig.turn()
    await rig.running.stop("the end")
    assert long_of(rig).ended == 1 and [*rig.tick.outlook.long_looks] == []
