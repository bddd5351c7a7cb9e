"""The machine that an engine runs on: what the runtime needs of it besides the ports, all in one place."""

from __future__ import annotations

from collections.abc import Awaitable, Collection
from pathlib import Path
from typing import Protocol

from zen_agents.adapters.emergency_flag import EmergencyFlag
from zen_agents.adapters.event_sources import EventSources
from zen_agents.adapters.host_evidence import HostEvidence
from zen_agents.adapters.host_state import HOST_STATE
from zen_agents.adapters.linux_control import LinuxControls
from zen_agents.adapters.linux_host import LinuxHost
from zen_agents.adapters.quarantine import Quarantine
from zen_agents.adapters.running_actions import still_running
from zen_agents.adapters.safe_files import tidy
from zen_agents.adapters.service_keeper import ServiceKeeper
from zen_agents.adapters.state_dir import ROOT_POINTER
from zen_agents.adapters.syslog_witness import SYSLOG
from zen_agents.adapters.worker_process import run_worker
from zen_agents.clock import Clock
from zen_agents.engine.aside import DaemonThread, Thread
from zen_agents.model.action import Intent
from zen_agents.ports.events import EventSource
from zen_agents.ports.evidence import EvidenceSource
from zen_agents.ports.host import Host, HostControl


class Controls(Protocol):
    """Makes the control of each intent, and ends with the engine."""

    def __call__(self, intent: Intent) -> HostControl: ...
    def keep_files(self, seconds: float, most_bytes: int) -> None:
        """Keep files of the quarantine so long and of that size from now on, and drop what has had its time.

        Raises HostError if the quarantine cannot be read.
        """
        ...

    def close(self) -> None:
        """Let go of what the controls share."""
        ...


class Machine:
    """The machine that an engine runs on, as its adapters make it; a simulation brings its own."""

    #: Where a start leaves the path of its state for the emergency scripts, and what names the state that a host has had.
    pointer = ROOT_POINTER
    host_state = HOST_STATE
    #: Where the system's log takes the signed heads of the ledger.
    syslog = SYSLOG

    def host(self, state_dir: Path) -> Host:
        """Return the host to look at."""
        return LinuxHost(state_dir)

    def flag(self, state_dir: Path) -> EmergencyFlag:
        """Return the emergency stop of a state and of the machine."""
        return EmergencyFlag(state_dir)

    def controls(self, host: Host, state_dir: Path, flag: EmergencyFlag, clock: Clock) -> Controls:
        """Return the way to change the host; what an earlier engine only half took into quarantine is let go of."""
        controls = LinuxControls(host, state_dir=state_dir, flag=flag, clock=clock)
        if isinstance(host, LinuxHost):
            # What is planned has to fit into what is kept, whose limits are known to whoever keeps it.
            host.kept = controls.quarantine
        controls.quarantine.forget_unfinished()
        return controls

    def finish_removals(self, state_dir: Path, clock: Clock) -> None:
        """Remove what an earlier engine was removing, and take back what it had not proven, when it was killed."""
        quarantine = Quarantine(state_dir / "quarantine", clock)
        tidy(quarantine)
        if (state_dir / "environments").is_dir():
            from zen_agents.adapters.environment_recovery import recover  # noqa: PLC0415 - only where one was upgraded

            recover(state_dir, quarantine, clock)

    def evidence(self, host: Host, state_dir: Path) -> EvidenceSource | None:
        """Return what reads evidence before a repair; None if nothing does."""
        return HostEvidence(host, ServiceKeeper(state_dir).said)

    def events(self, host: Host, clock: Clock) -> EventSource:
        """Return what wakes the engine early."""
        return EventSources(ask=lambda glance: glance(host.look(), clock.now()))

    def still_running(self, state_dir: Path) -> Collection[str]:
        """Return ids of actions whose command still runs, also such as an earlier engine began."""
        return still_running(state_dir)

    def thread(self) -> Thread:
        """Return a thread for what may hang."""
        return DaemonThread()

    async def worker(self, module: str, request: str | Awaitable[str], *, timeout_seconds: float) -> str:
        """Have a worker process answer a request, which it may have to wait for; raises WorkerError."""
        return await run_worker(module, request, timeout_seconds=timeout_seconds)
