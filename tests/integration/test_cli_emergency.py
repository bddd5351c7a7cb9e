"""The emergency stop by command: with an engine that works, one that hangs, one that is dead, and none at all."""

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.support.command_line import WrittenState
from tests.support.engine_process import EngineProcess, answers, wait_for
from zen_agents.model.action import OutcomeKind

HOST = socket.gethostname()


def test_it_refuses_everyone_and_ends_by_the_hosts_name(engine: EngineProcess, port: int) -> None:
    engine.start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    name = engine.status()["host"]  # type: ignore[index]
    done = engine.cli("stop", "--emergency", "--reason", "runaway restarts")
    assert done.returncode == 0
    assert done.stdout.startswith("EMERGENCY STOP set ")
    assert "runaway restarts" in done.stdout
    assert "Checks and alerts keep running." in done.stdout
    assert f"zen-agents resume --from-emergency --confirm {name}" in done.stdout
    again = engine.json("stop", "--emergency")
    assert (again["was_set"], again["engine"]) == (True, "running")

    os.kill(wait_for(engine.service_pid), signal.SIGKILL)
    incident = wait_for(lambda: engine.json("incidents", "--open")["items"], "the incident")[0]["id"]
    status = engine.cli("status", "-q")
    assert (status.returncode, status.stdout.startswith("EMERGENCY STOP set ")) == (1, True)
    assert "BLOCKED by emergency_stop" in engine.cli("why", "--not", "web").stdout
    assert "emergency_stop" in engine.cli("why", incident).stdout
    act = engine.cli("act", "restart_service", "web", "--reason", "me too", "--yes")
    assert (act.returncode, "DENY emergency_stop" in act.stdout) == (4, True)
    assert "--from-emergency ends it" in engine.cli("resume").stderr
    for words in (("--from-emergency",), ("--from-emergency", "--confirm", "elsewhere")):
        refused = engine.cli("resume", *words)
        assert (refused.returncode, f"--confirm {name}" in refused.stderr) == (2, True)
    assert not answers(port)

    ended = engine.cli("resume", "--from-emergency", "--confirm", name, "--reason", "cause found")
    assert (ended.returncode, "is over (it was: set " in ended.stdout) == (0, True)
    wait_for(lambda: answers(port), "the repair")
    log = (engine.state / "actions.log").read_text(encoding="utf-8")
    assert "stop_emergency" in log
    assert "resume_emergency" in log


def test_a_hung_engine_is_told_from_a_dead_one_and_does_later_nothing_that_was_given_up(
    engine: EngineProcess, port: int
) -> None:
    engine.start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    assert engine.process is not None
    engine.process.send_signal(signal.SIGSTOP)
    try:
        status = engine.cli("status")
        assert status.returncode == 3
        first = status.stdout.splitlines()[0]
        assert first.startswith("ENGINE HUNG")
        assert f"its process {engine.process.pid} is stopped by a signal" in first
        given_up = engine.cli("safe-mode", "on", "--reason", "nobody waits for this")
        assert (given_up.returncode, "did not answer within" in given_up.stderr) == (3, True)
        stop = engine.cli("stop", "--emergency", "--reason", "it hangs")
        assert (stop.returncode, "stopped by a signal and watches nothing" in stop.stdout) == (0, True)
    finally:
        engine.process.send_signal(signal.SIGCONT)
    wait_for(lambda: "EMERGENCY STOP" in engine.cli("status", "-q").stdout.splitlines()[0], "the stop to be seen")
    assert not any(line.startswith("SAFE MODE") for line in engine.status()["abnormal"])  # type: ignore[index]


def test_with_a_dead_engine_it_is_set_and_lifted_by_the_state_alone(engine: EngineProcess) -> None:
    engine.start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    name = engine.status()["host"]  # type: ignore[index]
    engine.kill()
    done = engine.cli("stop", "--emergency", "--reason", "dead")
    assert (done.returncode, "No engine runs on this state" in done.stdout) == (0, True)
    status = engine.cli("status")
    assert status.returncode == 3
    assert status.stdout.splitlines()[0].startswith("ENGINE NOT RUNNING")
    assert status.stdout.splitlines()[1].startswith("EMERGENCY STOP is set")
    assert engine.cli("resume", "--from-emergency", "--confirm", "elsewhere").returncode == 2
    assert engine.json("resume", "--from-emergency", "--confirm", name)["was"].startswith("set ")
    assert not (engine.state / "EMERGENCY_STOP").exists()
    assert engine.cli("resume", "--from-emergency", "--confirm", name).returncode == 2


@pytest.mark.parametrize("alive", [False, True])
def test_it_does_not_end_before_each_unknown_outcome_was_looked_at(engine: EngineProcess, alive: bool) -> None:
    state = WrittenState(engine.state)
    state.acted("act-aaaa11", state.ago(60), OutcomeKind.UNKNOWN)
    state.acted("act-bbbb22", state.ago(50), OutcomeKind.VERIFIED)
    state.store.commit()
    state.store.close()
    engine.state.chmod(0o700)
    if alive:
        engine.start()
    engine.cli("stop", "--emergency", "--reason", "a test")
    name = engine.status()["host"] if alive else HOST  # type: ignore[index]
    refused = engine.cli("resume", "--from-emergency", "--confirm", name)
    assert refused.returncode == 4
    assert "act-aaaa11" in refused.stderr
    assert "act-bbbb22" not in refused.stderr
    assert (engine.state / "EMERGENCY_STOP").exists()
    assert engine.cli("resume", "--from-emergency", "--confirm", name, "--ack", "act-aaaa11").returncode == 0


def test_where_no_engine_ever_was_there_is_nothing_to_stop(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path, "")
    done = engine.cli("stop", "--emergency")
    assert (done.returncode, "--state-dir" in done.stderr) == (3, True)
    engine.state.mkdir(mode=0o700)
    assert engine.cli("stop", "--emergency").returncode == 0
    assert engine.cli("resume", "--from-emergency", "--confirm", HOST).returncode == 0


def test_a_flag_that_cannot_be_written_names_the_script(tmp_path: Path) -> None:
    engine = EngineProcess(tmp_path, "")
    engine.state.mkdir(mode=0o700)
    (engine.state / "EMERGENCY_STOP").mkdir()
    # What is there and is no file counts as set already, so that nothing has to be written.
    assert engine.cli("stop", "--emergency").returncode == 0
    assert "counts as set" in engine.cli("stop", "--emergency").stdout
