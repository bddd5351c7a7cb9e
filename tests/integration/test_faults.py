"""Faults that the engine must stand: killed anywhere, disk full, state locked or damaged, clocks, hangs, two of a kind."""

import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.support.engine_process import EngineProcess, answers, free_port, wait_for, web_config
from zen_agents.adapters.taken_aside import TakenAside, private_name
from zen_agents.store.failpoint import FAILPOINTS

#: Seams that a first repair passes; the others are of pruning and migrating and have tests beside the store's.
SEAMS = [
    name
    for name in FAILPOINTS
    if name.startswith(("store.create", "store.batch", "store.reserve", "store.finish", "executor."))
]
#: After these there is an intent of which a mark says that it has not begun.
NOT_BEGUN = ("store.reserve.after_commit", "executor.before_spawn")


@pytest.mark.parametrize("seam", SEAMS)
def test_killed_at_any_seam_nothing_is_replayed_and_everything_is_verified(
    engine: EngineProcess, port: int, seam: str
) -> None:
    engine.start(wait=False, ZEN_AGENTS_FAILPOINT=f"{seam}:kill")
    assert engine.process is not None
    assert engine.process.wait(60) == -signal.SIGKILL, f"{seam} is not passed by a repair"
    # Killed while the state was made there is nothing to read yet.
    meant = {a["id"] for a in engine.actions()} if engine.cli("actions", "-o", "json").returncode == 0 else set()

    engine.start()
    wait_for(lambda: answers(port), "the service")
    ended = ("verified", "failed", "unknown", *(["skipped"] if seam in NOT_BEGUN else []))
    wait_for(lambda: all(a["outcome"] in ended for a in engine.actions()), "every outcome")
    actions = engine.actions()
    # What was meant before the kill was verified, by its own id, if it may have begun; what is done anew has a new intent.
    assert meant <= {a["id"] for a in actions}
    assert len(actions) <= len(meant) + 1
    intents = [e["id"] for e in engine.events() if e["kind"] == "intent"]
    assert len(intents) == len(set(intents)) == len(actions)
    assert len(list(_web_servers(port))) == 1
    verified = engine.cli("audit", "verify")
    assert verified.returncode == 0, verified.stdout


def _web_servers(port: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                argv = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"http.server" in argv and str(port).encode() in argv:
                yield int(entry.name)


def test_limits_survive_a_loop_of_kills(engine_with: Callable[[str], EngineProcess]) -> None:
    port = free_port()
    engine = engine_with(
        web_config(port, limits=", max_auto_repairs_per_hour: 2", extra="safe_mode: {enter_when: {engine_restarts: 0}}")
    )
    for _ in range(4):
        engine.start()
        wait_for(lambda: any(d.get("guards") for d in engine.decisions()) or answers(port), "a decision")
        if pid := engine.service_pid():
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: engine.service_pid() or _refused(engine), "the next decision")
        engine.kill()
    engine.start()
    wait_for(lambda: _refused(engine) or answers(port), "the last decision")
    assert len(engine.actions()) == 2
    assert engine.status()["repairs_spent"] == 2


def _refused(engine: EngineProcess) -> bool:
    return any(d["reason"] == "rate_limit" for d in engine.decisions())


def test_an_engine_that_keeps_restarting_goes_to_safe_mode(engine: EngineProcess, port: int) -> None:
    for _ in range(4):
        engine.start()
        engine.kill()
    engine.start()
    assert any("SAFE MODE" in line for line in engine.status()["abnormal"])
    done = engine.cli("safe-mode", "off", "--reason", "looked at it")
    assert done.returncode == 0, done.stderr
    assert not engine.status()["abnormal"]


def test_a_damaged_state_is_said_and_the_engine_keeps_watching(engine: EngineProcess, port: int) -> None:
    engine.start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    engine.stop()
    database = engine.state / "state.db"
    content = bytearray(database.read_bytes())
    content[4096:12288] = os.urandom(8192)
    database.write_bytes(content)
    for rest in ("-wal", "-shm"):
        (engine.state / f"state.db{rest}").unlink(missing_ok=True)

    engine.start()
    status = engine.status()
    assert any("SAFE MODE" in line and "damaged" in line for line in status["abnormal"]), status["abnormal"]
    pid = engine.service_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: any(r["check"] == "system_health.web" and r["state"] != "ok" for r in engine.status()["checks"]))
    assert not answers(port)


