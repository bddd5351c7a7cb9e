"""A Java program that hangs, as in a deadlock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import INSIDE, http_status, start_unit, struck, unit_property

_STARTED_WITHIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class JavaHung(Fault):
    """`kill -STOP` of a web server in a JVM: its port accepts, and nobody gets an answer."""

    name = "java_hung"
    programs = ("java", "javac")

    unit: str = "shop"
    port: int = 9000

    def prepare(self, host: DisposableHost) -> None:
        start_unit(host, self.unit, ["/usr/bin/java", "-Xmx64m", str(INSIDE / "Web.java"), str(self.port)])
        wait_until(lambda: http_status(host, self.port) == 200, f"{self.unit}.service", seconds=_STARTED_WITHIN_SECONDS)

    def inject(self, host: DisposableHost) -> float:
        main = unit_property(host, self.unit, "MainPID")
        at = struck(host, ("run", "systemctl", "kill", "--kill-who=all", "--signal=STOP", self.unit))
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
        return (f"unit {self.unit}.service", f"port tcp* {self.port}")
