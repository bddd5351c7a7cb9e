"""Two services that are killed at once, one of them nobody's to repair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import accepts, killed, start_web, unit_property


@dataclass(frozen=True, slots=True)
class TwoCrashes(Fault):
    """`kill -9` of two web servers; the second one is to be left as it is, since the person who runs it works on it."""

    name = "two_crashes"

    unit: str = "web"
    port: int = 8080
    left_unit: str = "other"
    left_port: int = 8081

    def prepare(self, host: DisposableHost) -> None:
        for unit, port in self._services:
            start_web(host, unit, port, "Restart=no")

    def inject(self, host: DisposableHost) -> float:
        return killed(host, *(unit_property(host, unit, "MainPID") for unit, _ in self._services))

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port)

    def traces(self) -> Sequence[str]:
        return tuple(trace for unit, port in self._services for trace in (f"unit {unit}.service", f"port tcp {port}"))

    def harm(self, host: DisposableHost) -> Sequence[str]:
        said = host.run(["journalctl", f"--unit={self.left_unit}", "--output=cat", "--grep=^Started"]).stdout
        return [f"{self.left_unit} was started, and it is not listed"] if len(said.splitlines()) > 1 else []

    @property
    def _services(self) -> Sequence[tuple[str, int]]:
        return (self.unit, self.port), (self.left_unit, self.left_port)
