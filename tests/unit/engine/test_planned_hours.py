"""Planned work is begun in its hour alone: when the schedule is due or the window open, never because an engine starts."""

from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from chaos.simulation.host import SimulatedHost
from tests.support.rig import Rig, RigAgent
from zen_agents.actions.base import ActionPolicy
from zen_agents.agents.base import Schedule
from zen_agents.agents.dependency_manager.agent import DependencyManagerAgent
from zen_agents.engine.approvals import Approvals
from zen_agents.engine.planned_hours import LASTS_SECONDS
from zen_agents.guards.base import ApprovalTerms, MaintenanceWindow
from zen_agents.model.principal import Principal

HOUR = 3600.0
ALICE = Principal("alice", 1000)


class Planned(RigAgent):
    """Restarts only as planned, at three."""

    planned = frozenset({"restart_service"})
    when = Schedule(cron="0 3 * * *", timezone="Europe/Berlin")

    @property
    def schedule(self) -> Schedule:
        return self.when


class Hourly(Planned):
    """Has an interval, so that nothing is said about an hour."""

    when = Schedule(every_seconds=HOUR)


def a_rig(state: Path, kind: type[RigAgent] = Planned, **policy: Any) -> Rig:
    """Return an engine whose service is down from the start."""
    host = SimulatedHost()
    host.add_service("web", unit="web.service", port=8000)
    host.start("web")
    host.crash("web")
    return Rig(state, host=host, agent=kind(host, ["web"], {}, 600.0), **policy)


async def test_what_a_start_finds_is_begun_when_the_schedule_is_due(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    await rig.run(2 * HOUR)
    assert (rig.starts(), rig.summaries()) == (1, [])
    assert set(rig.reasons()) == {"maintenance"}
    await rig.turn(everything=True)
    await rig.run(60.0)
    assert (rig.starts(), rig.outcomes()) == (2, ["verified"])


async def test_a_schedule_that_was_due_before_a_restart_lets_nothing_begin_after_it(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    await rig.turn(everything=True)
    assert rig.starts() == 2
    rig.host.crash("web")
    again = rig.restart(agent=Planned(rig.host, ["web"], {}, 600.0))
    await again.run(2 * HOUR)
    assert again.starts() == 2


async def test_what_could_not_begin_in_its_hour_waits_for_the_next(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.host.start("web")
    await rig.turn(everything=True)
    await rig.run(LASTS_SECONDS + 60.0)
    rig.host.crash("web")
    await rig.run(2 * HOUR)
    assert rig.starts() == 2
    await rig.turn(everything=True)
    assert rig.starts() == 3


async def test_an_interval_says_nothing_about_an_hour(tmp_path: Path) -> None:
    rig = a_rig(tmp_path, Hourly)
    await rig.run(60.0)
    assert rig.outcomes() == ["verified"]


async def test_a_person_waits_for_no_schedule(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    await rig.turn()
    await rig.by_hand.act("restart_service", "web", who=ALICE, reason="now", override=frozenset(), wait=False)
    await rig.parts.executor.drain()
    assert rig.starts() == 2


async def test_what_a_person_agreed_to_waits_for_no_schedule_either(tmp_path: Path) -> None:
    rig = a_rig(
        tmp_path,
        allowed={"restart_service": ActionPolicy(approval="required")},
        approvals=ApprovalTerms(expire_after_seconds=24 * HOUR),
    )
    await rig.run(HOUR)
    assert list(rig.store.open_approvals()) == []
    await rig.turn(everything=True)
    await rig.run(LASTS_SECONDS + 60.0)
    assert rig.starts() == 1
    (asked,) = rig.store.open_approvals()
    await Approvals(rig.parts).answer(asked.id, ALICE, yes=True, reason="go on")
    rig.tick.look_soon(rig.agent.rules()[0].key)
    await rig.run(60.0)
    assert rig.starts() == 2


async def test_a_window_says_when_it_may_begin_and_nobody_is_told_that_it_waits(tmp_path: Path) -> None:
    opens = datetime(2026, 1, 1, 23, tzinfo=UTC)
    window = MaintenanceWindow("nightly", time(23), 2 * HOUR, frozenset(), "UTC", "no_alerts")
    rig = a_rig(tmp_path, allowed={"restart_service": ActionPolicy(only_in="nightly")}, maintenance=(window,))
    left = (opens - rig.clock.now().wall).total_seconds() % (24 * HOUR)
    assert left > HOUR, "the simulated clock begins in the window"
    await rig.run(left - 60.0)
    # Neither is it begun when the schedule is due outside the window.
    await rig.turn(everything=True)
    assert (rig.starts(), rig.summaries()) == (1, [])
    await rig.run(120.0)
    assert rig.starts() == 2


def test_upgrades_are_planned_work_and_restarts_are_not() -> None:
    assert DependencyManagerAgent.planned == {"upgrade_python_packages", "upgrade_debian_packages"}
