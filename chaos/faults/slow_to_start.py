"""A service crashes that runs long before it listens."""

from __future__ import annotations

from dataclasses import dataclass

from chaos.faults.crashed_service import CrashedService
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts, program, start_unit


@dataclass(frozen=True, slots=True)
class SlowToStart(CrashedService):
    """`kill -9` of a web server that its systemd calls active at once, and that accepts nobody for seconds after a start.

    Whoever takes that for a fault and restarts it again begins it anew, and it never accepts anybody.
    """

    name = "slow_to_start"

    #: How long it loads what it needs, while its process runs (seconds).
    loads_seconds: float = 3.0

    def prepare(self, host: DisposableHost) -> None:
        serve = " ".join([*program("web.py"), str(self.port)])
        start_unit(host, self.unit, ["/bin/sh", "-c", f"'sleep {self.loads_seconds:g}; exec {serve}'"], "Restart=no")
        wait_until(lambda: accepts(host, self.port), f"{self.unit}.service", seconds=10 + self.loads_seconds)
