"""An engine in a folder of its own, on a disk that is seen, with one service to keep up."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import secrets
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos.waiting import NotInTimeError, wait_until
from tests.support.engine_process import EngineProcess
from tests.support.fork_server import ForkedProcess
from zen_agents.adapters.control_client import ask
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.errors import StoreError, ZenError
from zen_agents.model.action import OutcomeKind
from zen_agents.ports.store import ActionRow

#: How long anything may take before it is given up (seconds); generous, for busy machines.
PATIENCE_SECONDS = 120.0
#: Who waits for an engine looks so often at its record and at all processes (seconds).
LOOK_EVERY_SECONDS = 0.1
_ACCOUNT = pwd.getpwuid(os.geteuid()).pw_name


class Crashed(Exception):  # noqa: N818 - no error: that it crashes is asked for
    """The engine died before its life was over."""


@dataclass
class Scene:
    """One engine after the other on the same state; the service outlives them."""

    folder: Path
    #: Variables under which the engine, and the commands that act in its stead, run.
    environment: Mapping[str, str] = field(default_factory=dict)
    #: True where calls fail: then a life also ends when the engine says that something is wrong.
    failing: bool = False
    #: The service ends by itself so long after its start (seconds).
    service_lives: float = 1000.0
    repairs_per_hour: int = 10_000

    def __post_init__(self) -> None:
        self.disk = self.folder / "disk"
        self.pidfile = self.disk / "run" / "app.pid"
        # Like no other process: the decimals are its name.
        self.service = ("/bin/sleep", f"{self.service_lives + secrets.randbelow(10**9) / 10**10:.10f}")
        self.engine = EngineProcess(self.folder, self._config())
        # Below a directory that is there from the start, so that the making of the state is seen too.
        self.engine.state = self.disk / "state"
        self.pidfile.parent.mkdir(parents=True, exist_ok=True)

    @property
    def roots(self) -> tuple[Path, ...]:
        """The directories in which it makes things durable."""
        return self.disk, Path("/run/zen-agents")

    # -- the engine ---------------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Start the engine and wait until it answers; raises Crashed."""
        self.engine.start(wait=False, **self.environment)
        self.until(lambda: self.engine.status() is not None, "the engine")

    def stop(self) -> None:
        """Ask the engine to end; raises Crashed if it is killed over it."""
        if self.engine.stop() == -signal.SIGKILL:
            raise Crashed

    def until(self, condition: Callable[[], Any], what: str) -> None:
        """Wait for a condition; raises Crashed if the engine dies first, and returns early if it says what is wrong."""
        wait_until(
            lambda: self.exit_code is not None or condition() or self._says_what_is_wrong(), what, seconds=PATIENCE_SECONDS,
            every=LOOK_EVERY_SECONDS,
        )  # fmt: skip
        if self.exit_code is not None:
            raise Crashed

    def _says_what_is_wrong(self) -> bool:
        if not self.failing or (status := self.engine.status()) is None:
            return False
        return bool(status["abnormal"]) or any(row.kind is OutcomeKind.FAILED for row in self.actions())

    def ask(self, verb: str, **arguments: Any) -> None:
        """Ask the engine as a person would; raises Crashed if it dies over it. What it refuses is its answer."""
        try:
            ask(self.engine.state / "control.sock", verb, arguments, timeout_seconds=PATIENCE_SECONDS)
        except ZenError:
            self.until(lambda: self.engine.status() is not None, "the engine")

    def status(self) -> dict[str, Any]:
        """Return what the engine says of itself; NotInTimeError if it says nothing."""
        if (status := self.engine.status()) is None:
            raise NotInTimeError(f"the engine does not answer: {self.said}")
        return status

    @property
    def exit_code(self) -> int | None:
        """How the engine ended; None while it runs."""
        return self._process.poll()

    @property
    def said(self) -> str:
        """The end of what the engine printed."""
        return self.engine.log.read_text(encoding="utf-8", errors="replace")[-2000:]

    @property
    def _process(self) -> subprocess.Popen[bytes] | ForkedProcess:
        if self.engine.process is None:
            raise NotInTimeError("no engine was started here")
        return self.engine.process

    # -- what it did --------------------------------------------------------------------------------------------------
    def actions(self) -> list[ActionRow]:
        """Return what the engine meant to do, oldest first; nothing while it has no state that can be read."""
        try:
            store = SqliteStore.open_read_only(self.engine.state / "state.db")
        except StoreError:
            return []
        try:
            return list(reversed(store.actions(limit=-1)))
        except StoreError:
            return []
        finally:
            store.close()

    def services(self) -> list[int]:
        """Return the pids of the service's living processes."""
        return _processes_of(self.service)

    # -- the end ------------------------------------------------------------------------------------------------------
    def crash(self) -> None:
        """Kill the engine if it lives; what it started goes on."""
        if self.engine.process is not None:
            self.engine.kill()

    def end(self) -> None:
        """End the engine and what it started, whether its records still say so or not."""
        self.crash()
        for pid in self.services():
            os.kill(pid, signal.SIGKILL)

    def configure(self, more: Mapping[str, Any]) -> None:
        """Add sections to the configuration, from the next start on."""
        config = json.loads(self.engine.config.read_text(encoding="utf-8"))
        self.engine.config.write_text(json.dumps(_joined(config, more)), encoding="utf-8")

    def left_over(self) -> list[str]:
        """Return what lies under private names in directories of others."""
        return [str(each.relative_to(self.disk)) for each in self.disk.rglob(".zen-agents-*")]

    def _config(self) -> str:
        """Return the configuration as JSON, which is YAML."""
        quick = {"every": "1s", "fail_after": 1, "recover_after": 1, "bake": "0s"}
        web = {"start": [*self.service], "restart": ["/bin/true"], "user": _ACCOUNT}
        app = {"start": ["/bin/false"], "user": _ACCOUNT}
        services = {"web": {"command": web, **quick}, "app": {"command": app, "pidfile": str(self.pidfile), **quick}}
        allowed = {"approval": "auto", "cooldown": "0s", "verify_within": "2s", "timeout": "20s"}
        many = {"open_after": 10_000}
        return json.dumps({
            # While somebody installs packages on the host nothing is done; soon after that it is.
            "agents": {"system_health": {"interval": "5s", "services": services}},
            "actions": {"default": "deny", "allow": {
                "restart_service": {"services": ["web"], **allowed}, "remove_stale_pidfile": allowed,
            }},
            "limits": {
                "boot_grace": "0s", "max_auto_repairs_per_hour": self.repairs_per_hour, "per_target_per_hour": 10_000,
            },
            "breakers": {"failures": many, "recurrence": many, "flapping": many},
            "safe_mode": {"enter_when": {"engine_restarts": 0}},
        })  # fmt: skip


def _joined(one: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    inner = {key: _joined(one[key], more[key]) for key in one.keys() & more.keys() if isinstance(one[key], dict)}
    return {**one, **more, **inner}


def _processes_of(argv: Sequence[str]) -> list[int]:
    wanted, found = b"".join(os.fsencode(word) + b"\0" for word in argv), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                if (entry / "cmdline").read_bytes() == wanted:
                    found.append(int(entry.name))
    return found
