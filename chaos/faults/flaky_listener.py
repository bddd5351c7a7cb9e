"""A service whose port accepts, and breaks connections off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import http_status, start_failing_web, struck, told_to_begin, unit_property


@dataclass(frozen=True, slots=True)
class FlakyListener(Fault):
    """A web server accepts and resets: each connection until it is restarted, or every second one whatever is done to it.

    Its process lives, its unit is active and its port is open all the while.
    """

    name = "flaky_listener"

    unit: str = "web"
    port: int = 8080
    #: 1: each connection, by a fault of the process. 2: every second one, by a fault that no restart ends.
    every: int = 1
    #: More than so many restarts only hurt those who are answered.
    most_restarts: int = 1

    def prepare(self, host: DisposableHost) -> None:
        host.run(["mkdir", "-p", self.REMEMBERED], check=True)
        start_failing_web(host, self.unit, self.port, "resets", self.every, "Restart=no", flag=self._flag)

    def inject(self, host: DisposableHost) -> float:
        if self.every > 1:
            return struck(host, ("run", "touch", self._flag))
        main = unit_property(host, self.unit, "MainPID")
        at = told_to_begin(host, self.unit)
        # Whoever has restarted it by the first look repaired what was there.
        wait_until(
            lambda: not http_status(host, self.port) or unit_property(host, self.unit, "MainPID") != main,
            "that nobody is answered",
            seconds=10,
        )
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        # Of every second one nothing is asked here: whom it meets is then left to those who watch it.
        if self.every > 1:
            return host.run(["test", "-e", self._flag]).returncode != 0
        return http_status(host, self.port) == 200

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service",)

    def harm(self, host: DisposableHost) -> Sequence[str]:
        starts = host.run(["journalctl", f"--unit={self.unit}", "--output=cat", "--grep=^Started"]).stdout
        many = len(starts.splitlines()) - 1 - self.most_restarts
        return [f"{self.unit} was restarted {many} times too often"] if many > 0 else []

    @property
    def _flag(self) -> str:
        return f"{self.REMEMBERED}/flaky"
