"""A service is taken down with what it is bound to, and only that comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts, start_web, struck, unit_property


@dataclass(frozen=True, slots=True)
class RequirementReturned(Fault):
    """`kill -9` of a service: systemd stops the one that is bound to it, and starts the first one alone again.

    The one that was stopped has not failed, nobody stopped it by hand, and its own `Restart=` says nothing of such an end.
    """

    name = "requirement_returned"

    root: str = "db"
    root_port: int = 8081
    unit: str = "web"
    port: int = 8080

    def prepare(self, host: DisposableHost) -> None:
        # Long enough that what is bound to it has ended before it is started again.
        start_web(host, self.root, self.root_port, "Restart=always", "RestartSec=500ms")
        start_web(host, self.unit, self.port, "Restart=always")
        tied = f"[Unit]\nBindsTo={self.root}.service\nAfter={self.root}.service\n"
        host.write_file(f"/etc/systemd/system/{self.unit}.service.d/tied.conf", tied)
        host.run(["systemctl", "daemon-reload"], check=True)

    def inject(self, host: DisposableHost) -> float:
        main = unit_property(host, self.root, "MainPID")
        at = struck(host, ("kill", "KILL", main))
        wait_until(
            lambda: unit_property(host, self.root, "MainPID") not in ("0", main) and accepts(host, self.root_port),
            f"the return of {self.root}.service",
            seconds=10,
        )
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.root_port) and accepts(host, self.port)

    def traces(self) -> Sequence[str]:
        return tuple(
            subject for unit, port in ((self.root, self.root_port), (self.unit, self.port))
            for subject in (f"unit {unit}.service", f"port tcp {port}")
        )  # fmt: skip
