"""A service that takes more and more memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.processes import of_unit, resident_mib
from chaos.waiting import wait_until
from chaos.workload import accepts, start_failing_web, told_to_begin

_WELL_BELOW_MIB = 20
#: Of address space; the interpreter takes some of it to begin with.
_KILLED_AT_MIB = 512


@dataclass(frozen=True, slots=True)
class MemoryLeak(Fault):
    """A web server begins to leak; left alone it ends by itself once its limit leaves it no more, with all that it held."""

    name = "memory_leak"

    unit: str = "web"
    port: int = 8080
    mib_per_second: int = 8

    def prepare(self, host: DisposableHost) -> None:
        limit = f"LimitAS={_KILLED_AT_MIB}M"
        start_failing_web(host, self.unit, self.port, "memory", self.mib_per_second, limit, "Restart=no")

    def inject(self, host: DisposableHost) -> float:
        before = of_unit(host, self.unit)
        at = told_to_begin(host, self.unit)
        # Whoever has restarted it by the first look repaired what was there.
        wait_until(lambda: not self.is_gone(host) or of_unit(host, self.unit) != before, "that it leaks", seconds=30)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        # One that is ending has given its memory back before its port.
        held = [resident_mib(pid) for pid in of_unit(host, self.unit)]
        return bool(held) and all(0 < mib < _WELL_BELOW_MIB for mib in held) and accepts(host, self.port)

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service", f"port tcp {self.port}")

    def harm(self, host: DisposableHost) -> Sequence[str]:
        ended = host.run(["journalctl", f"--unit={self.unit}", "--output=cat", "--grep=Main process exited"]).stdout
        return [f"{self.unit} ran out of memory: {line}" for line in ended.splitlines()]
