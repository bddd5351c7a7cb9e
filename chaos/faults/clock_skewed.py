"""The clock is wrong and nobody sets it right."""

from __future__ import annotations

from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import interpreter, struck, unit_property

_OFFSET = "import time; print(time.time() - time.clock_gettime(time.CLOCK_BOOTTIME))"


@dataclass(frozen=True, slots=True)
class ClockSkewed(Fault):
    """The time daemon is killed and the clock ten minutes ahead; it takes a kernel whose clock may be set."""

    name = "clock_skewed"
    programs = ("chronyd",)

    unit: str = "chrony"
    ahead_seconds: int = 600
    #: Well again within so much.
    within_seconds: float = 0.1

    def prepare(self, host: DisposableHost) -> None:
        host.run(["systemctl", "start", f"{self.unit}.service"], check=True)
        host.write_file(f"{self.REMEMBERED}/offset", repr(self._offset(host)))

    def inject(self, host: DisposableHost) -> float:
        pid = unit_property(host, self.unit, "MainPID")
        return struck(host, ("kill", "KILL", pid), ("run", "date", f"--set={self.ahead_seconds} seconds"))

    def is_gone(self, host: DisposableHost) -> bool:
        right = float(host.read_file(f"{self.REMEMBERED}/offset"))
        alive = unit_property(host, self.unit, "ActiveState") == "active"
        return alive and abs(self._offset(host) - right) < self.within_seconds

    def _offset(self, host: DisposableHost) -> float:
        """Return the wall clock less the time since boot, which nobody sets."""
        return float(host.run([*interpreter(), "-c", _OFFSET], check=True).stdout)
