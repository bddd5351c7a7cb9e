"""`once` and `run`: what they end with."""

import json
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.engine_process import EngineProcess, answers, free_port, wait_for, web_config
from tests.support.schemas import as_promised


def once(engine: EngineProcess, *words: str) -> tuple[int, str, str]:
    done = engine.cli("once", "-c", str(engine.config), "--yes", *words)
    return done.returncode, done.stdout, done.stderr


def test_a_repair_is_zero_and_nothing_to_do_too(engine: EngineProcess, port: int) -> None:
    code, out, _ = once(engine)
    assert (code, "verified" in out, answers(port)) == (0, True, True)
    code, out, _ = once(engine)
    assert (code, out) == (0, "Nothing to do.\n")
    done = engine.cli("once", "-c", str(engine.config), "--yes", "-o", "json")
    assert json.loads(done.stdout) == {"schema": "zen-agents/once/v1", "dry_run": False, "would": [], "actions": [],
                                       "incidents": []}  # fmt: skip


def test_a_dry_run_is_one_because_it_stays_bad(engine: EngineProcess, port: int) -> None:
    code, out, _ = once(engine, "--dry-run")
    assert code == 1
    assert all(line.startswith("DRY RUN  ") for line in out.splitlines())
    assert "would restart_service service:web: run [" in out
    assert not answers(port)
    assert engine.actions() == []


def test_what_a_guard_refuses_is_four(engine: EngineProcess, port: int) -> None:
    code, out, _ = once(engine, "--mode", "observe")
    assert (code, "mode_observe" in out) == (4, True)
    engine.cli("stop", "--emergency", "--reason", "a test")
    code, out, _ = once(engine)
    assert (code, "emergency_stop" in out) == (4, True)
    assert not answers(port)


def test_what_does_not_help_is_one(engine_with: Callable[[str], EngineProcess]) -> None:
    port = free_port()
    config = web_config(port).replace("http.server", "json.tool").replace("verify_within: 20s", "verify_within: 1s")
    engine = engine_with(config)
    code, out, _ = once(engine, "--timeout", "60s")
    assert code == 1, out
    assert "failed" in out


def test_what_is_bad_and_does_not_count_yet_is_said(engine_with: Callable[[str], EngineProcess]) -> None:
    engine = engine_with("agents: {system_health: {links: {uplink: {interface: none0, for: 1h}}}}\n")
    code, out, err = once(engine)
    assert (code, out) == (0, "Nothing to do.\n")
    assert "system_health.uplink on link:uplink is bad, but not for as long as its rule asks" in err


def test_beside_a_running_engine_it_is_busy_and_a_wrong_file_not_valid(engine: EngineProcess) -> None:
    engine.start()
    assert once(engine)[0] == 75
    assert engine.cli("run", "-c", str(engine.config)).returncode == 75
    engine.config.write_text("nonsense: true\n", encoding="utf-8")
    assert once(engine)[0] == 78
    assert engine.cli("run", "-c", str(engine.config)).returncode == 78
    assert engine.status() is not None


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_ends_cleanly_on_each_signal(engine: EngineProcess, number: signal.Signals, code: int) -> None:
    engine.start("-o", "json")
    assert engine.process is not None
    engine.process.send_signal(number)
    assert engine.process.wait(60) == code
    *_, last, signed = engine.events()
    assert (last["id"], last["body"]["reason"]) == ("stopped", number.name)
    assert (signed["id"], signed["body"]["seq"]) == ("checkpoint", last["record"])
    log = engine.log.read_text(encoding="utf-8")
    told = json.loads(log[log.index('{\n  "schema"') : log.rindex("\n}") + 2])
    assert as_promised(told)["exit_code"] == code


def test_a_run_may_end_by_itself_and_a_safer_mode_is_taken(engine: EngineProcess, port: int) -> None:
    engine.start("--mode", "observe")
    assert engine.status()["mode"] == "observe"  # type: ignore[index]
    assert engine.stop() == 143
    done = engine.cli("run", "-c", str(engine.config), "--max-runtime", "1s", "--mode", "observe")
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "zen-agents on " in done.stderr
    assert "1 agent, " in done.stderr
    assert not answers(port)


