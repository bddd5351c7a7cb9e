"""A real engine in a process of its own, on a temporary state, and the command line that people use to ask it."""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.support import fork_server
from tests.support.schemas import printed_as_promised
from zen_agents.adapters.control_client import ask
from zen_agents.errors import ZenError

REPOSITORY = Path(__file__).resolve().parents[2]
#: How long a condition may take before a test gives up; generous, for slow machines.
PATIENCE_SECONDS = 60.0


def wait_for(condition: Callable[[], Any], what: str = "the condition", *, seconds: float = PATIENCE_SECONDS) -> Any:
    """Return the condition's first true answer; fails the test if there is none in time."""
    began = time.monotonic()
    pause = 0.01
    while (waited := time.monotonic() - began) < seconds:
        if answer := condition():
            return answer
        # What asks may be a command, which keeps the machine busier than what is waited for.
        asked_for = time.monotonic() - began - waited
        _PAUSE.wait(max(pause, 2 * asked_for))
        pause = min(max(0.25, waited / 20), pause * 1.5)
    raise AssertionError(f"{what} did not come true within {seconds:g} s")


class _Pause:
    """Waits without sleeping on the clock: a pipe that nobody writes to."""

    def __init__(self) -> None:
        self._end, self._writer = socket.socketpair()

    def wait(self, seconds: float) -> None:
        self._end.settimeout(seconds)
        try:
            self._end.recv(1)
        except TimeoutError:
            return


_PAUSE = _Pause()


