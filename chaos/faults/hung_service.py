"""A service that is there and does not answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import http_status, start_web, struck, unit_property


@dataclass(frozen=True, slots=True)
class HungService(Fault):
    """`kill -STOP` of a web server: its unit is active, its port accepts, and nobody gets an answer, as in a deadlock."""

    name = "hung_service"

    unit: str = "web"
    port: int = 8080

    def prepare(self, host: DisposableHost) -> None:
        start_web(host, self.unit, self.port, "Restart=no")

    def inject(self, host: DisposableHost) -> float:
        main = unit_property(host, self.unit, "MainPID")
        at = struck(host, ("kill", "STOP", main))
        # Whoever has restarted it by the first look repaired what was there.
        wait_until(
            lambda: not http_status(host, self.port, seconds=0.1) or unit_property(host, self.unit, "MainPID") != main,
            "that nobody answers",
            seconds=10,
        )
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return http_status(host, self.port, seconds=0.5) == 200

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service",)
