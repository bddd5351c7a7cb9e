"""An engine inside a disposable host: a unit of its systemd, as in production, asked by its own commands."""

from __future__ import annotations

import json
import sys
from typing import Any

from chaos.host import REPOSITORY, DisposableHost
from tests.support.engine_process import wait_for
from zen_agents.store.failpoint import VARIABLE


class EngineInside:
    """Starts, stops and asks one engine of a host."""

    def __init__(self, host: DisposableHost, name: str, config: str, *, services: tuple[str, ...]) -> None:
        self.host, self.unit, self.state = host, f"{name}.service", f"/var/lib/{name}"
        self.services = services
        self.config = f"/etc/{name}/config.yaml"
        host.write_file(self.config, config, mode=0o600)

    def start(self, *, failpoint: str = "") -> None:
        """Start it, with one failpoint armed if asked, and return when it answers and has looked at its services once."""
        run = [sys.executable, "-m", "zen_agents", "run", "-c", self.config, "--state-dir", self.state]
        unit = ["systemd-run", f"--unit={self.unit}", "--quiet", "--collect", f"--working-directory={REPOSITORY}"]
        armed = [f"--setenv={VARIABLE}={failpoint}"] if failpoint else []
        self.host.run([*unit, *armed, "--property=KillMode=mixed", "--", *run], check=True)
        wait_for(self._has_looked, "the engine inside")

    def stop(self) -> None:
        """End it as systemd does."""
        self.host.run(["systemctl", "stop", self.unit])

    def json(self, *arguments: str) -> Any:
        """Run one command with -o json and return what it printed."""
        done = self.cli(*arguments, "-o", "json")
        assert done.stdout, f"{arguments}: {done.stderr}"
        return json.loads(done.stdout)

    def cli(self, *arguments: str) -> Any:
        """Run one command on its state and return how it ended."""
        argv = [sys.executable, "-m", "zen_agents", "--state-dir", self.state, *arguments]
        return self.host.run(argv, cwd=str(REPOSITORY))

    def actions(self) -> list[dict[str, Any]]:
        """Return all actions, oldest first."""
        return list(reversed(self.json("actions", "--limit", "1000")["items"]))

    def decisions(self) -> list[dict[str, Any]]:
        """Return all decisions, oldest first."""
        return list(reversed(self.json("decisions", "--limit", "1000")["items"]))

    def incidents(self, name: str) -> list[tuple[str, str]]:
        """Return state and solver of all incidents of a service, oldest first."""
        items = reversed(self.json("incidents")["items"])
        return [(item["state"], item["resolved_by"]) for item in items if item["target"] == f"service:{name}"]

    def _has_looked(self) -> bool:
        status = json.loads(self.cli("status", "-o", "json").stdout or "{}")  # nothing before its state is there
        seen = {row["check"] for row in status.get("checks", ())}
        return {f"system_health.{name}" for name in self.services} <= seen
