"""A whole life of an incident in which everything says a secret: neither the state nor people get to see it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine_here import EngineHere
from tests.support.own_config import own_config
from tests.support.rig import Restart, Rig, UpCheck
from zen_agents.cli.actions import body
from zen_agents.engine.approvals import Approvals
from zen_agents.model.action import ActionRequest, Effect, Plan
from zen_agents.model.agent import AgentState
from zen_agents.model.principal import Principal
from zen_agents.model.reason import Reason
from zen_agents.ports.store import Brake

SECRET = "Zq9hunter2"
ALICE = Principal("alice", 1000)


def all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file())


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """Return a host on which checks, plans and actions say the secret wherever text may stand."""
    observe, plan, execute = UpCheck.observe, Restart.plan, Restart.execute

    def observed(check: UpCheck, *args: Any) -> Any:
        return [each._replace(detail=f"{each.detail} {SECRET}", facts={"said": SECRET}) for each in observe(check, *args)]

    def planned(action: Restart, request: ActionRequest, host: Any) -> Plan:
        made = plan(action, request, host)
        return replace(made, steps=(*made.steps, SECRET), warning=SECRET)

    async def executed(action: Restart, *args: Any) -> Effect:
        done = await execute(action, *args)
        return replace(done, detail=SECRET, before=SECRET, after=SECRET, output=SECRET)

    for kind, name, instead in ((UpCheck, "observe", observed), (Restart, "plan", planned), (Restart, "execute", executed)):
        monkeypatch.setattr(kind, name, instead)
    rig = Rig(tmp_path, rule={"summary": f"web answers {SECRET}"})
    rig.parts.journal.redaction.use([r"Zq9hunter\d"])
    return rig


async def test_no_place_keeps_or_tells_what_is_left_out(rig: Rig, tmp_path: Path) -> None:
    await rig.run(30)
    rig.host.services["web"].hangs = True
    await rig.run(600)
    parts, now = rig.parts, rig.clock.now()
    (incident,) = parts.book
    request = replace(rig.agent.remedies()[0], because=SECRET, incident=incident.id)
    plan = await parts.planning.plan_now(request)
    asked = Approvals(parts).ask(plan, now, incident=incident)
    rig.store.set_brake(Brake("rule_paused", "rule:web", SECRET, "alice", now, None))
    rig.store.save_agent_state("system_health", AgentState.PAUSED, SECRET, now)
    parts.journal.human(now, ALICE, "pause", {"reason": SECRET})
    parts.escalation.engine("safe_mode", SECRET, now)
    await Approvals(parts).answer(asked.id, ALICE, yes=False, reason=SECRET)
    rig.store.enqueue(replace(rig.told.messages[0], summary=SECRET), ["email"], 0.0)
    rig.store.commit()

    assert Reason.LADDER_EXHAUSTED.value in rig.reasons()
    assert b"[redacted]" in all_bytes(tmp_path)
    assert SECRET.encode() not in all_bytes(tmp_path)
    told = json.dumps([asdict(message) for message in rig.told.messages], default=str)
    assert "[redacted]" in told
    assert SECRET not in told


async def test_what_is_left_out_of_a_path_still_is_made_and_undone(tmp_path: Path) -> None:
    place = tmp_path / SECRET / "uploads"
    watched = {
        "path": str(place), "mode": "0750", "kind": "directory", "create": True, "every": "1s",
        "owner": str(os.geteuid()), "group": str(os.getegid()),
    }  # fmt: skip
    config = own_config({"paths": {"uploads": watched}}, ["create_directory"], mode="approve", redact=[r"Zq9hunter\d"])
    place.parent.mkdir()
    async with EngineHere(tmp_path, config) as engine:
        await engine.settle()
        (question,) = engine.store.open_approvals()
        answers = [await engine.ask("status"), await engine.ask("approval", approval=question.id)]
        answers.append(await engine.ask("approve", approval=question.id, reason=f"seen {SECRET}"))
        await engine.settle()
        assert (place.is_dir(), engine.outcomes()) == (True, [("create_directory", "verified")])
        (row,) = engine.store.actions()
        assert row.plan["params"]["path"] == str(place)
        answers += [body(row), await engine.ask("undo", undoes=row.id, reason="not wanted")]
        assert not place.exists()
        answers += [dict(each.entry.body) for each in engine.store.entries()]
    assert "[redacted]" in str(answers)
    assert SECRET not in str(answers)
