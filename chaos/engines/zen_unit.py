"""An engine inside a disposable host: a unit of its systemd, as in production, asked by its own commands."""

from __future__ import annotations

import compileall
import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from chaos.engines.base import AS_ALWAYS, Launch
from chaos.host import REPOSITORY, DisposableHost
from chaos.shell import Shell, open_shell
from chaos.waiting import wait_until
from chaos.workload import unit_property

#: In its log, once an agent has looked, folded and decided for the first time.
_FIRST_TURN = "first turn"
_READY_WITHIN_SECONDS = 60.0


class ZenUnit:
    """Starts, stops and asks one engine of a host; several with different names may be there."""

    def __init__(self, host: DisposableHost, name: str = "zen-agents") -> None:
        self.host, self.unit = host, f"{name}.service"
        self.state, self.config, self.log = f"/var/lib/{name}", f"/etc/{name}/config.yaml", f"/var/log/{name}.log"
        #: Its commands see the same clock as it does.
        self._environment: Mapping[str, str] = {}

    def configure(self, text: str) -> None:
        """Write its configuration."""
        self.host.write_file(self.config, text, mode=0o600)

    def start(self, launch: Launch = AS_ALWAYS) -> None:
        """Start it and return when it has looked and decided once; NotInTimeError if it does not."""
        _as_installed()
        self._environment = launch.environment
        self.host.run(["rm", "--force", self.log], check=True)
        unit = ["systemd-run", f"--unit={self.unit}", "--quiet", "--collect", f"--working-directory={REPOSITORY}"]
        logs = [f"--property=StandardOutput=append:{self.log}", f"--property=StandardError=append:{self.log}"]
        environment = [f"--setenv={name}={value}" for name, value in launch.environment.items()]
        environment.append(f"--property=EnvironmentFile={REPOSITORY / 'scripts' / 'engine.env'}")
        run = [sys.executable, "-m", "zen_agents", "run", "-c", self.config, "--state-dir", self.state, *launch.options]
        self.host.run([*unit, *logs, *environment, "--property=KillMode=mixed", "--", *run], check=True)
        wait_until(self._has_looked, "the engine's first look", seconds=_READY_WITHIN_SECONDS, every=0.05)

    def stop(self) -> None:
        """End it as systemd does."""
        self.host.run(["systemctl", "stop", self.unit])

    def is_running(self) -> bool:
        """Tell whether its unit runs."""
        return unit_property(self.host, self.unit, "ActiveState") in ("active", "activating")

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command on its state and return how it ended."""
        return self.host.run(self.command(*arguments), cwd=str(REPOSITORY), environment=self._environment)

    def command(self, *arguments: str) -> list[str]:
        """Return one of its commands, on its state."""
        return [sys.executable, "-m", "zen_agents", "--state-dir", self.state, *arguments]

    def shell(self) -> AbstractContextManager[Shell]:
        """Open a shell in which its commands can be given."""
        return open_shell(self.host, cwd=str(REPOSITORY), environment=self._environment)

    def json(self, *arguments: str) -> Any:
        """Run one command with -o json and return what it printed; CalledProcessError if that is nothing."""
        done = self.cli(*arguments, "-o", "json")
        if not done.stdout:
            raise subprocess.CalledProcessError(done.returncode, arguments, stderr=done.stderr)
        return json.loads(done.stdout)

    def actions(self) -> list[dict[str, Any]]:
        """Return all actions, oldest first."""
        items: list[dict[str, Any]] = self.json("actions", "--limit", "1000")["items"]
        return items[::-1]

    def decisions(self) -> list[dict[str, Any]]:
        """Return all decisions, oldest first."""
        items: list[dict[str, Any]] = self.json("decisions", "--limit", "1000")["items"]
        return items[::-1]

    def _has_looked(self) -> bool:
        return _FIRST_TURN in self.host.run(["cat", self.log]).stdout


@cache
def _as_installed() -> None:
    """Compile the package, as installing it does: workers never do, and what a host compiles is not kept."""
    compileall.compile_dir(REPOSITORY / "zen_agents", quiet=1)