def test_a_looser_mode_and_an_agent_that_is_not_there_start_nothing(
    engine_with: Callable[[str], EngineProcess], tmp_path: Path
) -> None:
    engine = engine_with("mode: observe\n" + web_config(free_port()))
    looser = engine.cli("run", "-c", str(engine.config), "--mode", "enforce")
    assert looser.returncode in (2, 78)
    assert "safer" in looser.stderr
    other = engine.cli("run", "-c", str(engine.config), "--agent", "sytem_health")
    assert (other.returncode, "there is no agent 'sytem_health'" in other.stderr) == (2, True)
    assert not engine.state.exists()


def test_the_greeting_says_where_to_look_and_how_to_stop(engine: EngineProcess) -> None:
    engine.start()
    greeting = engine.log.read_text(encoding="utf-8")
    assert f"ZEN_AGENTS_STATE_DIR={engine.state}" in greeting
    assert "zen-agents status" in greeting
    assert "stop-agents.sh --emergency" in greeting
    os.kill(engine.process.pid, signal.SIGHUP)  # type: ignore[union-attr]
    wait_for(lambda: any(one["id"] == "reloaded" for one in engine.events()), "the reload")


def test_what_was_done_names_its_rules_line_and_the_paths_that_changed(
    engine_with: Callable[[str], EngineProcess], tmp_path: Path
) -> None:
    path = tmp_path / "uploads"
    one = engine_with(
        "version: 1\nagents:\n  system_health:\n    paths:\n"
        f'      uploads: {{path: {path}, kind: directory, mode: "0750", owner: {os.geteuid()}, group: {os.getegid()},'
        " create: true}\n"
    )
    assert once(one)[0] == 0
    told = json.loads(one.cli("why", "@last", "-o", "json").stdout)
    acted = next(row["body"] for row in told["chain"] if row["body"].get("outcome") == "act")
    assert acted["origin"].endswith(":5:7")
    # The engine made it while the incident lasted.
    assert [row["what"] for row in told["changed"]["found"] if row["kind"] == "file"] == [str(path)]


def test_a_plan_is_run_as_it_was_shown_and_not_at_all_once_the_host_has_moved(
    engine: EngineProcess, port: int, tmp_path: Path
) -> None:
    plan = tmp_path / "p.json"
    assert engine.cli("plan", "-c", str(engine.config), "--out", str(plan)).returncode == 0
    (planned,) = json.loads(plan.read_text(encoding="utf-8"))["planned"]
    assert (planned["action"], planned["target"]) == ("restart_service", "service:web")

    other = tmp_path / "other.json"
    other.write_text(plan.read_text(encoding="utf-8").replace(planned["digest"], "0" * 64), encoding="utf-8")
    code, out, err = once(engine, "--plan", str(other))
    assert (code, out, "would run otherwise" in err) == (4, "", True)
    assert not engine.state.exists() and not answers(port)

    assert once(engine, "--plan", str(plan))[0] == 0
    (action,) = engine.actions()
    assert (action["outcome"], action["plan"]["digest"]) == ("verified", planned["digest"])

    code, _, err = once(engine, "--plan", str(plan))
    assert (code, "stale_plan" in err, "would no longer run" in err) == (4, True, True)
    assert once(engine, "--plan", str(plan), "--mode", "observe")[0] == 2
    plan.write_text("{}", encoding="utf-8")
    assert once(engine, "--plan", str(plan))[0] == 2


def test_people_may_answer_while_it_waits_and_their_silence_is_five(
    engine_with: Callable[[str], EngineProcess],
) -> None:
    port = free_port()
    engine = engine_with(web_config(port).replace("approval: auto", "approval: required"))
    code, _, err = once(engine, "--wait-approvals", "1s")
    assert (code, "answer: zen-agents approve apr-" in err) == (5, True)
    assert not answers(port)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(once, engine, "--wait-approvals", "60s")
        wait_for(lambda: engine.cli("approve", "@last", "--reason", "seen", "--yes").returncode == 0, "the answer")
        assert waiting.result()[0] == 0
    assert [action["outcome"] for action in engine.actions()] == ["verified"]
    assert answers(port)
