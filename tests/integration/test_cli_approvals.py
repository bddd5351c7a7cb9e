"""People are asked by a real engine and answer it with real commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.engine_process import EngineProcess, answers, free_port, wait_for, web_config

EngineWith = Callable[[str], EngineProcess]


def asking(port: int, extra: str = "") -> str:
    return web_config(port, extra=extra).replace("approval: auto", "approval: required")


def question(engine: EngineProcess) -> dict[str, Any]:
    def waiting() -> list[dict[str, Any]]:
        status = engine.status() or {"approvals": []}
        return [asked for asked in status["approvals"] if asked["state"] == "pending"]

    found: dict[str, Any] = wait_for(waiting, "a question")[0]
    return found


def test_a_question_is_listed_answered_once_and_done_once(engine_with: EngineWith) -> None:
    port = free_port()
    engine = engine_with(asking(port)).start()
    id = question(engine)["id"]
    assert engine.actions() == [] and not answers(port)
    (listed,) = engine.json("approvals")["items"]
    assert (listed["id"], listed["agreed"], listed["needed"]) == (id, 0, 1)
    assert "step" in engine.cli("approvals", "show", "@last").stdout
    assert "1 approval waiting" in engine.cli("status").stdout

    assert engine.cli("approve", "apr-zzzzzz", "--reason", "x", "--yes").returncode == 2
    assert engine.cli("approve", id, "--reason", "nobody can be asked here").returncode == 2
    token = engine.json("approvals", "token", id)["token"]
    spoilt = engine.cli("approve", "--token", f"{token[:-1]}{'A' if token[-1] != 'A' else 'B'}", "--reason", "x", "--yes")
    assert (spoilt.returncode, engine.actions()) == (4, [])
    done = engine.cli("approve", "--token", token, "--reason", "seen", "--yes", "--wait", "60s")
    assert (done.returncode, "VERIFIED" in done.stdout) == (0, True), done.stderr
    assert answers(port)

    again = engine.cli("approve", "--token", token, "--reason", "again", "--yes")
    assert (again.returncode, "used already" in again.stderr) == (4, True)
    late = engine.cli("deny", id, "--reason", "too late")
    assert (late.returncode, "is used already" in late.stderr) == (4, True)
    assert [action["outcome"] for action in engine.actions()] == ["verified"]
    (action,) = engine.actions()
    assert action["plan"]["approval"] == id
    told = [event for event in engine.events() if event["id"] in ("approval_asked", "approval_token", "approve")]
    assert [event["id"] for event in told] == ["approval_asked", "approval_token", "approve"]
    assert told[-1]["body"]["digest"] == action["plan"]["digest"] and isinstance(told[-1]["body"]["uid"], int)


def test_a_no_and_somebody_who_may_not_answer(engine_with: EngineWith) -> None:
    port = free_port()
    engine = engine_with(asking(port, "approvals: {approvers: [user:nobody-here]}")).start()
    id = question(engine)["id"]
    for verb in (("approve", id, "--yes"), ("deny", id)):
        refused = engine.cli(*verb, "--reason", "mine")
        assert (refused.returncode, "approvals.approvers names user:nobody-here" in refused.stderr) == (77, True)
    engine.config.write_text(asking(port))
    assert engine.cli("reload").returncode == 0
    assert engine.cli("deny", id, "--reason", "x", "--pause", "2").returncode == 2
    denied = engine.cli("deny", id[:8], "--reason", "batch running", "--pause", "2h")
    assert (denied.returncode, "is not done" in denied.stdout) == (0, True), denied.stderr
    assert "rule:system_health.web is paused for 2 h" in denied.stdout
    assert engine.actions() == [] and engine.json("approvals")["items"] == []
    (kept,) = engine.json("approvals", "--all")["items"]
    assert (kept["state"], kept["answers"][0]["reason"]) == ("denied", "batch running")
    assert "batch running" in engine.cli("why", "@last").stdout
