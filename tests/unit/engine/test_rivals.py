"""A fight with another controller: seen from the engine's own record, backed off from, told once with both sides."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.rig import Restart, Rig
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.engine.rivals import MOST_TURNS
from zen_agents.errors import StoreError
from zen_agents.guards.base import Limit
from zen_agents.guards.recurrence import RIVAL
from zen_agents.model.action import ActionRequest, Effect, Intent, Outcome, OutcomeKind, Plan
from zen_agents.model.entry import EntryKind
from zen_agents.model.ids import new_id
from zen_agents.model.incident import IncidentState
from zen_agents.rules.rule import FlapLimit

CALM = 7200.0


class Watchful(Restart):
    """A restart that tells a stop from a crash, as that of real units does."""

    def undone(self, plan: Plan) -> str:
        return "stopped web.service" if plan.detail.get("stopped") else ""

    def plan(self, request: Any, host: Any) -> Plan:
        unit = host.unit(request.params["unit"])
        return replace(super().plan(request, host), detail={"stopped": unit.was_stopped})


def a_rig(state_dir: Path, services: Sequence[str] = ("web",), **changes: Any) -> Rig:
    """Return an engine that starts its service whoever stopped it, and is held back by no other limit."""
    policy: dict[str, Any] = {
        "keep_running": frozenset({"service:web"}), "repairs": Limit(10_000, 3600.0), "per_target": Limit(10_000, 3600.0),
        "recurrence": Limit(50, 14400.0, CALM),
    }  # fmt: skip
    return watchful(Rig(state_dir, services, **(policy | changes)))


def watchful(rig: Rig) -> Rig:
    rig.parts.planning.actions = {"restart_service": Watchful()}
    return rig


def again(rig: Rig, **changes: Any) -> Rig:
    """Return the next engine on the same host and state."""
    policy = rig.parts.policy
    return watchful(rig.restart(keep_running=policy.keep_running, repairs=policy.repairs, per_target=policy.per_target,
                                recurrence=policy.recurrence, **changes))  # fmt: skip


async def stopped(rig: Rig, times: int) -> None:
    """Let somebody stop the service again and again, each time it runs."""
    for _ in range(times):
        rig.host.stop("web")
        await rig.run(90)


def brakes(rig: Rig) -> list[str]:
    return [brake.scope for brake in rig.store.brakes() if brake.kind == RIVAL]


async def test_the_third_undoing_is_the_last_and_people_are_told_both_sides(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    await rig.turn()
    await stopped(rig, 8)
    # One repair, and two more after the first two were undone; the third undoing is left.
    assert len(rig.controls) == MOST_TURNS
    assert brakes(rig) == ["target:service:web"]
    (told,) = [message for message in rig.told.messages if message.kind.value == "firing"]
    sides = told.facts["fight"]
    assert [" did restart_service" in line for line in sides] == [True, False] * 3
    assert ["stopped web.service" in line for line in sides] == [False, True] * 3
    assert all(id in " ".join(sides) for id in rig.controls)
    assert "somebody else, who is not known," in sides[1]
    (incident,) = list(rig.parts.book)
    assert incident.state is IncidentState.ESCALATED and incident.escalated_for is not None
    assert incident.escalated_for.value == "recurrence"
    (written,) = [row.entry for row in rig.store.entries(kinds=[EntryKind.ENGINE]) if row.entry.id == "fought_over"]
    assert (written.incident, written.body["turns"]) == (incident.id, sides)


async def test_a_crash_accuses_nobody(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    await rig.turn()
    for _ in range(6):
        rig.host.crash("web")
        await rig.run(600)
    assert len(rig.controls) == 6 and brakes(rig) == []


async def test_whoever_works_on_the_host_is_named(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    await rig.turn()
    for _ in range(MOST_TURNS + 1):
        rig.host.stop("web")
        rig.host.configuration_manager = "puppet agent, pid 4242"
        await rig.run(5)
        # Its run has ended; before, nothing is done.
        rig.host.configuration_manager = ""
        await rig.run(90)
    (told,) = [message for message in rig.told.messages if "fight" in message.facts]
    assert "puppet agent, pid 4242 stopped web.service" in told.facts["fight"][-1]


async def test_a_rule_of_its_own_that_undoes_another_is_named(tmp_path: Path) -> None:
    rig = a_rig(tmp_path, ["web", "twin"])
    await rig.turn()
    for _ in range(MOST_TURNS + 1):
        rig.host.stop("web")
        now = rig.clock.now()
        other = ActionRequest("restart_service", "service:twin", {"unit": "web.service"}, rule="system_health.twin")
        plan = Restart().plan(other, rig.host.look())
        intent = Intent(new_id("act"), plan, now, now.steady)
        rig.store.reserve(intent, hourly_limit=None)
        rig.store.finish(Outcome(intent.id, OutcomeKind.VERIFIED, now, 0.0, Effect(True, "stopped it")))
        await rig.run(90)
    (told,) = [message for message in rig.told.messages if "fight" in message.facts]
    assert "the engine itself (restart_service service:twin" in told.facts["fight"][-1]
    assert "rule system_health.twin" in told.facts["fight"][-1]


async def test_turns_and_the_brake_outlive_the_engine(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    await rig.turn()
    for _ in range(MOST_TURNS + 1):
        await stopped(rig, 1)
        rig = again(rig)
        await rig.turn()
    assert brakes(rig) == ["target:service:web"]
    rig.host.start("web")
    await rig.run(60)
    before = len(rig.store.actions(limit=100))
    await stopped(rig, 1)
    assert len(rig.store.actions(limit=100)) == before == MOST_TURNS
    assert "recurrence" in rig.reasons()


async def test_after_the_calm_it_acts_again_and_a_clock_that_is_set_frees_nothing(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    await rig.turn()
    await stopped(rig, MOST_TURNS + 1)
    rig.host.start("web")
    await rig.run(60)
    rig.clock.jump_wall(4 * 365 * 86400.0)
    await stopped(rig, 1)
    assert len(rig.controls) == MOST_TURNS
    rig.host.start("web")
    await rig.run(CALM)
    await stopped(rig, 1)
    assert len(rig.controls) == MOST_TURNS + 1


async def test_a_person_lifts_it(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    await rig.turn()
    await stopped(rig, MOST_TURNS + 1)
    assert rig.store.lift_brake(RIVAL, "target:service:web")
    rig.parts.rivals.forget("service:web")
    rig.host.start("web")
    # It is no longer flapping by then.
    await rig.run(FlapLimit().within_seconds)
    await stopped(rig, 1)
    assert len(rig.controls) == MOST_TURNS + 1 and brakes(rig) == []


async def test_what_cannot_be_kept_still_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = a_rig(tmp_path)
    await rig.turn()

    def full(name: str, value: str) -> None:
        if name == "rivals":
            raise StoreError("no space left")
        SqliteStore.put(rig.store, name, value)

    monkeypatch.setattr(rig.store, "put", full)
    await stopped(rig, 8)
    assert len(rig.controls) == MOST_TURNS and brakes(rig)


async def test_what_is_kept_in_another_form_is_begun_anew(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    rig.store.put("rivals", '[{"who": "nobody"}]')
    await rig.turn()
    await stopped(rig, 8)
    assert len(rig.controls) == MOST_TURNS


DEEDS = st.lists(st.sampled_from(["stop", "crash", "start", "restart the engine", "set the clock", "wait"]), max_size=14)


@settings(max_examples=25, deadline=None)
@given(DEEDS)
def test_however_it_goes_it_never_does_again_what_was_undone_three_times(deeds: list[str]) -> None:
    """R8: within the window, no target is mended more often than its undoings, crashes and three allow."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_lived(Path(folder), deeds))


async def _lived(folder: Path, deeds: list[str]) -> None:
    rig = a_rig(folder)
    await rig.turn()
    stops = crashes = 0
    for deed in deeds:
        if deed == "stop" and rig.host.services["web"].pid:
            stops += 1
            rig.host.stop("web")
        elif deed == "crash" and rig.host.services["web"].pid:
            crashes += 1
            rig.host.crash("web")
        elif deed == "start":
            rig.host.start("web")
        elif deed == "restart the engine":
            rig = again(rig)
        elif deed == "set the clock":
            rig.clock.jump_wall(86400.0 if stops % 2 else -86400.0)
        await rig.run(60)
    turns = rig.parts.rivals.of("service:web")
    assert len(turns) <= MOST_TURNS
    assert bool(brakes(rig)) == (len(turns) == MOST_TURNS)
    # Each turn is one stop; a crash is never one.
    assert len(turns) <= stops
    mended = len(rig.store.actions(limit=1000))
    assert mended <= crashes + stops
    rig.store.close()
