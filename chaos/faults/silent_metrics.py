"""Where the host tells how it is, nothing or nothing but zeros stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import start_web, struck

_SOURCES = ("meminfo", "stat", "loadavg", "pressure/cpu", "pressure/memory", "pressure/io")
_NUMBER = re.compile(r"\b\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class SilentMetrics(Fault):
    """The kernel's files about memory, CPUs, load and stalls are covered by others, as in a container set up wrongly."""

    name = "silent_metrics"

    says: Literal["nothing", "zeros"] = "nothing"
    unit: str = "web"
    port: int = 8080

    def prepare(self, host: DisposableHost) -> None:
        start_web(host, self.unit, self.port, "Restart=no")
        for source in self._sources(host):
            said = _NUMBER.sub("0", host.read_file(f"/proc/{source}")) if self.says == "zeros" else ""
            host.write_file(f"{self.REMEMBERED}/{source}", said)

    def inject(self, host: DisposableHost) -> float:
        covers = [("run", "mount", "--bind", f"{self.REMEMBERED}/{each}", f"/proc/{each}") for each in self._sources(host)]
        return struck(host, *covers)

    def is_gone(self, host: DisposableHost) -> bool:
        return re.search(r"^MemTotal: +[1-9]", host.read_file("/proc/meminfo")) is not None

    def _sources(self, host: DisposableHost) -> list[str]:
        """Return those that this kernel has."""
        return [source for source in _SOURCES if host.run(["cat", f"/proc/{source}"]).returncode == 0]
