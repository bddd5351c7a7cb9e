"""A whole engine in the test's own process, on this host and a temporary state; what people ask goes through its operator.

async with EngineHere(tmp_path, config) as engine:
    await engine.settle()
    await engine.ask("undo", undoes="@last", reason="a try")
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chaos.invariants import violations
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.model.principal import Principal
from zen_agents.ports.host import Host
from zen_agents.ports.store import ActionRow
from zen_agents.runtime.runtime import Runtime
from zen_agents.wiring.machine import Machine
from zen_agents.wiring.options import Options

ALICE = Principal("alice", 1000)


class Apart(Machine):
    """This machine, with everything that belongs to the whole host in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pointer, self.host_state = folder / "pointer", folder / "host-state"

    def host(self, state_dir: Path) -> Host:
        root = self.folder / "no-systemd-here"
        lock = root / "var/lib/dpkg/lock-frontend"  # its own: else an apt that another test runs holds this host up
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.touch()
        return LinuxHost(state_dir, root=str(root))

    def flag(self, state_dir: Path) -> EmergencyFlag:
        return EmergencyFlag(state_dir, host_flag=self.folder / "no-host-flag")


class EngineHere:
    """Starts one engine, without its own loops, and asks it; at its end the record shows no broken rule of safety."""

    def __init__(self, folder: Path, config: str, *, dry_run: bool = False) -> None:
        self.config, self.state = folder / "config.yaml", folder / "state"
        self.write(config)
        self.runtime = Runtime.load(Options((self.config,), self.state, dry_run=dry_run), Apart(folder))

    def write(self, config: str) -> None:
        """Write a configuration for the next start or reload."""
        self.config.write_text(config, encoding="utf-8")
        self.config.chmod(0o600)

    async def __aenter__(self) -> EngineHere:
        self.engine = self.runtime.open()
        self.store, self.clock, self.parts = self.runtime.store, self.runtime.clock, self.runtime.parts
        self.operator = self.runtime.operator()
        await self.engine.start_without_loops()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.runtime.close("the test is over")
        assert violations(self.state) == []

    async def settle(self) -> None:
        """Look, decide and act until nothing is under way."""
        await self.engine.settle(0.01)

    async def ask(self, verb: str, **args: Any) -> Any:
        """Ask as alice does on the acting socket."""
        return await self.operator.answer(verb, args, ALICE, may_act=True)

    def action(self, action: str) -> ActionRow:
        """Return the newest action of this name."""
        found = [row for row in self.store.actions() if row.action == action]
        assert found, f"no {action}: {[row.entry for row in self.store.decisions_between(0.0, 1e12)]}"
        return found[0]

    def outcomes(self) -> list[tuple[str, str]]:
        """Return action and outcome of everything that was done, oldest first."""
        return [(row.action, row.kind.value) for row in reversed(self.store.actions())]
