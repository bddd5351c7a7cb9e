"""A service crashes that runs long before it listens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts, killed, program, start_unit, unit_property


@dataclass(frozen=True, slots=True)
class SlowToStart(Fault):
    """`kill -9` of a web server that its systemd calls active at once, and that accepts nobody for seconds after a start.

    Whoever takes that for a fault and restarts it again begins it anew, and it never accepts anybody.
    """

    name = "slow_to_start"

    unit: str = "web"
    port: int = 8080
    #: How long it loads what it needs, while its process runs (seconds).
    loads_seconds: float = 3.0

    def prepare(self, host: DisposableHost) -> None:
        serve = " ".join([*program("web.py"), str(self.port)])
        start_unit(host, self.unit, ["/bin/sh", "-c", f"'sleep {self.loads_seconds:g}; exec {serve}'"], "Restart=no")
        wait_until(lambda: accepts(host, self.port), f"{self.unit}.service", seconds=10 + self.loads_seconds)

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
