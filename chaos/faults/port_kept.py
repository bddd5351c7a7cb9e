"""A service crashes whose child keeps the port, so that no start succeeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import http_status, killed, lives, program, start_unit, unit_property


@dataclass(frozen=True, slots=True)
class PortKept(Fault):
    """`kill -9` of a web server whose unit leaves its children alone: one of them has inherited the port.

    The port is open, nobody answers there, and each start fails with "Address already in use".
    """

    name = "port_kept"

    unit: str = "web"
    port: int = 8080
    #: Whoever starts it more often does not notice that it is in vain.
    most_starts: int = 3

    def prepare(self, host: DisposableHost) -> None:
        host.run(["mkdir", "-p", self.REMEMBERED], check=True)
        start_unit(
            host, self.unit, [*program("heir_web.py"), str(self.port), self._heir], "Restart=no", "KillMode=process"
        )  # fmt: skip
        wait_until(lambda: http_status(host, self.port) == 200, f"{self.unit}.service", seconds=10)

    def inject(self, host: DisposableHost) -> float:
        return killed(host, unit_property(host, self.unit, "MainPID"))

    def is_gone(self, host: DisposableHost) -> bool:
        return http_status(host, self.port, seconds=0.2) == 200

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service", f"port tcp {self.port}")

    def harm(self, host: DisposableHost) -> Sequence[str]:
        if self.is_gone(host):
            return ()
        found = [] if lives(host, host.read_file(self._heir).strip()) else ["a process that nobody listed was ended"]
        refused = host.run(["journalctl", f"--unit={self.unit}", "--output=cat", "--grep=already in use"]).stdout
        many = len(refused.splitlines())
        return [*found, f"{self.unit} was started {many} times in vain"] if many > self.most_starts else found

    @property
    def _heir(self) -> str:
        return f"{self.REMEMBERED}/heir"
