"""A service that cannot open anything any more."""

from __future__ import annotations

from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.processes import descriptors, of_unit
from chaos.waiting import wait_until
from chaos.workload import http_status, start_failing_web, told_to_begin


@dataclass(frozen=True, slots=True)
class DescriptorLeak(Fault):
    """A web server opens files until its limit: its process runs, its port is open, and it can accept nobody (EMFILE)."""

    name = "descriptor_leak"

    unit: str = "web"
    port: int = 8080
    limit: int = 256

    def prepare(self, host: DisposableHost) -> None:
        start_failing_web(host, self.unit, self.port, "descriptors", 0, f"LimitNOFILE={self.limit}", "Restart=no")

    def inject(self, host: DisposableHost) -> float:
        before = of_unit(host, self.unit)
        at = told_to_begin(host, self.unit)
        # Whoever has restarted it by the first look repaired what was there.
        wait_until(
            lambda: not http_status(host, self.port, seconds=0.1) or of_unit(host, self.unit) != before,
            "that nobody is accepted",
            seconds=10,
        )
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        held = [descriptors(pid) for pid in of_unit(host, self.unit)]
        return bool(held) and max(held) < self.limit / 2 and http_status(host, self.port, seconds=0.5) == 200
