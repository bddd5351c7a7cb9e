"""What a unit of a host's systemd takes."""

from __future__ import annotations

from chaos.engines.base import Cost
from chaos.host import DisposableHost
from chaos.workload import unit_property


def unit_cost(host: DisposableHost, unit: str) -> Cost:
    """Return the CPU time of all of a unit and the resident memory of its main process; 0 once it has ended."""
    nanoseconds, pid = unit_property(host, unit, "CPUUsageNSec"), unit_property(host, unit, "MainPID")
    status = host.run(["cat", f"/proc/{pid}/status"]).stdout
    rss = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")), 0)
    return Cost(int(nanoseconds) / 1e9 if nanoseconds.isdigit() else 0.0, rss)
