"""The simulated machine as the runtime gets it: everything that the real one is made of, but the store."""

from __future__ import annotations

from collections.abc import Awaitable, Collection
from pathlib import Path

from chaos.simulation.host import SimulatedHost
from chaos.simulation.loop import VirtualThread
from chaos.simulation.pager import Pager
from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.clock import Clock
from zen_agents.model.action import Intent
from zen_agents.ports.events import EventSource
from zen_agents.ports.host import Host, HostControl
from zen_agents.wiring.machine import Controls, Machine


class SimulatedControls:
    """Hands out a control for each intent, under the engine's emergency stop."""

    def __init__(self, host: SimulatedHost, flag: EmergencyFlag) -> None:
        self._host, self._flag = host, flag

    def __call__(self, intent: Intent) -> HostControl:
        """Return the control of an intent."""
        return self._host.control(intent.id, self._flag)

    def keep_files(self, seconds: float, most_bytes: int) -> None:
        """Do nothing: what is simulated takes no room."""

    def close(self) -> None:
        """Let go of nothing."""


class SimulatedMachine(Machine):
    """A machine of dictionaries."""

    def __init__(self, host: SimulatedHost, pager: Pager, folder: Path) -> None:
        self._host, self._pager, self._folder = host, pager, folder
        self.pointer, self.host_state = folder / "run" / "state-dir", folder / "etc" / "host-state"
        self.syslog = folder / "run" / "log"

    def host(self, state_dir: Path) -> Host:
        return self._host

    def flag(self, state_dir: Path) -> EmergencyFlag:
        return EmergencyFlag(state_dir, host_flag=self._folder / "host-flag")

    def controls(self, host: Host, state_dir: Path, flag: EmergencyFlag, clock: Clock) -> Controls:
        return SimulatedControls(self._host, flag)

    def evidence(self, host: Host, state_dir: Path) -> None:
        """Take none: clues of a dictionary tell nobody anything."""

    def events(self, host: Host, clock: Clock) -> EventSource:
        del host, clock
        return self._host.events

    def still_running(self, state_dir: Path) -> Collection[str]:
        return ()

    def thread(self) -> VirtualThread:
        return VirtualThread(lambda: not self._host.faults.stalled)

    async def worker(self, module: str, request: str | Awaitable[str], *, timeout_seconds: float) -> str:
        text = request if isinstance(request, str) else await request
        return await self._pager.work(module, text, timeout_seconds=timeout_seconds)
