"""A service whose main process is killed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import accepts, killed, start_web, unit_property


@dataclass(frozen=True, slots=True)
class CrashedService(Fault):
    """`kill -9` of the main process of a web server, as the kernel does it when memory is short."""

    name = "crashed_service"

    unit: str = "web"
    port: int = 8080

    def prepare(self, host: DisposableHost) -> None:
        start_web(host, self.unit, self.port, "Restart=no")

    def inject(self, host: DisposableHost) -> float:
        return killed(host, unit_property(host, self.unit, "MainPID"))

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port)

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service", f"port tcp {self.port}")

    def harm(self, host: DisposableHost) -> Sequence[str]:
        starts = host.run(["journalctl", f"--unit={self.unit}", "--output=cat", "--grep=^Started"]).stdout
        many = len(starts.splitlines()) - 2
        return [f"{self.unit} was started {many} times too often"] if many > 0 else []
