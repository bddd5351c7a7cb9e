"""A service that does not wait for its children."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.processes import children, of_unit, state
from chaos.waiting import wait_until
from chaos.workload import accepts, start_failing_web, told_to_begin, unit_property


@dataclass(frozen=True, slots=True)
class ZombiePileUp(Fault):
    """Hundreds of children of a web server have ended and it never asks how: only their parent's end takes them away.

    With `missed` it would ask if it knew, and lives on.
    """

    name = "zombie_pile_up"

    unit: str = "web"
    port: int = 8080
    zombies: int = 500
    missed: bool = False

    def prepare(self, host: DisposableHost) -> None:
        kind = "missed" if self.missed else "zombies"
        start_failing_web(host, self.unit, self.port, kind, self.zombies, "Restart=no")
        host.run(["mkdir", "-p", self.REMEMBERED], check=True)
        host.write_file(self._pid, unit_property(host, self.unit, "MainPID"))

    def inject(self, host: DisposableHost) -> float:
        before = of_unit(host, self.unit)
        at = told_to_begin(host, self.unit)
        # An engine may have ended them before all are there.
        wait_until(lambda: self._has_zombies(host) or of_unit(host, self.unit) != before, "the zombies", seconds=30)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port) and not self._has_zombies(host)

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service",)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        same = not self.missed or unit_property(host, self.unit, "MainPID") == host.read_file(self._pid).strip()
        return [] if same else [f"{self.unit} was restarted, and a word would have done"]

    @property
    def _pid(self) -> str:
        return f"{self.REMEMBERED}/pid"

    def _has_zombies(self, host: DisposableHost) -> bool:
        # Not counted: to read of hundreds would take one of two processors, just while they are to be repaired.
        return any(state(child) == "Z" for pid in of_unit(host, self.unit) for child in children(pid))
