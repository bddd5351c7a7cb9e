"""What the engine changes itself is no event: it opens no incident, counts as nothing, and gives nobody's stop back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.guarding import unit
from tests.support.rig import Restart, Rig, watch_units
from zen_agents.checks.unit import UnitCheck
from zen_agents.model.action import ActionRequest, Effect, Plan, Resource, ResourceKind
from zen_agents.model.incident import IncidentState
from zen_agents.ports.host import HostControl, HostView
from zen_agents.rules.rule import Rung


class TakesAlong(Restart):
    """A restart of web during which systemd stops db; the agent looks right then."""

    rig: Rig
    #: Whether db comes back with it.
    starts_it_again = True

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        return replace(super().plan(request, host), along=(Resource(ResourceKind.UNIT, "db.service"),))

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        was_up = bool(self.rig.host.services["db"].pid)
        self.rig.host.stop("db")
        for _ in range(3):
            await self.rig.tick.run(everything=True)
            self.rig.host.advance(0.3)
        effect = await super().execute(plan, control)
        if was_up and self.starts_it_again:
            self.rig.host.start("db")
        return effect


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    watch_units(monkeypatch)
    rig = Rig(tmp_path, ["web", "db"])
    TakesAlong.rig = rig
    rig.parts.planning.actions = {"restart_service": TakesAlong()}
    return rig


def opened(rig: Rig) -> list[str]:
    return sorted(incident.target for incident in rig.store.incidents())


async def test_what_a_restart_takes_along_opens_no_incident(rig: Rig) -> None:
    await rig.turn()
    rig.host.crash("web")
    await rig.run(60)
    assert opened(rig) == ["service:web"]
    assert rig.outcomes() == ["verified"]
    assert rig.summaries() == []


async def test_what_does_not_come_back_with_it_is_a_fault_once_the_action_has_ended(rig: Rig) -> None:
    rig.parts.planning.actions["restart_service"].starts_it_again = False  # type: ignore[attr-defined]
    await rig.turn()
    rig.host.crash("web")
    await rig.turn(everything=True)
    # Long before it is due: what was passed over is looked at again at once.
    await rig.run(1)
    assert opened(rig) == ["service:db", "service:web"]


class Elsewhere(Restart):
    """A restart of web for a reason of another kind, after which web takes a while to answer."""

    rig: Rig

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        self.rig.host.stop("web")
        return Effect(True, "restarted")


async def restarted_for_another_reason(rig: Rig) -> None:
    """Leave web down after an action on it that another rule's incident asked for: its probe has none."""
    Elsewhere.rig = rig
    rig.parts.planning.actions = {"restart_service": Elsewhere()}
    await rig.turn()
    executor, (remedy, *_) = rig.parts.executor, rig.agent.remedies()
    plan = await rig.parts.planning.plan_now(replace(remedy, incident="inc-a-leak"))
    executor.start(
        await executor.reserve(plan, policy=rig.parts.policy, verify_within_seconds=60.0, verified_by="leak.web"),
        lambda intent, outcome: None,
    )
    await executor.drain()


async def test_a_target_that_is_still_coming_back_is_no_event_until_it_should_be_well(rig: Rig) -> None:
    await restarted_for_another_reason(rig)
    await rig.run(50)
    assert opened(rig) == []
    await rig.run(30)
    assert opened(rig) == ["service:web"]


async def test_a_target_that_came_back_and_broke_again_is_an_event_at_once(rig: Rig) -> None:
    await restarted_for_another_reason(rig)
    await rig.turn(everything=True)
    rig.host.start("web")
    await rig.run(1)
    assert opened(rig) == []
    rig.host.crash("web")
    await rig.turn(everything=True)
    assert opened(rig) == ["service:web"]


async def test_what_an_action_is_meant_to_leave_is_an_event_at_once_for_the_rule_that_ends_it(tmp_path: Path) -> None:
    way_back = Rung((ActionRequest("restore_port_range", "service:web"),))
    rig = Rig(tmp_path, ["web", "db"], rule={"ladder": (way_back,)})
    await restarted_for_another_reason(rig)
    await rig.turn(everything=True)
    assert opened(rig) == ["service:web"]


async def test_what_a_person_stopped_before_stays_theirs(rig: Rig) -> None:
    await rig.turn()
    rig.host.stop("db")
    await rig.run(1200)
    (before,) = list(rig.parts.book)
    assert before.state is IncidentState.ESCALATED
    rig.host.crash("web")
    await rig.run(60)
    (after,) = list(rig.parts.book)
    assert (after.id, after.state, after.escalated_for) == (before.id, before.state, before.escalated_for)
    assert not rig.host.services["db"].pid


def judged(**changes: Any) -> Any:
    host = SimulatedHost()
    host.faults.answer("unit", unit("web.service", **changes))
    (seen,) = UnitCheck("web", "web.service", every_seconds=5.0).observe(host.look(), host.clock.now())
    return seen.status.value


def test_a_unit_that_waits_for_its_turn_in_a_restart_is_not_down_yet() -> None:
    assert judged(active_state="inactive", busy=True) == "unknown"
    assert judged(active_state="inactive", busy=False) == "problem"
    assert judged(active_state="failed", result="signal", busy=False) == "problem"


def test_a_unit_whose_process_has_just_ended_is_not_well_any_more() -> None:
    host = SimulatedHost()
    host.add_service("web", unit="web.service")
    host.start("web")
    check = UnitCheck("web", "web.service", every_seconds=5.0)
    assert check.observe(host.look(), host.clock.now())[0].status.value == "ok"
    host.change_process(host.services["web"].pid, state="Z")
    assert check.observe(host.look(), host.clock.now())[0].status.value == "unknown"
