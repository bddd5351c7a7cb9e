"""Somebody else looks after the same unit, and wants it otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts, program, start_program, start_web

_RIVAL = "chaos-rival"


@dataclass(frozen=True, slots=True)
class UnitFoughtOver(Fault):
    """A line of cron that stops the service again, or a supervisor that restarts whatever it has not started itself."""

    name = "unit_fought_over"

    unit: str = "web"
    port: int = 8080
    will: Literal["stop", "supervise"] = "stop"
    #: How often it looks (seconds).
    every: float = 1.0
    #: Whoever goes on after so many turns does not notice that somebody undoes it.
    most_turns: int = 4

    def prepare(self, host: DisposableHost) -> None:
        start_web(host, self.unit, self.port, "Restart=no")
        host.write_file(self._turns, "")

    def inject(self, host: DisposableHost) -> None:
        rival = [*program("unit_rival.py"), self.will, f"{self.unit}.service", str(self.every), self._turns]
        start_program(host, _RIVAL, rival)
        wait_until(lambda: bool(host.read_file(self._turns)), "the rival's first turn", seconds=10)

    def is_gone(self, host: DisposableHost) -> bool:
        return accepts(host, self.port) and host.run(["systemctl", "is-active", _RIVAL]).returncode != 0

    def traces(self) -> Sequence[str]:
        return (f"unit {self.unit}.service", f"port tcp {self.port}")

    def harm(self, host: DisposableHost) -> Sequence[str]:
        turns = len(host.read_file(self._turns).splitlines())
        return [f"{self.unit} went to and fro {turns} times"] if turns > self.most_turns else []

    @property
    def _turns(self) -> str:
        return f"{self.REMEMBERED}/turns"
