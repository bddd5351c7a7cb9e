"""Starts, measures and ends the processes of a benchmark; touches no other."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
#: In the engine's log, once an agent has looked, folded and decided for the first time.
FIRST_TURN = "first turn"

#: One process that starts many: each sleeps in a process of its own, and all end with the group.
_SLEEPERS = """
import os, signal, sys
for _ in range(int(sys.argv[1])):
    child = os.fork()
    if child == 0:
        os.execv("/bin/sleep", ["sleep", "infinity"])
    print(child, flush=False)
print("end", flush=True)
signal.pause()
"""


def environment() -> dict[str, str]:
    """Return the environment of everything that is measured: byte code is used, nothing of this session is inherited."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return {"PATH": "/usr/bin:/bin", **kept}


def engine_environment() -> dict[str, str]:
    """Return the environment of an engine: that of everything, and what scripts/start.sh adds."""
    lines = (REPOSITORY / "scripts" / "engine.env").read_text("ascii").splitlines()
    added = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return environment() | {name: value for name, _, value in added}


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a whole process, ended threads included, to the nanosecond (its own CPU clock)."""
    return time.clock_gettime((~pid << 3) | 2)


def memory_kib(pid: int) -> dict[str, int]:
    """Return VmRSS, VmHWM, Pss and Uss in KiB."""
    found = {"Uss": 0}
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith(("VmRSS", "VmHWM")):
            found[line.partition(":")[0]] = int(line.split()[1])
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
        name, _, rest = line.partition(":")
        if name == "Pss":
            found["Pss"] = int(rest.split()[0])
        elif name.startswith("Private_"):
            found["Uss"] += int(rest.split()[0])
    return found


def wait_for(condition: Callable[[], Any], *, seconds: float, what: str, pause: float = 0.005) -> Any:
    """Return the first true answer of `condition`; SystemExit with a clear word if there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(pause)
    raise SystemExit(f"scripts/bench: {what} did not happen within {seconds:g} s")


class EngineProcess:
    """One real engine, started as a person would: as scripts/start.sh does."""

    def __init__(self, config: Path, state: Path, *, launcher: Sequence[str] = ("-m", "zen_agents")) -> None:
        self._argv = [sys.executable, *launcher, "run", "-c", str(config), "--state-dir", str(state)]
        self.state, self._log = state, state.parent / f"{state.name}.log"
        self._child: subprocess.Popen[bytes] | None = None
        #: Monotonic seconds just before it was executed.
        self.began = 0.0

    @property
    def pid(self) -> int:
        """The engine's process id."""
        assert self._child is not None
        return self._child.pid

    def __enter__(self) -> EngineProcess:
        with self._log.open("wb") as log:
            self.began = time.monotonic()
            self._child = subprocess.Popen(
                self._argv, cwd=REPOSITORY, env=engine_environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._child is not None
        self._child.terminate()
        try:
            self._child.wait(20)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def log(self) -> str:
        """Return what it wrote to its log."""
        return self._log.read_text("utf-8", "replace")

    def first_turn(self, *, seconds: float = 60.0) -> float:
        """Wait until the first turn has been taken; return the seconds since it was executed."""

        def taken() -> bool:
            assert self._child is not None
            if self._child.poll() is not None:
                raise SystemExit(f"scripts/bench: the engine ended with {self._child.returncode}:\n{self.log()[-2000:]}")
            return FIRST_TURN in self.log()

        wait_for(taken, seconds=seconds, what="the first turn", pause=0.002)
        return time.monotonic() - self.began

    def ask(self, verb: str, *, timeout_seconds: float = 10.0) -> Any:
        """Ask over the control socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(timeout_seconds)
            sock.connect(str(self.state / "control.sock"))
            sock.sendall(json.dumps({"verb": verb, "args": {}}).encode() + b"\n")
            answer = json.loads(sock.makefile("rb").readline())
        if not answer["ok"]:
            raise SystemExit(f"scripts/bench: {verb}: {answer['error']}")
        return answer["result"]


@contextlib.contextmanager
def sleepers(count: int) -> Iterator[list[int]]:
    """Keep `count` sleeping processes; all end afterwards, and with this process."""
    child = subprocess.Popen(
        [sys.executable, "-S", "-E", "-c", _SLEEPERS, str(count)], stdout=subprocess.PIPE, start_new_session=True
    )
    assert child.stdout is not None
    try:
        pids = [int(line) for line in iter(child.stdout.readline, b"end\n")]
        yield pids
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def wait_until_answering(port: int, *, other_than: int = 0, seconds: float = 60.0) -> None:
    """Wait, by trying again at once, until a process other than this one tells its pid on a port of 127.0.0.1.

    A process that is being killed may still take a connection, so a connection alone is no proof.
    """
    deadline = time.monotonic() + seconds
    while _who_answers(port) in (0, other_than):
        if time.monotonic() > deadline:
            raise SystemExit(f"scripts/bench: nobody answered on port {port} within {seconds:g} s")
        time.sleep(0.0002)


def _who_answers(port: int) -> int:
    with socket.socket() as sock:
        sock.settimeout(1.0)
        try:
            sock.connect(("127.0.0.1", port))
            return int(sock.recv(32) or 0)
        except OSError:
            return 0


def used_cpu(pids: Sequence[int], seconds: float) -> list[float]:
    """Return the CPU seconds that each process uses within `seconds`, all measured over the same time."""
    before = [cpu_seconds(pid) for pid in pids]
    time.sleep(seconds)
    return [cpu_seconds(pid) - earlier for pid, earlier in zip(pids, before, strict=True)]
