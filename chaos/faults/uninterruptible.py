"""A process that hangs in the kernel, where no signal but KILL reaches it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.processes import of_unit, state
from chaos.waiting import wait_until
from chaos.workload import program, start_unit, told_to_begin, unit_property


@dataclass(frozen=True, slots=True)
class Uninterruptible(Fault):
    """The main process of a service is in state D and gets no CPU time, as if its disk did not answer any more.

    A disk that really does not answer takes a kernel of its own, and would keep the host from ending.
    """

    name = "uninterruptible"

    unit: str = "writer"

    def prepare(self, host: DisposableHost) -> None:
        start_unit(host, self.unit, program("hangs.py"), "Restart=no", "KillMode=process")

    def inject(self, host: DisposableHost) -> float:
        at = told_to_begin(host, self.unit)
        wait_until(lambda: not self.is_gone(host), "a process in state D", seconds=10)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return all(state(pid) != "D" for pid in of_unit(host, self.unit))

    def harm(self, host: DisposableHost) -> Sequence[str]:
        kills = host.run(["journalctl", f"--unit={self.unit}", "--output=cat", "--grep=Killing process"]).stdout
        many = len(kills.splitlines()) - 1
        if many > 0:
            return [f"{self.unit} was killed {many} times more, and cannot die"]
        state_now = unit_property(host, self.unit, "ActiveState")
        return [] if state_now == "active" else [f"{self.unit}, which only waits, is {state_now}"]
