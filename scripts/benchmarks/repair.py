"""From SIGKILL of a service's main process to its port accepting connections again, beside the service's own cold start."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts.benchmarks import monit
from scripts.benchmarks.processes import (
    EngineProcess,
    environment,
    free_port,
    wait_for,
    wait_until_answering,
)
from scripts.benchmarks.report import Figure, median, percentile, skipped

#: The smallest service that Python can be: it tells its pid to whoever connects. It writes its pidfile if it is told one.
SERVICE = """
import _socket, posix, sys
sock = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
sock.bind(("127.0.0.1", int(sys.argv[1])))
if len(sys.argv) > 2:
    file = posix.open(sys.argv[2], posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC, 0o644)
    posix.write(file, b"%d\\n" % posix.getpid())
sock.listen(64)
own = b"%d" % posix.getpid()
while True:
    peer = sock._accept()[0]
    posix.write(peer, own)
    posix.close(peer)
"""

#: Runs the engine as if its kernel had no events, so that only the poll sees anything.
WITHOUT_EVENTS = "import sys; from scripts.benchmarks.without_events import main; sys.exit(main(sys.argv[1:]))"


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure everything of this part."""
    trials, fewer = (10, 3) if quick else (100, 10)
    cold, ours = _events(folder, trials)
    polled = _polled(folder, fewer)
    start = median(cold)
    return [
        Figure("the service's own cold start", 1000 * start, "ms",
               note=f"started directly, between the kills; p99 {1000 * percentile(cold, 0.99):.1f} ms", samples=cold),
        Figure(f"SIGKILL to accepting again, `command:`, median of {trials}", 1000 * median(ours), "ms",
               1000 * start + 15, note="goal: cold start + 15 ms; events on, intent durable first, every guard asked",
               samples=ours),
        Figure("the same, p99", 1000 * percentile(ours, 0.99), "ms", 1000 * start + 60, note="goal: cold start + 60 ms"),
        Figure("the same with events off, polling at 1 s, median", 1000 * median(polled), "ms", samples=polled),
        _monit(folder, fewer),
        *_units(folder, quick),
    ]  # fmt: skip


def service_argv(folder: Path, port: int, *more: str) -> list[str]:
    """Return how the service is started."""
    script = folder / "service.py"
    script.write_text(SERVICE, encoding="ascii")
    return [os.path.realpath(sys.executable), "-I", "-S", str(script), str(port), *more]


def _config(folder: Path, port: int) -> Path:
    argv = "\n".join(f'            - "{word}"' for word in service_argv(folder, port))
    path = folder / f"repair-{port}.yaml"
    path.write_text(
        f"""version: 1
agents:
  system_health:
    interval: 300
    services:
      web:
        command:
          start:
{argv}
          user: root
        check: {{tcp: "127.0.0.1:{port}", timeout: 1s}}
        every: 1s
        fail_after: 1
        recover_after: 1
        bake: 0s
        attempts: 10
        on_failure: [restart_service]
actions:
  allow:
    restart_service: {{services: [web], approval: auto, cooldown: 0s, max_per_hour: 100000, verify_within: 30s}}
limits: {{max_auto_repairs_per_hour: 100000, per_target_per_hour: 100000, boot_grace: 0s}}
breakers:
  failures: {{open_after: 100000}}
  flapping: {{open_after: 100000}}
  recurrence: {{open_after: 100000}}
  storm: {{targets: 100000}}
""",
        encoding="utf-8",
    )
    return path


def _events(folder: Path, trials: int) -> tuple[list[float], list[float]]:
    """Return cold starts and repairs, in turns: one of each, again and again."""
    port, own_port = free_port(), free_port()
    cold: list[float] = []
    with _engine(folder, port, "events") as engine:
        repairs = []
        for _ in range(trials):
            cold.append(_cold_start(folder, own_port))
            repairs.append(_kill_and_wait(engine, port))
    return cold, repairs


def _polled(folder: Path, trials: int) -> list[float]:
    port = free_port()
    with _engine(folder, port, "polled", launcher=("-c", WITHOUT_EVENTS)) as engine:
        return [_kill_and_wait(engine, port, pause=0.137 * (turn % 7)) for turn in range(trials)]


@contextlib.contextmanager
def _engine(folder: Path, port: int, name: str, launcher: Sequence[str] = ("-m", "zen_agents")) -> Iterator[EngineProcess]:
    """Run an engine that has started the service; the service, which outlives an engine, is ended afterwards."""
    with EngineProcess(_config(folder, port), folder / name, launcher=launcher) as engine:
        engine.first_turn()
        wait_until_answering(port)
        try:
            yield engine
        finally:
            pid = _main_process(engine)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _main_process(engine: EngineProcess) -> int:
    record = engine.state / "services" / "web"
    # Empty for a moment while a new process is being started.
    return int(wait_for(lambda: record.read_text("ascii").split(), seconds=10, what="the record of the service")[0])


def _kill_and_wait(engine: EngineProcess, port: int, *, pause: float = 0.0) -> float:
    """Kill the service once its last repair is verified; return the seconds until its port accepts again."""
    wait_for(lambda: engine.ask("status")["incidents_open"] == 0, seconds=30, what="the verification", pause=0.05)
    time.sleep(0.05 + pause)
    return _kill(_main_process(engine), port)


def _kill(pid: int, port: int) -> float:
    """Kill the process and return the seconds until another one answers on its port."""
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    wait_until_answering(port, other_than=pid)
    return time.monotonic() - began


def _cold_start(folder: Path, port: int) -> float:
    began = time.monotonic()
    child = subprocess.Popen(service_argv(folder, port), env=environment(), stdin=subprocess.DEVNULL)
    try:
        wait_until_answering(port)
        return time.monotonic() - began
    finally:
        child.kill()
        child.wait()


def _monit(folder: Path, trials: int) -> Figure:
    name = "Monit at a 1 s cycle, median"
    if not monit.is_installed():
        return skipped(name, monit.WHY_NOT)
    port, pidfile = free_port(), folder / "monit-web.pid"
    start, argv = folder / "start.sh", " ".join(service_argv(folder, port, str(pidfile)))
    start.write_text(f"#!/bin/sh\n{argv} </dev/null >/dev/null 2>&1 &\n", encoding="ascii")
    start.chmod(0o755)
    checks = f'check process web with pidfile {pidfile}\n start program = "{start}"\n'
    samples = []
    with monit.running(folder / "monit", checks, cycle_seconds=1):
        wait_until_answering(port)
        for turn in range(trials):
            # Monit waits until the start has succeeded; then it is killed at another moment of the cycle each time.
            time.sleep(1.3 + 0.137 * (turn % 7))
            samples.append(_kill(int(pidfile.read_text("ascii")), port))
    os.kill(int(pidfile.read_text("ascii")), signal.SIGKILL)
    return Figure(name, 1000 * median(samples), "ms", note=f"{trials} trials", samples=samples)


def _units(folder: Path, quick: bool) -> Sequence[Figure]:
    from scripts.benchmarks import repair_unit  # noqa: PLC0415 - needs a host with systemd

    return repair_unit.figures(folder, quick)
