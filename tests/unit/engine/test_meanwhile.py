"""What happens while the engine waits for a plan or an action: pauses, reloads, acknowledgements."""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine_here import EngineHere
from tests.support.own_config import own_config
from tests.support.rig import Restart, Rig, RigAgent
from zen_agents.actions.base import ActionPolicy
from zen_agents.engine.judging import AsOf
from zen_agents.engine.safe_mode import SafeModeTriggers
from zen_agents.guards.base import Limit
from zen_agents.model.action import ActionRequest, Effect, OutcomeKind, Plan
from zen_agents.model.entry import EntryKind
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.store import Brake
from zen_agents.rules import transitions
from zen_agents.rules.rule import Rule


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def _while_looking_again(rig: Rig, monkeypatch: pytest.MonkeyPatch, event: Callable[[], Any]) -> None:
    """Have something happen between the guards' answer and the reservation: at the second look."""
    looks: list[int] = []
    plan, loop = Restart.plan, asyncio.get_running_loop()

    def planned(self: Restart, request: ActionRequest, host: HostView) -> Plan:
        looks.append(1)
        if len(looks) == 2:
            # Plans are made beside the loop; what people do happens in it.
            loop.call_soon_threadsafe(event)
        return plan(self, request, host)

    monkeypatch.setattr(Restart, "plan", planned)


async def test_a_pause_set_while_it_looks_again_holds(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    now = rig.clock.now()
    pause = Brake("pause", "host", "by hand", "alice", now, now.steady + 3600)
    _while_looking_again(rig, monkeypatch, lambda: rig.store.set_brake(pause))
    rig.host.crash("web")
    await rig.run(300)
    assert rig.controls == []
    assert "stale_plan" in rig.reasons()
    assert "paused" in rig.reasons()


def _while_planning(monkeypatch: pytest.MonkeyPatch, event: Callable[[], Any]) -> None:
    """Have something happen in the loop while the first plan is made."""
    plan, loop, first = Restart.plan, asyncio.get_running_loop(), [True]

    async def happen() -> None:
        event()

    def planned(self: Restart, request: ActionRequest, host: HostView) -> Plan:
        if first:
            first.clear()
            asyncio.run_coroutine_threadsafe(happen(), loop).result(20)
        return plan(self, request, host)

    monkeypatch.setattr(Restart, "plan", planned)


async def test_a_storm_that_comes_up_while_it_is_planned_holds_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, storm=Limit(3, 300.0, 600.0), triggers=SafeModeTriggers(storm=False))

    def others_fail() -> None:
        own = next(iter(rig.parts.book))
        for n in range(5):
            rig.parts.book.put(replace(own, id=f"inc-other{n}", key=f"other{n}", target=f"service:other{n}"))

    _while_planning(monkeypatch, others_fail)
    rig.host.crash("web")
    await rig.run(30)
    assert rig.controls == []
    assert "storm_brake" in rig.reasons()


