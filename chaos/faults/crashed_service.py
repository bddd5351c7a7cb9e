"""A service whose main process is killed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.processes import of_unit
from chaos.waiting import wait_until
from chaos.workload import accepts, start_web, struck, unit_property


@dataclass(frozen=True, slots=True)
class CrashedService(Fault):
    """`kill -9` of the main process of a web server, as the kernel does it when memory is short."""

    name = "crashed_service"

    unit: str = "web"
    port: int = 8080

    def prepare(self, host: DisposableHost) -> None:
        start_web(host, self.unit, self.port, "Restart=no")

    def inject(self, host: DisposableHost) -> float:
        before = of_unit(host, self.unit)
        at = struck(host, ("kill", "KILL", unit_property(host, self.unit, "MainPID")))
        wait_until(lambda: not set(before) & set(of_unit(host, self.unit)), "the end of the process", seconds=10)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port)

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service", f"port tcp {self.port}")

    def harm(self, host: DisposableHost) -> Sequence[str]:
        starts = host.run(["journalctl", f"--unit={self.unit}", "--output=cat", "--grep=^Started"]).stdout
        many = len(starts.splitlines()) - 2
        return [f"{self.unit} was started {many} times too often"] if many > 0 else []