def test_a_locked_state_stops_acting_not_watching(engine: EngineProcess, port: int) -> None:
    engine.start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    holder = sqlite3.connect(engine.state / "state.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        os.kill(wait_for(engine.service_pid), signal.SIGKILL)
        wait_for(lambda: any("SAFE MODE" in line for line in engine.status()["abnormal"]), "safe mode")
        assert engine.service_pid() is None
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert not answers(port)


@pytest.fixture
def on_a_small_disk(engine_with: Callable[[str], EngineProcess], port: int) -> Iterator[EngineProcess]:
    """Return an engine, not started, whose state is on a file system of 12 MiB of its own, and whose limits are wide."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    engine = engine_with(web_config(port, limits=", per_target_per_hour: 100, max_auto_repairs_per_hour: 100"))
    engine.state.mkdir(mode=0o700)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m,mode=0700", "tmpfs", str(engine.state)], check=False)
    if mounted.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield engine
    engine.close()
    subprocess.run(["umount", "-l", str(engine.state)], check=False)


def _safe_mode(engine: EngineProcess) -> str:
    status = engine.status()
    assert status is not None
    return next((line for line in status["abnormal"] if "SAFE MODE" in line), "")


def test_a_full_disk_stops_acting_and_the_emergency_stop_still_works(on_a_small_disk: EngineProcess) -> None:
    engine = on_a_small_disk.start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    for round in range(30):
        # The engine keeps some room for the next intents; in the end that is full too.
        _fill(engine.state / f"filler-{round}")
        if not (pid := engine.service_pid()):
            break
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda pid=pid: engine.service_pid() not in (None, pid) or engine.status()["abnormal"], "an answer")
    assert _safe_mode(engine)
    stopped = subprocess.run(
        ["scripts/stop-agents.sh", "--emergency", "--state-dir", str(engine.state), "--reason", "full"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert stopped.returncode == 0, stopped.stderr
    assert (engine.state / "EMERGENCY_STOP").exists()
    wait_for(lambda: "EMERGENCY STOP" in engine.status()["abnormal"][0], "the stop")


def test_after_a_full_disk_a_person_lifts_safe_mode_as_it_says(on_a_small_disk: EngineProcess, port: int) -> None:
    engine = on_a_small_disk.start()
    pid = wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"] and engine.service_pid())
    fillers = (engine.state / f"filler-{number}" for number in count())
    # The engine keeps some room and writes now and then; in the end there is none left.
    said = wait_for(lambda: _fill(next(fillers)) or _safe_mode(engine), "safe mode")
    assert "by itself" not in said
    assert "lift safe mode" in said
    for filler in engine.state.glob("filler-*"):
        filler.unlink()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: any(d["reason"] == "safe_mode" for d in engine.decisions()), "the refusal, written again")
    assert engine.service_pid() is None
    done = engine.cli("safe-mode", "off", "--reason", "there is room again")
    assert done.returncode == 0, done.stderr
    wait_for(lambda: engine.service_pid() not in (None, pid) and answers(port), "the repair")


def _fill(path: Path) -> None:
    """Write until there is no room left."""
    with path.open("wb", buffering=0) as filler, pytest.raises(OSError, match="No space"):
        while True:
            filler.write(b"x" * 4096)


@pytest.mark.slow
def test_a_service_that_never_starts_tells_people_once_and_stops_trying(
    engine_with: Callable[[str], EngineProcess],
) -> None:
    port = free_port()
    config = web_config(port, limits=", per_target_per_hour: 100, max_auto_repairs_per_hour: 100")
    engine = engine_with(config.replace(f'http.server, "{port}"', 'http.server, "not-a-port"'))
    engine.start()
    wait_for(lambda: any(i["escalated_for"] for i in engine.json("incidents")["items"]), "the escalation", seconds=240)
    assert [a["outcome"] for a in engine.actions()] == ["failed"] * 4
    alerts = [e for e in engine.events() if e["kind"] == "alert" and "web" in e["body"]["summary"]]
    assert len(alerts) == 1


def test_the_emergency_stop_outranks_everything(engine: EngineProcess, port: int) -> None:
    engine.start()
    wait_for(lambda: [a["outcome"] for a in engine.actions()] == ["verified"], "the first start")
    stopped = engine.cli("stop", "--emergency", "--reason", "runaway restarts")
    assert stopped.returncode == 0, stopped.stderr
    os.kill(wait_for(engine.service_pid), signal.SIGKILL)
    wait_for(lambda: any(d["reason"] == "emergency_stop" for d in engine.decisions()), "the refusal")
    assert not answers(port)
    assert engine.cli("act", "restart_service", "web", "--reason", "by hand", "--yes").returncode == 4
    engine.kill()
    engine.start()
    assert "EMERGENCY STOP" in engine.status()["abnormal"][0]

    wrong = engine.cli("resume", "--from-emergency", "--confirm", "some-other-host")
    assert wrong.returncode == 2
    resumed = engine.cli("resume", "--from-emergency", "--confirm", engine.status()["host"])
    assert resumed.returncode == 0, resumed.stderr
    wait_for(lambda: answers(port), "the repair after the stop")


def test_what_was_being_removed_when_an_engine_was_killed_is_removed_by_the_next_that_may_act(
    engine: EngineProcess, tmp_path: Path
) -> None:
    top = tmp_path / "top"
    top.mkdir()
    (top / "old").write_text("old")
    mark = TakenAside(engine.state / "quarantine").note(str(top))
    left = (top / "old").rename(top / private_name(mark, (top / "old").stat().st_ino))
    engine.start("--dry-run")
    assert engine.stop() == 143
    assert left.exists()
    (engine.state / "EMERGENCY_STOP").write_text("set by a test\n")
    engine.start()
    assert engine.stop() == 143
    assert left.exists()
    (engine.state / "EMERGENCY_STOP").unlink()
    engine.start()
    assert not left.exists()
