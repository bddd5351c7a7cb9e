"""A child of a service that takes a whole CPU and gets nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.processes import cpu_seconds, of_unit
from chaos.waiting import pause, wait_until
from chaos.workload import start_unit, struck, unit_property

_LOOP = "/usr/local/bin/crunch"
#: Of a CPU, seen over so many seconds; a busy machine gives a loop no more than its share.
_RUNAWAY_SHARE, _SEEN_FOR = 0.1, 0.3


@dataclass(frozen=True, slots=True)
class RunawayChild(Fault):
    """A job that a service started runs in an endless loop; the service itself, and its other work, are well."""

    name = "runaway_child"

    unit: str = "batch"

    def prepare(self, host: DisposableHost) -> None:
        host.write_file(_LOOP, "#!/bin/sh\nwhile :; do :; done\n", mode=0o755)
        # The loop runs as the service's own child from the moment on at which its go is there.
        wait = f"'while [ ! -e {self._go} ]; do sleep 0.02; done; {_LOOP} & exec sleep infinity'"
        start_unit(host, self.unit, ["/bin/sh", "-c", wait], "Restart=no", "Nice=0")

    def inject(self, host: DisposableHost) -> float:
        at = struck(host, ("run", "install", "-D", "/dev/null", self._go))
        wait_until(lambda: not self.is_gone(host), "the loop", seconds=10)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        before = {pid: cpu_seconds(pid) for pid in of_unit(host, self.unit)}
        pause(_SEEN_FOR)
        most = max((cpu_seconds(pid) - spent for pid, spent in before.items()), default=0.0)
        return most < _RUNAWAY_SHARE * _SEEN_FOR

    def harm(self, host: DisposableHost) -> Sequence[str]:
        state = unit_property(host, self.unit, "ActiveState")
        return [] if state == "active" else [f"{self.unit}, which was well, is {state}"]

    @property
    def _go(self) -> str:
        return f"{self.REMEMBERED}/go"
