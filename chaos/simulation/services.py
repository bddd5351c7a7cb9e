"""Services of a simulated host: how each behaves, and what becomes of it when it is started, stopped or dies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

from chaos.simulation.events import SimulatedEvents
from chaos.simulation.files import SimulatedFiles
from chaos.simulation.process import SimulatedProcess
from zen_agents.clock import ManualClock
from zen_agents.ports.host_units import Unit


@dataclass(slots=True)
class SimulatedService:
    """A service and how it behaves; change a field and it behaves so from its next start on."""

    name: str
    #: systemd's name; "" for a service that a command starts.
    unit: str = ""
    #: Argument list that starts it, where no unit does.
    command: tuple[str, ...] = ()
    pidfile: str = ""
    port: int = 0
    #: Path of the unix socket that it listens on.
    socket: str = ""
    #: From start to answering.
    start_seconds: float = 0.0
    #: Ends by itself so long after each start; None: lives on.
    crashes_after_seconds: float | None = None
    #: Starting it fails.
    refuses_to_start: bool = False
    #: Alive, but answers nobody.
    hangs: bool = False
    ignores_term: bool = False
    http_status: int = 200
    body: str = "ok"
    answer_seconds: float = 0.001
    #: systemd's limiter.
    start_limit_burst: int = 5
    start_limit_interval_seconds: float = 10.0
    takes_along: tuple[str, ...] = ()
    #: Units that it requires.
    needs: tuple[str, ...] = ()
    enabled: bool = True
    pid: int = 0
    answers_at: float = 0.0
    crashes_at: float | None = None
    active_state: str = "inactive"
    result: str = "success"
    changed_us: int = 0
    #: When it last ceased to be active, and its main process ended, as systemd tells.
    left_active_us: int = 0
    main_exit_us: int = 0
    runs: int = 0
    restarts: int = 0
    started_at: list[float] = field(default_factory=list)


class SimulatedServices(ABC):
    """The part of `SimulatedWorld` that runs services, as units of systemd or by commands."""

    clock: ManualClock
    events: SimulatedEvents
    files: SimulatedFiles
    services: dict[str, SimulatedService]
    #: Name -> (pid, start time), as `start_service` records it.
    records: dict[str, tuple[int, int]]

    @property
    @abstractmethod
    def boot_seconds(self) -> float:
        """Seconds since the simulated boot."""

    @abstractmethod
    def add_process(self, name: str, *, pid: int = 0, parent: int = 1, **traits: Any) -> SimulatedProcess:
        """Start a process that belongs to no service."""

    @abstractmethod
    def end_process(self, pid: int) -> None:
        """Let a process be gone; who watches it is woken."""

    def add_service(self, name: str, **traits: Any) -> SimulatedService:
        """Make a service known; it does not run before `start`."""
        self.services[name] = SimulatedService(name, **traits)
        return self.services[name]

    def start(self, name: str) -> bool:
        """Start a service as its unit or command would; False if that failed."""
        service = self.services[name]
        if service.pid:
            return True
        if not self._within_start_limit(service) or service.refuses_to_start:
            self._become(service, "failed", service.result if service.result == "start-limit-hit" else "exit-code")
            return False
        self._launch(service)
        return True

    def stop(self, name: str) -> None:
        """Stop a service in good order, as a person or a control would."""
        service = self.services[name]
        if service.pid:
            # It leaves the active state before its process has ended.
            service.left_active_us = int(self.boot_seconds * 1e6)
            service.main_exit_us = service.left_active_us + 1
        self._end(service)
        self._become(service, "inactive", "success")

    def crash(self, name: str) -> None:
        """Let a service's process die by a signal."""
        service = self.services[name]
        if service.pid:
            service.main_exit_us = int(self.boot_seconds * 1e6)
            service.left_active_us = service.main_exit_us + 1
        self._end(service)
        self._become(service, "failed", "signal")

    def service_of_unit(self, unit: str) -> SimulatedService | None:
        """Return the service behind a unit."""
        return next((service for service in self.services.values() if service.unit and service.unit == unit), None)

    def service_of_process(self, pid: int) -> SimulatedService | None:
        """Return the service whose main process this is."""
        return next((service for service in self.services.values() if service.pid == pid), None)

    def answering(self, where: int | str) -> SimulatedService | None:
        """Return the service that holds a port, or a unix socket, open by now."""
        now = self.clock.now().steady
        running = (service for service in self.services.values() if service.pid and now >= service.answers_at)
        return next((service for service in running if where in (service.port, service.socket)), None)

    def unit_state(self, service: SimulatedService) -> Unit:
        """Return what systemctl show would say."""
        starting = service.pid and self.clock.now().steady < service.answers_at
        active = "activating" if starting else service.active_state
        return Unit(
            id=service.unit,
            load_state="loaded",
            active_state=active,
            sub_state={"active": "running", "inactive": "dead", "activating": "start"}.get(active, active),
            result=service.result,
            unit_file_state="enabled" if service.enabled else "disabled",
            main_pid=service.pid,
            restarts=service.restarts,
            invocation=f"{service.runs:032x}" if service.runs else "",
            changed_us=service.changed_us,
            busy=bool(starting),
            takes_along=service.takes_along,
            start_limit_burst=service.start_limit_burst,
            start_limit_interval_seconds=service.start_limit_interval_seconds,
            slice="system.slice",
            left_active_us=service.left_active_us,
            main_exit_us=service.main_exit_us,
        )

    def _within_start_limit(self, service: SimulatedService) -> bool:
        now = self.clock.now().steady
        since = now - service.start_limit_interval_seconds
        service.started_at = [at for at in service.started_at if at > since]
        if service.unit and len(service.started_at) >= service.start_limit_burst:
            service.result = "start-limit-hit"
            return False
        service.started_at.append(now)
        service.result = "success"
        return True

    def _launch(self, service: SimulatedService) -> None:
        now = self.clock.now().steady
        argv = service.command or (f"/usr/sbin/{service.name}",)
        ports = (service.port,) if service.port else ()
        cgroup = f"/system.slice/{service.unit}"
        entry = self.add_process(service.name[:15], argv=argv, ports=ports, ignores_term=service.ignores_term, cgroup=cgroup)
        service.pid = entry.process.pid
        service.answers_at = now + service.start_seconds
        after = service.crashes_after_seconds
        service.crashes_at = None if after is None else now + after
        service.runs += 1
        if service.pidfile:
            self.files.add_file(service.pidfile, f"{service.pid}\n")
        if not service.unit:
            self.records[service.name] = (service.pid, entry.process.start_time)
        self._become(service, "active", "success")

    def _end(self, service: SimulatedService) -> None:
        pid, service.pid, service.crashes_at = service.pid, 0, None
        if pid:
            self.end_process(pid)

    def _become(self, service: SimulatedService, active_state: str, result: str) -> None:
        service.active_state, service.result = active_state, result
        service.changed_us = int(self.boot_seconds * 1e6)
        if service.unit:
            self.events.tell(f"unit:{service.unit}", "systemd")