@cache
def with_a_run_of_its_own() -> tuple[str, ...]:
    """Return what hides the machine's /run from an engine of root's: it leaves its pointer there, and may ask systemd.

    Empty where no mount namespace can be made, and for other accounts, whose engines leave nothing there.
    """
    hidden = ("unshare", "--mount", "--propagation=slave", "sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$@"', "sh")
    if os.geteuid() != 0 or subprocess.run([*hidden, "true"], check=False, capture_output=True).returncode != 0:
        return ()
    return hidden


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def answers(port: int) -> bool:
    """Tell whether somebody accepts on a port of 127.0.0.1."""
    with socket.socket() as sock:
        sock.settimeout(1.0)
        return sock.connect_ex(("127.0.0.1", port)) == 0


class EngineProcess:
    """Starts, asks, kills and restarts one engine."""

    def __init__(self, folder: Path, config: str) -> None:
        self.folder, self.state = folder, folder / "state"
        self.config = folder / "config.yaml"
        folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(config, encoding="utf-8")
        self.config.chmod(0o600)
        self.process: subprocess.Popen[bytes] | fork_server.ForkedProcess | None = None
        self.log = folder / "engine.log"
        #: What the engine is started through; it must become the engine, so that the pid is the engine's.
        self.before: tuple[str, ...] = ()
        #: What it is started with as its standard input.
        self.input = subprocess.DEVNULL
        #: The directory of the code that runs: this repository, or another release of it.
        self.release = REPOSITORY

    def start(self, *arguments: str, wait: bool = True, **environment: str) -> EngineProcess:
        """Start the engine; by default wait until it answers."""
        env = {**os.environ, **environment}
        env.pop("ZEN_AGENTS_STATE_DIR", None)
        words = ["run", "-c", str(self.config), "--state-dir", str(self.state), *arguments]
        with self.log.open("ab") as log:
            if self._may_be_forked(environment):
                own_run = bool(with_a_run_of_its_own())
                self.process = fork_server.start(words, env, out=log.fileno(), error=log.fileno(), own_run=own_run)
            else:
                command = [*with_a_run_of_its_own(), *self.before, sys.executable, "-m", "zen_agents", *words]
                self.process = subprocess.Popen(command, cwd=self.release, env=env, stdin=self.input, stdout=log, stderr=log)
        if wait:
            process = self.process
            wait_for(lambda: self.status() is not None or process.poll() is not None, "the engine")
            assert process.poll() is None, self.log.read_text(encoding="utf-8")[-3000:]
        return self

    def cli(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one command on this engine's state."""
        words, env = [*arguments, "--state-dir", str(self.state)], {**os.environ, **environment}
        if self._may_be_forked(environment):
            done = fork_server.run(words, env, timeout=120)
        else:
            done = subprocess.run(
                [sys.executable, "-m", "zen_agents", *words], cwd=self.release, env=env, capture_output=True, text=True,
                timeout=120, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        if self.release == REPOSITORY:  # what an earlier release prints is promised by its own schemas
            printed_as_promised(words, done.stdout)
        return done

    def _may_be_forked(self, environment: Mapping[str, str]) -> bool:
        return (
            self.release == REPOSITORY
            and not self.before
            and self.input == subprocess.DEVNULL
            and fork_server.can_start(environment)
        )

    def json(self, *arguments: str, **environment: str) -> Any:
        """Run one command with -o json and return what it printed."""
        done = self.cli(*arguments, "-o", "json", **environment)
        assert done.stdout, f"{arguments}: {done.stderr}"
        return json.loads(done.stdout)

    def status(self) -> dict[str, Any] | None:
        """Return the running engine's status, None if it does not answer."""
        if not (self.state / "control.sock").exists():
            return None
        try:
            result: dict[str, Any] = ask(self.state / "control.sock", "status", timeout_seconds=10.0)
        except ZenError:
            return None
        return result

    def actions(self) -> list[dict[str, Any]]:
        """Return all actions, oldest first."""
        items: list[dict[str, Any]] = self.json("actions", "--limit", "1000")["items"]
        return list(reversed(items))

    def decisions(self) -> list[dict[str, Any]]:
        """Return all decisions, oldest first."""
        items: list[dict[str, Any]] = self.json("decisions", "--limit", "1000")["items"]
        return list(reversed(items))

    def events(self) -> list[dict[str, Any]]:
        """Return everything in the ledger, oldest first."""
        items: list[dict[str, Any]] = self.json("events", "--since", "1d", "--limit", "10000")["items"]
        return items

    def kill(self) -> None:
        """End the engine as kill -9 does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)

    def stop(self) -> int:
        """Ask the engine to end, and return its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        """End the engine and the services it started."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
        for record in (self.state / "services").glob("*") if (self.state / "services").is_dir() else ():
            pid, start = (int(word) for word in record.read_text(encoding="ascii").split()[:2])
            if start_time(pid) == start:
                os.kill(pid, signal.SIGKILL)

    def service_pid(self, name: str = "web") -> int | None:
        """Return the pid of a service that this engine started, None if it does not live."""
        record = self.state / "services" / name
        if not record.exists() or not (words := record.read_text(encoding="ascii").split()):
            return None
        pid, start = int(words[0]), int(words[1])
        return pid if start_time(pid) == start else None


def start_time(pid: int) -> int | None:
    """Return a living process's start time in ticks; None if it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def web_config(port: int, *, extra: str = "", service: str = "", allow: str = "", limits: str = "") -> str:
    """Return a configuration that keeps one small web server running on a port."""
    return f"""
agents:
  system_health:
    interval: 1m
    services:
      web:
        command:
          start: [{sys.executable}, -m, http.server, "{port}", --bind, 127.0.0.1]
          cwd: /usr/share
          user: {"nobody" if os.geteuid() == 0 and _others_may_run(sys.executable) else _me()}
        check: {{tcp: "127.0.0.1:{port}", timeout: 1s}}
        every: 1s
        fail_after: 1
        recover_after: 1
        bake: 0s
{service}
actions:
  default: deny
  allow:
    restart_service: {{services: [web], approval: auto, cooldown: 0s, timeout: 20s, verify_within: 20s{allow}}}
limits: {{boot_grace: 0s{limits}}}
breakers: {{recurrence: {{open_after: 100}}, flapping: {{open_after: 100}}}}
{extra}
"""


def _others_may_run(path: str) -> bool:
    """Tell whether every directory above a program lets others through."""
    return all(parent.stat().st_mode & 0o001 for parent in Path(path).resolve().parents)


def _me() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name
