"""Services that no systemd runs, end to end: pidfiles, own commands, hangs, dependencies, wrong answers."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.engine_process import EngineProcess, answers, free_port, start_time, wait_for
from tests.support.own_config import ACCOUNT, actions, outcomes, own_config, refusals, repaired

DAEMON = Path(__file__).parents[1] / "support" / "small_daemon.py"
#: How a service is looked at where the test wants quick answers.
QUICK: dict[str, Any] = {"every": "1s", "fail_after": 1, "recover_after": 1, "bake": "0s"}
Maker = Callable[[str], EngineProcess]


class Daemon:
    """One small daemon: where it listens, what it writes, and how it is started."""

    def __init__(self, folder: Path) -> None:
        self.port, self.pidfile = free_port(), folder / "run" / "app.pid"
        self.pidfile.parent.mkdir(mode=0o755)

    def argv(self, *options: str) -> list[str]:
        """Return the argument list that starts it."""
        return [sys.executable, str(DAEMON), str(self.port), str(self.pidfile), *options]

    @property
    def pid(self) -> int | None:
        """The living process that the pidfile names."""
        text = self.pidfile.read_text() if self.pidfile.exists() else ""
        return int(text) if text.strip() and start_time(int(text)) else None

    def service(self, *options: str, **more: Any) -> dict[str, Any]:
        """Return its entry under `services:`."""
        command = {"start": self.argv(*options), "user": ACCOUNT} | more.pop("command", {})
        check = {"http": f"http://127.0.0.1:{self.port}/", "timeout": "1s"}
        return {"command": command, "pidfile": str(self.pidfile), "check": check, **QUICK, **more}

    def end(self) -> None:
        """Make sure that nothing of it is left, whatever became of its pidfile."""
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):  # gone meanwhile, or no process
                if entry.name.isdigit() and os.fsencode(self.pidfile) in (entry / "cmdline").read_bytes().split(b"\0"):
                    os.kill(int(entry.name), signal.SIGKILL)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(tmp_path)
    yield daemon
    daemon.end()


def _restarts(*services: str) -> dict[str, Any]:
    return {"restart_service": {"services": list(services)}}


def _up(engine: EngineProcess, name: str) -> bool:
    status = engine.status() or {"checks": []}
    return any(row["check"] == f"system_health.{name}" and row["state"] == "ok" for row in status["checks"])


def test_a_daemon_with_a_pidfile_is_started_killed_and_started_again(engine_with: Maker, daemon: Daemon) -> None:
    engine = engine_with(own_config({"services": {"app": daemon.service()}}, _restarts("app"))).start()
    repaired(engine, "restart_service", "service:app")
    first = daemon.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: outcomes(engine) == ["verified", "verified"], "the repair")
    assert daemon.pid not in (None, first)
    assert answers(daemon.port)


def test_its_death_wakes_the_engine_however_seldom_it_looks(engine_with: Maker, daemon: Daemon) -> None:
    service = daemon.service(every="1h")
    engine = engine_with(own_config({"services": {"app": service}}, _restarts("app"))).start()
    repaired(engine, "restart_service", "service:app")
    first = daemon.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: daemon.pid not in (None, first) and answers(daemon.port), "the repair", seconds=20)


def _refused_a_second_copy(engine: EngineProcess) -> bool:
    return "answers" in refusals(engine, "service:app")


def test_a_daemon_that_answers_gets_no_second_copy_although_its_pidfile_is_lost(engine_with: Maker, daemon: Daemon) -> None:
    config = own_config({"services": {"app": daemon.service()}}, _restarts("app"))
    first = engine_with(config).start()
    repaired(first, "restart_service", "service:app")
    pid = daemon.pid
    assert pid is not None
    assert first.stop() == 143
    daemon.pidfile.unlink()
    second = engine_with(config).start()
    wait_for(lambda: _refused_a_second_copy(second), "the refusal")
    assert actions(second) == []
    assert str(daemon.pidfile) in refusals(second, "service:app")["answers"]
    # Once it no longer answers there is nothing to be doubled.
    os.kill(pid, signal.SIGKILL)
    repaired(second, "restart_service", "service:app")
    assert len(actions(second)) == 1


def test_a_service_that_answers_gets_no_second_copy_although_its_record_is_lost(engine_with: Maker, tmp_path: Path) -> None:
    port, starts = free_port(), tmp_path / "starts"
    script = f"import http.server as h, pathlib as p; p.Path({str(starts)!r}).open('a').write('x'); " + (
        f"h.HTTPServer(('127.0.0.1', {port}), h.BaseHTTPRequestHandler).serve_forever()"
    )
    check = {"tcp": f"127.0.0.1:{port}", "timeout": "1s"}
    service = {"command": {"start": [sys.executable, "-c", script], "user": ACCOUNT}, "check": check, **QUICK}
    engine = engine_with(own_config({"services": {"app": service}}, _restarts("app"))).start()
    repaired(engine, "restart_service", "service:app")
    record = engine.state / "services" / "app"
    kept = record.read_bytes()
    engine.kill()
    record.unlink()
    engine.start()
    wait_for(lambda: _refused_a_second_copy(engine), "the refusal")
    by_hand = engine.cli("act", "restart_service", "app", "--reason", "try", "--yes")
    assert by_hand.returncode != 0
    assert "answers" in by_hand.stderr
    assert starts.read_text() == "x"
    assert len(actions(engine)) == 1
    record.write_bytes(kept)
    wait_for(lambda: _up(engine, "app"), "the service to be known again")


def test_a_pidfile_in_the_way_is_moved_away_once_its_process_is_dead_and_the_service_starts(
    engine_with: Maker, daemon: Daemon
) -> None:
    """Killed for good, this daemon leaves a pidfile with which it refuses to start."""
    service = daemon.service("--exclusive", verify_within="5s")
    allowed = _restarts("app") | {"remove_stale_pidfile": {}}
    engine = engine_with(own_config({"services": {"app": service}}, allowed)).start()
    repaired(engine, "restart_service", "service:app")
    first = daemon.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: daemon.pid not in (None, first), "the repair")
    repaired(engine, "restart_service", "service:app")
    done = [row["action"] for row in actions(engine)]
    assert done == ["restart_service", "restart_service", "remove_stale_pidfile", "restart_service"]
    moved = actions(engine, "remove_stale_pidfile")[0]
    assert "quarantine" in moved["effect"]["detail"]
    # Kept, not deleted: what undo needs stands in the record.
    assert moved["effect"]["undo"]["path"] == str(daemon.pidfile)


@pytest.fixture
def innocent() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with the service, and whose number a stale pidfile holds."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_a_pidfile_whose_number_is_another_program_by_now_kills_nobody(
    engine_with: Maker, daemon: Daemon, innocent: subprocess.Popen[bytes]
) -> None:
    daemon.pidfile.write_text(f"{innocent.pid}\n")
    os.utime(daemon.pidfile, (1_000_000, 1_000_000))
    allowed = _restarts("app") | {"remove_stale_pidfile": {}}
    engine = engine_with(own_config({"services": {"app": daemon.service()}}, allowed)).start()
    wait_for(lambda: any(i["target"] == "service:app" for i in engine.json("incidents")["items"]), "the incident")
    wait_for(lambda: refusals(engine, "service:app") or engine.decisions(), "a decision")
    assert innocent.poll() is None
    assert actions(engine) == []
    engine.stop()

    # With its program named it is known whose the number is not: the file is stale, and the service starts.
    service = daemon.service(executable=os.path.realpath(sys.executable) + ".other")
    engine.config.write_text(own_config({"services": {"app": service}}, allowed))
    engine.start()
    wait_for(lambda: answers(daemon.port), "the start")
    assert innocent.poll() is None


def test_stop_and_restart_commands_are_used_as_they_are_listed(engine_with: Maker, daemon: Daemon, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    stop = [sys.executable, "-c", f"import os, pathlib, signal; pathlib.Path({str(marks)!r}).open('a').write('stop '); "
            f"os.kill(int(pathlib.Path({str(daemon.pidfile)!r}).read_text()), signal.SIGTERM)"]  # fmt: skip
    service = daemon.service(command={"stop": stop})
    engine = engine_with(own_config({"services": {"app": service}}, _restarts("app"))).start()
    repaired(engine, "restart_service", "service:app")
    first = daemon.pid
    done = engine.cli("act", "restart_service", "app", "--reason", "deploy", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert marks.read_text() == "stop "
    assert daemon.pid not in (None, first)

    again = [sys.executable, "-c", f"import pathlib; pathlib.Path({str(marks)!r}).open('a').write('restart ')"]
    engine.config.write_text(own_config({"services": {"app": daemon.service(command={"restart": again})}}, _restarts("app")))
    reloaded = engine.cli("reload")
    assert reloaded.returncode == 0, reloaded.stderr
    second = daemon.pid
    done = engine.cli("act", "restart_service", "app", "--reason", "deploy", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert marks.read_text() == "stop restart "
    assert daemon.pid == second


def test_a_process_that_ignores_term_is_killed_after_its_time(engine_with: Maker, tmp_path: Path) -> None:
    port = free_port()
    stubborn = (
        "import http.server, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"http.server.HTTPServer(('127.0.0.1', {port}), http.server.SimpleHTTPRequestHandler).serve_forever()"
    )
    service = {
        "command": {"start": [sys.executable, "-c", stubborn], "user": ACCOUNT}, "stop_timeout": "1s",
        "check": {"tcp": f"127.0.0.1:{port}", "timeout": "1s"}, **QUICK,
    }  # fmt: skip
    engine = engine_with(own_config({"services": {"web": service}}, _restarts("web"))).start()
    repaired(engine, "restart_service", "service:web")
    first = wait_for(engine.service_pid)
    done = engine.cli("act", "restart_service", "web", "--reason", "deploy", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert start_time(first) is None
    assert engine.service_pid() not in (None, first)
    assert actions(engine)[-1]["took_seconds"] >= 1.0


def test_a_hung_service_is_alive_but_does_not_answer_and_is_restarted_by_its_probe(
    engine_with: Maker, daemon: Daemon
) -> None:
    engine = engine_with(own_config({"services": {"app": daemon.service()}}, _restarts("app"))).start()
    repaired(engine, "restart_service", "service:app")
    hung = daemon.pid
    assert hung is not None
    os.kill(hung, signal.SIGSTOP)
    # The kernel still accepts connections for it: only the answer is missing.
    assert answers(daemon.port)
    wait_for(lambda: outcomes(engine) == ["verified", "verified"], "the repair")
    assert start_time(hung) is None
    assert daemon.pid not in (None, hung)


def test_a_main_process_that_nobody_reaped_is_dead(engine_with: Maker, daemon: Daemon) -> None:
    """Its parent lives and does not look: the process table still has it, as a zombie."""
    parent = subprocess.Popen(
        [sys.executable, "-c", "import subprocess, sys; p = subprocess.Popen(sys.argv[1:]); input()",
         *daemon.argv("--foreground")],
        stdin=subprocess.PIPE,
    )  # fmt: skip
    try:
        wait_for(lambda: daemon.pid and answers(daemon.port), "the daemon")
        engine = engine_with(own_config({"services": {"app": daemon.service()}}, _restarts("app"))).start()
        wait_for(lambda: _up(engine, "app"), "the first look")
        assert actions(engine) == []
        zombie = daemon.pid
        assert zombie is not None
        os.kill(zombie, signal.SIGKILL)
        repaired(engine, "restart_service", "service:app")
        assert Path(f"/proc/{zombie}/stat").read_text().rpartition(") ")[2][0] == "Z"
        assert daemon.pid not in (None, zombie)
    finally:
        parent.kill()
        parent.communicate()


def test_an_answer_with_the_wrong_status_is_a_fault(engine_with: Maker, daemon: Daemon, tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("200")
    service = daemon.service("--status", str(status))
    engine = engine_with(own_config({"services": {"app": service}}, _restarts("app"))).start()
    repaired(engine, "restart_service", "service:app")
    status.write_text("503")
    wait_for(lambda: len(actions(engine)) == 2, "the repair")
    assert "bad_status" in actions(engine)[-1]["because"]
    assert "503" in actions(engine)[-1]["because"]
    status.write_text("200")
    repaired(engine, "restart_service", "service:app")


def test_nothing_is_restarted_while_what_it_needs_is_down(engine_with: Maker, daemon: Daemon, tmp_path: Path) -> None:
    """The database cannot be started by the engine; the application needs it."""
    (tmp_path / "db").mkdir()
    database = Daemon(tmp_path / "db")
    needed = {"pidfile": str(database.pidfile), **QUICK}
    services = {"app": daemon.service(depends_on=["db"]), "db": needed}
    engine = engine_with(own_config({"services": services}, _restarts("app", "db"))).start()
    wait_for(lambda: "dependency_down" in refusals(engine, "service:app"), "the refusal")
    assert "service:db" in refusals(engine, "service:app")["dependency_down"]
    assert actions(engine) == []
    try:
        subprocess.run(database.argv(), check=True)
        repaired(engine, "restart_service", "service:app")
        assert [row["target"] for row in actions(engine)] == ["service:app"]
    finally:
        database.end()
