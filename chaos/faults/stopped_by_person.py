"""A service that a person stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import accepts, start_web, struck


@dataclass(frozen=True, slots=True)
class StoppedByPerson(Fault):
    """`systemctl stop` by whoever works on the host: the service is down because somebody wants it so."""

    name = "stopped_by_person"

    unit: str = "web"
    port: int = 8080

    def prepare(self, host: DisposableHost) -> None:
        start_web(host, self.unit, self.port, "Restart=no")

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("run", "systemctl", "stop", f"{self.unit}.service"))

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port)

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service", f"port tcp {self.port}")