async def test_guards_judge_by_the_time_at_which_the_plan_was_made(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    now = rig.clock.now()
    rig.store.set_brake(Brake("pause", "host", "by hand", "alice", now, now.steady + 3600))
    # It is planned, which takes an hour; the pause is over by then.
    _while_planning(monkeypatch, lambda: rig.host.advance(3601))
    rig.host.crash("web")
    await rig.turn()
    assert "paused" not in rig.reasons()


async def test_an_action_that_ends_while_the_next_one_is_planned_keeps_it_waiting_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, loop, may_end = Rig(tmp_path, ["a", "b"], max_concurrent=1), asyncio.get_running_loop(), asyncio.Event()
    execute, plan = Restart.execute, Restart.plan

    async def held(self: Restart, made: Plan, control: HostControl) -> Effect:
        await may_end.wait()
        return await execute(self, made, control)

    def planned(self: Restart, request: ActionRequest, host: HostView) -> Plan:
        if rig.parts.executor.running:
            rig.host.advance(0.01)
            loop.call_soon_threadsafe(may_end.set)
            asyncio.run_coroutine_threadsafe(rig.parts.executor.drain(), loop).result(20)
        return plan(self, request, host)

    monkeypatch.setattr(Restart, "execute", held)
    monkeypatch.setattr(Restart, "plan", planned)
    rig.host.crash("a")
    rig.host.crash("b")
    began = rig.clock.now().steady
    await rig.run(1)
    assert "rate_limit" not in rig.reasons(), "when its plan was there, none was running any more"
    assert (rig.starts("a"), rig.starts("b")) == (2, 2), "not half a minute later"
    assert rig.clock.now().steady - began < 2


async def test_an_emergency_stop_set_while_it_looks_again_holds(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    _while_looking_again(rig, monkeypatch, lambda: (rig.state_dir / "EMERGENCY_STOP").write_text("set now by alice: no"))
    rig.host.crash("web")
    await rig.run(300)
    assert rig.controls == []
    assert "emergency_stop" in rig.reasons()


async def test_a_reload_to_a_safer_mode_while_it_looks_again_holds(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def reload() -> None:
        rig.parts.policy = replace(rig.parts.policy, mode="observe")

    _while_looking_again(rig, monkeypatch, reload)
    rig.host.crash("web")
    await rig.run(300)
    assert rig.controls == []
    assert "mode_observe" in rig.reasons()


async def test_an_acknowledgement_while_it_looks_again_is_kept(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def acknowledge() -> None:
        (incident,) = list(rig.parts.book)
        now = rig.clock.now()
        taken = transitions.acknowledged(incident, by="alice", until=now.steady + 3600, keep_acting=False, now=now)
        rig.parts.book.put(taken)

    _while_looking_again(rig, monkeypatch, acknowledge)
    rig.host.crash("web")
    await rig.run(300)
    (incident,) = list(rig.parts.book)
    assert incident.acknowledged_by == "alice"
    assert rig.controls == []


async def test_a_rule_that_goes_while_its_action_runs_leaves_no_verified_and_no_endless_turns(rig: Rig) -> None:
    await rig.turn()
    rig.host.crash("web")
    rig.host.advance(5)
    await rig.tick.run()
    assert len(rig.parts.book) == 1
    # The reload takes the service out before the action has run.
    rig.tick.rebuild(RigAgent(rig.host, [], {}, 5.0))
    await rig.tick.run(everything=True)
    await rig.parts.executor.drain()
    assert rig.outcomes() == ["unknown"]
    assert rig.store.incidents()[0].resolved_by == "configuration"
    assert rig.tick.next_at() == float("inf")


async def test_an_action_that_fails_after_its_rule_has_gone_ends_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    may_end = asyncio.Event()

    async def fails(self: Restart, plan: Plan, control: HostControl) -> Effect:
        del self, plan, control
        await may_end.wait()
        return Effect(False, "exit 1")

    monkeypatch.setattr(Restart, "execute", fails)
    await rig.turn()
    rig.host.crash("web")
    rig.host.advance(5)
    await rig.tick.run()
    rig.tick.rebuild(RigAgent(rig.host, [], {}, 5.0))
    await rig.tick.run(everything=True)
    may_end.set()
    await rig.parts.executor.drain()
    assert [row.entry.body["outcome"] for row in rig.store.entries(kinds=[EntryKind.OUTCOME])] == ["failed"]
    assert rig.tick.next_at() == float("inf")


async def test_a_rule_that_goes_while_its_action_is_verified_leaves_nothing_unfinished(rig: Rig) -> None:
    await rig.turn()
    rig.host.services["web"].hangs = True
    rig.host.advance(5)
    await rig.turn()
    assert rig.outcomes() == ["verifying"]
    rig.tick.rebuild(RigAgent(rig.host, [], {}, 5.0))
    await rig.turn(everything=True)
    assert rig.outcomes() == ["unknown"]
    assert list(rig.store.unfinished()) == []
    assert rig.tick.next_at() == float("inf")


async def test_the_allow_list_says_how_long_an_action_may_take(tmp_path: Path) -> None:
    allowed = {"restart_service": ActionPolicy(timeout=timedelta(seconds=7))}
    rig = Rig(tmp_path, allowed=allowed)
    rig.host.crash("web")
    rule = next(iter(rig.tick.watchlist.rules.values()))
    now = rig.clock.now()
    situation = rig.parts.book.situation(rig.parts.policy, now, actionable=1, running=0, foreign="")
    judged = await rig.parts.judging.judge(
        rule.ladder[0].alternatives[0],
        rule=rule,
        incident=None,
        policy=rig.parts.policy,
        present=lambda: AsOf(now, situation),
    )
    assert judged.plan is not None
    assert judged.plan.timeout_seconds == 7.0


class _WebNeedsDb(RigAgent):
    def rules(self) -> list[Rule]:
        db, web = super().rules()
        return [db, replace(web, depends_on=frozenset({db.key}))]


async def test_what_waited_for_another_service_is_decided_as_soon_as_that_one_is_well(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ["db", "web"])
    rig.tick.rebuild(_WebNeedsDb(rig.host, ["db", "web"], {}, 5.0))
    await rig.turn()
    rig.host.services["db"].refuses_to_start = True
    rig.host.crash("db")
    rig.host.crash("web")
    await rig.run(60)
    assert rig.starts("web") == 1
    assert "dependency_down" in rig.reasons()
    rig.host.services["db"].refuses_to_start = False
    rig.host.start("db")
    await rig.run(6)
    assert rig.starts("web") == 2


async def test_a_final_outcome_keeps_what_the_action_said(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    execute = Restart.execute

    async def told(self: Restart, plan: Plan, control: Any) -> Any:
        effect = await execute(self, plan, control)
        return replace(effect, before="down", after="up", undo={"mode": "0600"}, output="done\n")

    monkeypatch.setattr(Restart, "execute", told)
    rig.host.crash("web")
    await rig.run(30)
    (row,) = rig.store.actions()
    assert row.kind is OutcomeKind.VERIFIED
    kept = {name: row.effect[name] for name in ("before", "after", "undo", "output", "exit_code")}
    assert kept == {"before": "down", "after": "up", "undo": {"mode": "0600"}, "output": "done\n", "exit_code": 0}


async def test_a_target_rests_while_an_earlier_engines_command_still_runs_there(rig: Rig) -> None:
    rig.host.services["web"].hangs = True
    await rig.run(6)
    (row,) = rig.store.actions()
    await rig.run(31)
    rig.parts.executor._still_running = lambda: (row.id,)
    await rig.run(600)
    assert len(rig.store.actions()) == 1
    assert "lease_held" in rig.reasons()
    rig.parts.executor._still_running = tuple
    await rig.run(600)
    assert len(rig.store.actions()) > 1


async def test_an_action_that_a_person_starts_while_it_looks_again_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path)

    async def never() -> None:
        await asyncio.Event().wait()

    def another_runs() -> None:
        rig.parts.executor._running["act-by-hand"] = asyncio.ensure_future(never())

    _while_looking_again(rig, monkeypatch, another_runs)
    rig.host.crash("web")
    await rig.tick.run(everything=True)
    rig.parts.executor._running.pop("act-by-hand").cancel()
    assert rig.controls == []
    assert "rate_limit" in rig.reasons()


async def test_safe_mode_that_cannot_be_written_while_it_looks_again_holds(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        rig.store.commit()
        holder = sqlite3.connect(rig.state_dir / "state.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        rig.parts.safe_mode.enter("odd disk errors")
        holder.close()

    _while_looking_again(rig, monkeypatch, fails)
    rig.host.crash("web")
    await rig.run(300)
    assert rig.controls == []
    assert "safe_mode" in rig.reasons()


async def test_an_action_that_ends_while_another_way_is_planned_lets_the_next_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second waits for the first alone; once it waited half a minute more, for nothing."""
    places = [tmp_path / "srv" / name for name in ("one", "two")]
    places[0].parent.mkdir()
    own = {"mode": "0750", "kind": "directory", "create": True, "owner": str(os.geteuid()), "group": str(os.getegid())}
    paths = {place.name: {"path": str(place), **own} for place in places}
    async with EngineHere(tmp_path, own_config({"paths": paths}, ["create_directory", "restore_permissions"])) as engine:
        plan = engine.parts.planning.plan

        async def planned(request: ActionRequest, host: HostView) -> Plan:
            if request.action == "restore_permissions":
                await engine.parts.executor.drain()
            return await plan(request, host)

        monkeypatch.setattr(engine.parts.planning, "plan", planned)
        await engine.settle()
        assert [place.is_dir() for place in places] == [True, True]
