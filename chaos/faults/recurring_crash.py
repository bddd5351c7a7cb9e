"""A service that is killed again soon after each start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import accepts, killed, program, start_program, start_web, unit_property

_UNIT = "chaos-killer"


@dataclass(frozen=True, slots=True)
class RecurringCrash(Fault):
    """Each repair succeeds, and a few seconds later the service is dead again: the cause is elsewhere."""

    name = "recurring_crash"

    unit: str = "web"
    port: int = 8080
    #: How long it lives after a start (seconds).
    lives: float = 2.5
    #: Whoever starts it more often hides the fault.
    most_repairs: int = 3

    def prepare(self, host: DisposableHost) -> None:
        start_web(host, self.unit, self.port, "Restart=no", "StartLimitBurst=100")

    def inject(self, host: DisposableHost) -> float:
        at = killed(host, unit_property(host, self.unit, "MainPID"))
        start_program(host, _UNIT, [*program("killer.py"), f"{self.unit}.service", str(self.lives)])
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port) and host.run(["systemctl", "is-active", _UNIT]).returncode != 0

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service", f"port tcp {self.port}")

    def harm(self, host: DisposableHost) -> Sequence[str]:
        said = host.run(["journalctl", f"--unit={self.unit}", "--output=cat", "--grep=^Started"]).stdout
        repairs = len(said.splitlines()) - 1
        return [f"{self.unit} was started {repairs} times although it did not last"] if repairs > self.most_repairs else []
