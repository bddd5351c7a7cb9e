"""The first repair, end to end: a real process killed, seen, started again, verified, and explained."""

import os
import signal

from tests.support.engine_process import EngineProcess, answers, wait_for


def test_a_killed_service_comes_back_and_can_be_explained(engine: EngineProcess, port: int) -> None:
    engine.start()
    wait_for(lambda: answers(port), "the first start")
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "its verification")

    os.kill(wait_for(engine.service_pid), signal.SIGKILL)
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified", "verified"], "the repair")
    assert answers(port)

    incident = engine.json("incidents")["items"][0]
    assert (incident["state"], incident["resolved_by"]) == ("resolved", "engine")
    chain = engine.json("why", incident["id"])["chain"]
    kinds = [link["kind"] for link in chain]
    assert kinds.index("decision") < kinds.index("intent") < kinds.index("outcome")
    guards = next(link["body"]["guards"] for link in chain if link["body"].get("guards"))
    assert {guard["ruling"] for guard in guards} == {"allow"}
    assert len(guards) > 15
    audit = engine.json("audit", "verify")
    assert audit["ok"] and audit["signatures_checked"] and audit["signed_to"] > 1

    log = (engine.state / "actions.log").read_text(encoding="utf-8").splitlines()
    assert [line.split("\t")[2] for line in log].count("INTENT") == 2


def test_the_service_outlives_the_engine_and_is_found_again(engine: EngineProcess, port: int) -> None:
    engine.start()
    wait_for(lambda: answers(port), "the first start")
    pid = wait_for(engine.service_pid)
    assert engine.stop() == 143
    assert engine.service_pid() == pid
    assert answers(port)
    engine.start()
    wait_for(lambda: any(row["check"] == "system_health.web" and row["state"] == "ok" for row in engine.status()["checks"]))
    assert engine.service_pid() == pid
    assert len(engine.actions()) == 1


def test_a_dry_run_changes_nothing_and_says_what_it_would_do(engine: EngineProcess, port: int) -> None:
    engine.start("--dry-run")
    wait_for(lambda: [d["reason"] for d in engine.decisions() if d.get("guards")] == ["dry_run"], "the decision")
    assert not answers(port)
    assert engine.actions() == []
    assert engine.service_pid() is None


def test_a_person_acts_by_hand_through_the_same_guards(engine: EngineProcess, port: int) -> None:
    engine.start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    before = engine.service_pid()
    done = engine.cli("act", "restart_service", "web", "--reason", "deploy", "--yes")
    assert done.returncode == 0, done.stderr
    assert engine.service_pid() not in (None, before)
    act = engine.actions()[-1]
    assert act["by"] != "engine"
    assert act["outcome"] == "verified"
    refused = engine.cli("act", "restart_service", "sshd", "--reason", "no", "--yes")
    assert refused.returncode == 2
    assert "no target" in refused.stderr


def test_two_engines_on_one_state_the_second_refuses(engine: EngineProcess, port: int) -> None:
    engine.start()
    wait_for(lambda: answers(port))
    second = engine.cli("run", "-c", str(engine.config))
    assert second.returncode == 75
    assert "works on" in second.stderr
    assert engine.status() is not None


def test_once_repairs_and_ends(engine: EngineProcess, port: int) -> None:
    done = engine.cli("once", "-c", str(engine.config), "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert answers(port)
    assert "verified" in done.stdout
