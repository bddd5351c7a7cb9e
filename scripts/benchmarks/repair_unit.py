"""The same kill for a `unit:` service, over the time of `systemctl restart`; on a disposable host on which systemd is pid 1.

`python -m scripts.benchmarks.repair_unit TRIALS` is the part that runs inside: it prints its samples as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from chaos.host import REPOSITORY, DisposableHost, HostTimeoutError, HostUnavailableError, why_not
from scripts.benchmarks.processes import EngineProcess, free_port, wait_for, wait_until_answering
from scripts.benchmarks.report import Figure, median, percentile, skipped

NAME = "SIGKILL to accepting again, `unit:`, median"
UNIT = "zen-bench-web.service"
#: So many trials of one kind, then so many of the other.
BLOCK = 10


def figures(folder: Path, quick: bool) -> Sequence[Figure]:
    """Measure it where there can be a host with systemd; else say why not."""
    del folder
    if why := "left out by --quick" if quick else why_not():
        return [skipped(NAME, why)]
    trials = 50
    try:
        with DisposableHost() as host:
            argv = [sys.executable, "-m", "scripts.benchmarks.repair_unit", str(trials)]
            done = host.run(argv, cwd=str(REPOSITORY), timeout=60 + 5 * trials)
    except (HostUnavailableError, HostTimeoutError, subprocess.TimeoutExpired) as error:
        return [skipped(NAME, " ".join(str(error).split())[:160])]
    if done.returncode != 0:
        return [skipped(NAME, " ".join((done.stderr or done.stdout).split())[-300:])]
    samples = json.loads(done.stdout.splitlines()[-1])
    own, ours = samples["systemctl"], samples["engine"]
    start = 1000 * median(own)
    return [
        Figure("`systemctl restart` of the killed unit, to answering", start, "ms", note=f"{trials} trials", samples=own),
        Figure(NAME, 1000 * median(ours), "ms", start + 15, note="goal: `systemctl restart` + 15 ms", samples=ours),
        Figure("the same, p99", 1000 * percentile(ours, 0.99), "ms", start + 60, note="goal: `systemctl restart` + 60 ms"),
    ]  # fmt: skip


def inside(trials: int) -> dict[str, list[float]]:
    """Kill the unit again and again; half of the times systemctl starts it again, half of the times the engine does."""
    from scripts.benchmarks.repair import SERVICE  # noqa: PLC0415 - it imports this module

    own: list[float] = []
    ours: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        script = folder / "service.py"
        script.write_text(SERVICE, encoding="ascii")
        Path("/run/systemd/system").mkdir(parents=True, exist_ok=True)
        Path(f"/run/systemd/system/{UNIT}").write_text(
            f"[Service]\nExecStart={os.path.realpath(sys.executable)} -I -S {script} {port}\n", encoding="ascii"
        )
        _systemctl("daemon-reload")
        _systemctl("start", UNIT)
        wait_until_answering(port)
        # A B A B: the engine would repair what systemctl is to repair, so it runs in its own turns only.
        for first in range(0, trials, BLOCK):
            block = range(first, min(first + BLOCK, trials))
            for _ in block:
                own.append(_restart_by_hand(port))
                # systemd itself refuses more than a few starts in ten seconds.
                _systemctl("reset-failed", UNIT)
            with EngineProcess(_config(folder, port), folder / "state") as engine:
                engine.first_turn()
                for _ in block:
                    ours.append(_kill_and_wait(engine, port))
                    _systemctl("reset-failed", UNIT)
    return {"systemctl": own, "engine": ours}


def _config(folder: Path, port: int) -> Path:
    path = folder / "unit.yaml"
    path.write_text(
        f"""version: 1
agents:
  system_health:
    services:
      web:
        unit: {UNIT}
        check: {{tcp: "127.0.0.1:{port}", timeout: 1s}}
        every: 1s
        fail_after: 1
        recover_after: 1
        bake: 0s
        attempts: 10
        on_failure: [restart_service]
actions:
  allow:
    restart_service: {{units: [{UNIT}], approval: auto, cooldown: 0s, max_per_hour: 100000, verify_within: 30s}}
limits: {{max_auto_repairs_per_hour: 100000, per_target_per_hour: 100000, boot_grace: 0s}}
breakers:
  failures: {{open_after: 100000}}
  flapping: {{open_after: 100000}}
  recurrence: {{open_after: 100000}}
  storm: {{targets: 100000}}
safe_mode: {{enter_when: {{engine_restarts: 0}}}}
""",
        encoding="utf-8",
    )
    return path


def _systemctl(*words: str) -> str:
    return subprocess.run(["systemctl", *words], capture_output=True, text=True, check=False).stdout.strip()


def _main_pid() -> int:
    return int(_systemctl("show", "--value", "--property=MainPID", UNIT) or 0)


def _restart_by_hand(port: int) -> float:
    pid = _main_pid()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: _systemctl("is-active", UNIT) == "failed", seconds=10, what="the unit's failure")
    time.sleep(0.05)
    began = time.monotonic()
    # Asked for its port from the beginning, as it is while the engine restarts it.
    with subprocess.Popen(["systemctl", "restart", UNIT], stdin=subprocess.DEVNULL):
        wait_until_answering(port, other_than=pid)
        return time.monotonic() - began


def _kill_and_wait(engine: EngineProcess, port: int) -> float:
    wait_for(lambda: engine.ask("status")["incidents_open"] == 0, seconds=60, what="the verification", pause=0.05)
    time.sleep(0.05)
    pid = _main_pid()
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    wait_until_answering(port, other_than=pid)
    return time.monotonic() - began


if __name__ == "__main__":
    sys.stdout.write(json.dumps(inside(int(sys.argv[1]))) + "\n")
