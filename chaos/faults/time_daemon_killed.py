"""The daemon that keeps the clock right is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import program, start_unit, struck, unit_property


@dataclass(frozen=True, slots=True)
class TimeDaemonKilled(Fault):
    """`kill -9` of the time daemon; a server says by how much the clock is ahead by now.

    No clock is touched: all hosts have the kernel's. A daemon as configured would step what is more than a second off.
    """

    name = "time_daemon_killed"

    unit: str = "chrony"
    ahead_seconds: float = 0.0

    def prepare(self, host: DisposableHost) -> None:
        host.write_file("/etc/chrony/chrony.conf", "server 127.0.0.1 iburst\nmakestep 1 3\n")
        start_unit(host, "ntp-server", [*program("time_server.py"), str(self.ahead_seconds)])
        start_unit(host, self.unit, ["/bin/sleep", "infinity"], "Restart=no")

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("kill", "KILL", unit_property(host, self.unit, "MainPID")))

    def is_gone(self, host: DisposableHost) -> bool:
        return unit_property(host, self.unit, "ActiveState") == "active"

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service",)
